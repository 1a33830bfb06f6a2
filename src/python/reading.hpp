#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "stackae/inputs.hpp"
#include "stackae/tensor.hpp"

#include "python/signals.hpp"

namespace stackae::python {

/// Asks Python for signals while pictures are read, and keeps why some are skipped.
class Reading : public InputObserver {
public:
    void on_skipped(const ImageEntry& entry, std::string_view /*status*/, std::string_view reason) override {
        skipped.emplace_back(entry.path, reason);
    }
    bool stop() override { return signals.arrived(); }

    Signals signals;
    std::vector<std::pair<std::string, std::string>> skipped;  ///< paths and reasons
};

/// Calls use(index, row) for the pictures of a batch, whose first has the index `first` among all.
template <class Use>
void each_row(const InputBatch& batch, std::int64_t first, const Use& use) {
    auto note = batch.notes.begin();
    std::int64_t row = 0;
    for (std::int64_t i = first; i < batch.end; ++i) {
        bool has_row = true;
        for (; note != batch.notes.end() && note->index == i; ++note) {
            has_row = has_row && note->status == name(PictureStatus::ok);
        }
        if (has_row && row < std::ssize(batch.entries)) {
            use(i, row++);
        }
    }
}

/// Of that shape, and not a number where nothing is written.
inline Tensor unwritten(std::vector<std::int64_t> shape) {
    Tensor tensor(std::move(shape));
    std::fill(tensor.values().begin(), tensor.values().end(), std::numeric_limits<float>::quiet_NaN());
    return tensor;
}

}  // namespace stackae::python
