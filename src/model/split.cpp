#include "model/split.hpp"

#include <algorithm>
#include <numeric>

#include "base/random.hpp"

namespace stackae {

std::int64_t held_out(const TrainConfig& config, std::int64_t pictures) {
    constexpr std::int64_t max_held_out = 10'000;
    return std::min(max_held_out,
                    static_cast<std::int64_t>(config.validation * static_cast<double>(pictures)));
}

Split split_pictures(const TrainConfig& config, std::int64_t pictures) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(pictures));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    base::shuffle(rows, base::Random(config.seed, base::RandomStream::validation));
    const auto first_of_train = rows.begin() + static_cast<std::ptrdiff_t>(held_out(config, pictures));
    Split split{{first_of_train, rows.end()}, {rows.begin(), first_of_train}};
    // In file order, so that a mapped store is read forwards.
    std::sort(split.train.begin(), split.train.end());
    std::sort(split.held_out.begin(), split.held_out.end());
    return split;
}

}  // namespace stackae
