#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "stackae/error.hpp"
#include "stackae/patch_memory.hpp"

#include "search/anomaly_distances.hpp"
#include "search/anomaly_rule.hpp"
#include "search/patch_encoder.hpp"

namespace stackae {

struct AnomalyScorer::State {
    State(const PatchMemory& from, int threads)
        : memory(from),
          encoder(memory.model, memory.depth, memory.preprocessing.shape(), memory.levels, memory.stride,
                  threads),
          coder(memory.scale, memory.mean, memory.components, threads),
          distances(memory, threads) {
        search::check_fits(encoder, memory);
    }

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
    if (pictures.rows() > 0 && pictures.columns() != memory.preprocessing.size()) {
        throw InvalidArgument(fmt::format("AnomalyScorer: pictures of {} values found, {} expected",
                                          pictures.columns(), memory.preprocessing.size()));
    }
    std::vector<AnomalyMethod> methods = memory.rule.methods;
    methods.push_back(AnomalyMethod::reconstruction);
    const std::int64_t at_once = state_->encoder.at_once();
    const double looked_at =
        std::accumulate(memory.region.values().begin(), memory.region.values().end(), 0.0);
    std::vector<AnomalyScore> scores;
    for (std::int64_t first = 0; first < pictures.rows(); first += at_once) {
        const std::int64_t count = std::min(at_once, pictures.rows() - first);
        Tensor now({count, pictures.columns()});
        std::copy_n(pictures.row(first).data(), now.size(), now.data());
        const Tensor distances =
            state_->distances.of(state_->coder.encode(state_->encoder.encode(now)), methods);
        for (std::int64_t i = 0; i < count; ++i) {
            AnomalyScore score;
            score.map = search::anomaly_map(distances.row(i), memory);
            score.score = search::anomaly_score(score.map, memory);
            const float* left = distances.row(i).data() +
                                static_cast<std::int64_t>(AnomalyMethod::reconstruction) * memory.positions();
            score.reconstruction =
                std::inner_product(memory.region.values().begin(), memory.region.values().end(), left, 0.0) /
                looked_at;
            scores.push_back(std::move(score));
        }
    }
    return scores;
}

Tensor enlarge_map(const Tensor& map, std::int64_t height, std::int64_t width) {
    const std::int64_t from_height = map.rows();
    const std::int64_t from_width = map.columns();
    if (map.empty() || height < 1 || width < 1) {
        throw InvalidArgument("enlarge_map: a map without positions, or a size of 0");
    }
    const search::Resampling rows = search::enlarging(from_height, height);
    const search::Resampling columns = search::enlarging(from_width, width);
    Tensor wide({from_height, width});
    for (std::int64_t y = 0; y < from_height; ++y) {
        columns.run(map.row(y).data(), 1, wide.row(y).data());
    }
    Tensor out({height, width});
    rows.run(wide.data(), width, out.data());
    return out;
}

}  // namespace stackae
