#include <algorithm>
#include <cmath>
#include <numeric>

#include "stackae/error.hpp"
#include "stackae/patch_memory.hpp"

#include "base/rows.hpp"
#include "search/anomaly_distances.hpp"
#include "search/anomaly_rule.hpp"
#include "search/patch_encoder.hpp"

namespace stackae {

struct AnomalyScorer::State {
    State(const PatchMemory& from, int threads)
        : memory(from),
          encoder(memory.model, memory.depth, memory.preprocessing.shape(), memory.levels, threads),
          coder(memory.scale, memory.mean, memory.components, threads),
          distances(memory, threads) {}

    PatchMemory memory;
    search::PatchEncoder encoder;
    search::DescriptorCoder coder;
    search::AnomalyDistances distances;
};

AnomalyScorer::AnomalyScorer(const PatchMemory& memory, int threads)
    : state_(std::make_unique<State>(memory, threads)) {}
AnomalyScorer::AnomalyScorer(AnomalyScorer&&) noexcept = default;
AnomalyScorer& AnomalyScorer::operator=(AnomalyScorer&&) noexcept = default;
AnomalyScorer::~AnomalyScorer() = default;

std::vector<AnomalyScore> AnomalyScorer::score(const Tensor& pictures) {
    const PatchMemory& memory = state_->memory;
    std::vector<AnomalyMethod> methods = memory.rule.methods;
    methods.push_back(AnomalyMethod::reconstruction);
    const Tensor distances =
        state_->distances.of(state_->coder.encode(state_->encoder.encode(pictures)), methods);
    std::vector<AnomalyScore> scores;
    for (std::int64_t i = 0; i < pictures.rows(); ++i) {
        AnomalyScore score;
        score.map = search::anomaly_map(distances.row(i), memory);
        score.score = search::anomaly_score(score.map, memory);
        const auto left = distances.row(i).subspan(
            base::at(static_cast<std::int64_t>(AnomalyMethod::reconstruction) * memory.positions()),
            base::at(memory.positions()));
        score.reconstruction =
            std::accumulate(left.begin(), left.end(), 0.0) / static_cast<double>(memory.positions());
        scores.push_back(std::move(score));
    }
    return scores;
}

Tensor enlarge_map(const Tensor& map, std::int64_t height, std::int64_t width) {
    const std::int64_t from_height = map.rows();
    const std::int64_t from_width = map.columns();
    if (map.empty() || height < 1 || width < 1) {
        throw InvalidArgument("enlarge_map: a map without positions, or a size of 0");
    }
    const search::Resampling rows(from_height, height,
                                  static_cast<double>(from_height) / static_cast<double>(height), 1.0);
    const search::Resampling columns(from_width, width,
                                     static_cast<double>(from_width) / static_cast<double>(width), 1.0);
    Tensor wide({from_height, width});
    for (std::int64_t y = 0; y < from_height; ++y) {
        columns.run(map.row(y).data(), 1, wide.row(y).data());
    }
    Tensor out({height, width});
    rows.run(wide.data(), width, out.data());
    return out;
}

}  // namespace stackae
