#include "model/split.hpp"

#include <algorithm>
#include <numeric>

#include "base/random.hpp"
#include "model/groups.hpp"

namespace stackae {

std::int64_t held_out(const TrainConfig& config, std::int64_t pictures) {
    constexpr std::int64_t max_held_out = 10'000;
    return std::min(max_held_out,
                    static_cast<std::int64_t>(config.validation * static_cast<double>(pictures)));
}

namespace {

Split split_groups(const TrainConfig& config, std::span<const std::int64_t> groups) {
    std::vector<std::vector<std::int64_t>> by_group = rows_by_group(groups);
    base::shuffle(by_group, base::Random(config.seed, base::RandomStream::validation));
    const auto wanted = static_cast<std::size_t>(held_out(config, std::ssize(groups)));
    const auto smallest = std::min_element(by_group.begin(), by_group.end(),
                                           [](const auto& a, const auto& b) { return a.size() < b.size(); });
    const std::size_t most =
        smallest->size() <= groups.size() / 2 && wanted > 0 ? std::max(wanted, smallest->size()) : wanted;
    Split split;
    for (const std::vector<std::int64_t>& rows : by_group) {
        auto& part = split.held_out.size() + rows.size() <= most ? split.held_out : split.train;
        part.insert(part.end(), rows.begin(), rows.end());
    }
    std::sort(split.train.begin(), split.train.end());
    std::sort(split.held_out.begin(), split.held_out.end());
    return split;
}

}  // namespace

Split split_pictures(const TrainConfig& config, std::int64_t pictures, std::span<const std::int64_t> groups) {
    if (!groups.empty()) {
        return split_groups(config, groups);
    }
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
