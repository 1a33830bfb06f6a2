#include "data/table/builder.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

namespace stackae::data {
namespace {

/// Entries below which runs are not merged before the end.
constexpr std::int64_t regroup_from = 1 << 20;

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

}  // namespace

std::int32_t InteractionsBuilder::number(IdTable& ids, std::string_view id, const char* what) const {
    const std::int32_t found = ids.find(id);
    if (found >= 0) {
        return found;
    }
    if (ids.size() >= most_ids_) {
        throw InvalidArgument(fmt::format("{}: more than {} {} found, at most that expected", path_,
                                          format_count(most_ids_), what));
    }
    return ids.add(id);
}

void InteractionsBuilder::resize(std::int64_t size) {
    columns_.resize(index(size));
    sums_.resize(has_sums() ? index(size) : 0);
}

std::int64_t InteractionsBuilder::end_of(std::size_t run) const {
    return run + 1 < runs_.size() ? runs_[run + 1].begin : size();
}

void InteractionsBuilder::add(std::int32_t user, std::int32_t item, double value) {
    if (runs_.empty() || runs_.back().user != user) {
        end_run();
        runs_.push_back({user, size()});
    }
    columns_.push_back(item);
    if (has_sums()) {
        sums_.push_back(value);
    }
    if (size() >= std::max(regroup_from, 2 * regrouped_)) {
        regroup();
    }
}

void InteractionsBuilder::end_run() {
    if (!runs_.empty()) {
        resize(merge(runs_.back().begin, size(), runs_.back().begin));
    }
}

std::int64_t InteractionsBuilder::merge(std::int64_t begin, std::int64_t end, std::int64_t to) {
    const auto first = columns_.begin() + begin;
    const auto last = columns_.begin() + end;
    const bool rises = std::adjacent_find(first, last, std::greater_equal<>{}) == last;
    if (rises || !has_sums()) {
        if (!rises) {
            std::sort(first, last);
        }
        if (has_sums() && to < begin) {
            std::copy(sums_.begin() + begin, sums_.begin() + end, sums_.begin() + to);
        }
        const std::int64_t stop = std::unique_copy(first, last, columns_.begin() + to) - columns_.begin();
        repeats_ += (end - begin) - (stop - to);
        return stop;
    }
    scratch_.clear();
    for (std::int64_t i = begin; i < end; ++i) {
        scratch_.emplace_back(columns_[index(i)], sums_[index(i)]);
    }
    // Stable, so that sums do not depend on how the library sorts.
    std::stable_sort(scratch_.begin(), scratch_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    const std::int64_t start = to;
    for (const auto& [column, sum] : scratch_) {
        if (to > start && columns_[index(to - 1)] == column) {
            sums_[index(to - 1)] += sum;
            ++repeats_;
        } else {
            columns_[index(to)] = column;
            sums_[index(to++)] = sum;
        }
    }
    return to;
}

std::vector<std::int64_t> InteractionsBuilder::sort_by_user() {
    std::vector<std::int64_t> begins(index(users_.size()) + 1, 0);
    for (std::size_t run = 0; run < runs_.size(); ++run) {
        begins[static_cast<std::size_t>(runs_[run].user) + 1] += end_of(run) - runs_[run].begin;
    }
    for (std::size_t user = 1; user < begins.size(); ++user) {
        begins[user] += begins[user - 1];
    }
    std::vector<std::int64_t> at(begins.begin(), begins.end() - 1);
    const auto gather = [&](auto& entries) {
        std::remove_reference_t<decltype(entries)> sorted(entries.size());
        for (std::size_t run = 0; run < runs_.size(); ++run) {
            std::copy(entries.begin() + runs_[run].begin, entries.begin() + end_of(run),
                      sorted.begin() + at[static_cast<std::size_t>(runs_[run].user)]);
            at[static_cast<std::size_t>(runs_[run].user)] += end_of(run) - runs_[run].begin;
        }
        entries = std::move(sorted);
    };
    gather(columns_);
    std::copy(begins.begin(), begins.end() - 1, at.begin());
    if (has_sums()) {
        gather(sums_);
    }
    return begins;
}

void InteractionsBuilder::regroup() {
    end_run();
    const bool grouped = std::adjacent_find(runs_.begin(), runs_.end(), [](const Run& a, const Run& b) {
                             return a.user >= b.user;
                         }) == runs_.end();
    if (!grouped) {
        const std::vector<std::int64_t> begins = sort_by_user();
        runs_.clear();
        std::int64_t to = 0;
        for (std::size_t user = 0; user + 1 < begins.size(); ++user) {
            if (begins[user] < begins[user + 1]) {
                runs_.push_back({static_cast<std::int32_t>(user), to});
                to = merge(begins[user], begins[user + 1], to);
            }
        }
        resize(to);
    }
    regrouped_ = size();
}

std::vector<float> InteractionsBuilder::values() const {
    std::vector<float> values(columns_.size(), 1.0F);
    for (std::size_t i = 0; i < sums_.size(); ++i) {
        const double value = value_ == ValueMode::log ? std::log1p(sums_[i]) : sums_[i];
        // Above 0 and finite also where it would be rounded to what is neither.
        values[i] = static_cast<float>(std::clamp<double>(value, std::numeric_limits<float>::denorm_min(),
                                                          std::numeric_limits<float>::max()));
    }
    return values;
}

Interactions InteractionsBuilder::finish() {
    regroup();
    Interactions made;
    made.offsets.assign(index(users_.size()) + 1, 0);
    for (std::size_t run = 0; run < runs_.size(); ++run) {
        made.offsets[static_cast<std::size_t>(runs_[run].user) + 1] = end_of(run) - runs_[run].begin;
    }
    for (std::size_t user = 1; user < made.offsets.size(); ++user) {
        made.offsets[user] += made.offsets[user - 1];
    }
    runs_ = {};
    columns_.shrink_to_fit();
    made.values = values();
    made.columns = std::exchange(columns_, {});
    sums_ = {};
    made.users = users_.release();
    made.items = items_.release();
    made.value_mode = value_;
    regrouped_ = 0;
    return made;
}

}  // namespace stackae::data

namespace stackae {

Interactions make_interactions(const std::vector<std::string>& users, const std::vector<std::string>& items,
                               std::span<const Rating> entries, ValueMode value) {
    constexpr const char* table = "entries";
    data::InteractionsBuilder builder(table, value);
    const auto add_ids = [](const char* what, const std::vector<std::string>& ids, const auto& add) {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (static_cast<std::size_t>(add(ids[i])) != i) {
                throw InvalidArgument(fmt::format("{} {}: the same id as one before found", what, i));
            }
        }
    };
    add_ids("user", users, [&](const std::string& id) { return builder.user(id); });
    add_ids("item", items, [&](const std::string& id) { return builder.item(id); });
    const auto check_number = [&](const char* what, std::int64_t number, std::int64_t count) {
        if (number < 0 || number >= count) {
            throw InvalidArgument(
                fmt::format("{}: the {} {} found, one of 0 to {} expected", table, what, number, count - 1));
        }
    };
    for (const Rating& entry : entries) {
        check_number("user", entry.user, std::ssize(users));
        check_number("item", entry.item, std::ssize(items));
        if (!std::isfinite(entry.value)) {
            throw InvalidArgument(
                fmt::format("{}: the value {} found, a finite one expected", table, entry.value));
        }
        if (entry.value > 0.0F) {
            builder.add(static_cast<std::int32_t>(entry.user), static_cast<std::int32_t>(entry.item),
                        double{entry.value});
        }
    }
    Interactions made = builder.finish();
    check(made);
    return made;
}

}  // namespace stackae
