#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stackae/model.hpp"
#include "stackae/train.hpp"

#include "base/random.hpp"
#include "linalg/onednn.hpp"
#include "train/convolution.hpp"
#include "train/sample_store.hpp"

namespace stackae::training {

/// At most `count` of the rows, spread by chance, in rising order.
[[nodiscard]] std::vector<std::int64_t> sample_of(std::span<const std::int64_t> rows, std::int64_t count,
                                                  const base::Random& random);

/// The input of the layer above a stack of convolutions, for some pictures: n × input size.
class Below {
public:
    Below(const Model& model, const SampleStore& pictures, int threads);

    /// Pictures whose maps are made at a time.
    [[nodiscard]] std::int64_t chunk() const;
    [[nodiscard]] Tensor maps(std::span<const std::int64_t> rows);

private:
    const SampleStore& pictures_;
    std::optional<Encoder> encoder_;
};

/// Calls body(rows, maps) for the pictures, chunk by chunk; false when the observer stopped it.
template <class Body>
bool each_chunk(Below& below, std::span<const std::int64_t> rows, TrainObserver& observer, const Body& body) {
    const auto chunk = static_cast<std::size_t>(below.chunk());
    for (std::size_t first = 0; first < rows.size(); first += chunk) {
        if (observer.stop()) {
            return false;
        }
        const auto part = rows.subspan(first, std::min(chunk, rows.size() - first));
        body(part, below.maps(part));
    }
    return true;
}

/// The training of one convolutional layer: patches, units on them, a decoder.
class ConvolutionTraining {
public:
    ConvolutionTraining(linalg::Context& context, const LayerData& data, const TrainOptions& options,
                        TrainObserver& observer, Model& model);

    /// Adds the layer to the model; false where it was stopped.
    bool run();

private:
    void settle_contrast();
    SampleStore sample_patches();
    void whiten(SampleStore& patches);
    void learn_units(SampleStore& patches);
    void learn_context(const SampleStore& patches);
    void decode_by_transpose();
    void set_threshold(const SampleStore& patches);
    bool fit_decoder(EpochRecord& record);
    [[nodiscard]] Tensor rebuild(const Tensor& maps) const;

    linalg::Context& context_;
    const LayerData& data_;
    const TrainOptions& options_;
    const ConvolutionOptions& asked_;
    TrainObserver& observer_;
    Model& model_;
    std::uint32_t number_;
    Below below_;
    ConvolutionLayer layer_;
};

}  // namespace stackae::training
