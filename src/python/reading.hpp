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

/// Of that shape, and not a number where nothing is written.
inline Tensor unwritten(std::vector<std::int64_t> shape) {
    Tensor tensor(std::move(shape));
    std::fill(tensor.values().begin(), tensor.values().end(), std::numeric_limits<float>::quiet_NaN());
    return tensor;
}

}  // namespace stackae::python
