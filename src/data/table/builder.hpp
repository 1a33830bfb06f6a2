#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stackae/interactions_file.hpp"

#include "data/table/id_table.hpp"

namespace stackae::data {

/// Makes Interactions of entries that come in any order.
///
/// Entries of one user that come one after the other are a run: sorted and merged when it ends. A table by
/// users is thereby in its final form at once; of any other, runs are merged whenever the entries are twice
/// those after the last time, so that memory is proportional to what is merged, not to what came.
class InteractionsBuilder {
public:
    static constexpr std::int64_t most_ids_of_a_kind = std::numeric_limits<std::int32_t>::max();

    /// path: what errors call the table.
    InteractionsBuilder(std::string path, ValueMode value, std::int64_t most_ids = most_ids_of_a_kind)
        : path_(std::move(path)), value_(value), most_ids_(most_ids) {}

    /// The number of a user or item, which is added where it is not there. Throws InvalidArgument above
    /// most_ids.
    std::int32_t user(std::string_view id) { return number(users_, id, "users"); }
    std::int32_t item(std::string_view id) { return number(items_, id, "items"); }
    /// value: finite and above 0.
    void add(std::int32_t user, std::int32_t item, double value);
    /// What came; afterwards there is nothing in it.
    [[nodiscard]] Interactions finish();
    /// Entries that were merged into others, after finish().
    [[nodiscard]] std::int64_t repeats() const { return repeats_; }

private:
    struct Run {
        std::int32_t user;
        std::int64_t begin;
    };

    std::int32_t number(IdTable& ids, std::string_view id, const char* what) const;
    [[nodiscard]] std::int64_t size() const { return std::ssize(columns_); }
    [[nodiscard]] bool has_sums() const { return value_ != ValueMode::binary; }
    void resize(std::int64_t size);
    /// Where a run that begins in `runs_` at an index ends.
    [[nodiscard]] std::int64_t end_of(std::size_t run) const;
    /// Sorts and merges the last run, which nothing is added to any more.
    void end_run();
    /// Sorts and merges the entries from `begin` to `end` and moves them to `to`, which is not behind
    /// `begin`. Returns where they end.
    std::int64_t merge(std::int64_t begin, std::int64_t end, std::int64_t to);
    /// Merges runs until each user has at most one, in the order of users.
    void regroup();
    /// Puts entries in the order of users; returns where each user's begin, size users + 1.
    [[nodiscard]] std::vector<std::int64_t> sort_by_user();
    [[nodiscard]] std::vector<float> values() const;

    std::string path_;
    ValueMode value_;
    std::int64_t most_ids_;
    IdTable users_;
    IdTable items_;
    std::vector<Run> runs_;
    std::vector<std::int32_t> columns_;
    std::vector<double> sums_;  ///< none where values are binary
    std::vector<std::pair<std::int32_t, double>> scratch_;
    std::int64_t regrouped_ = 0;  ///< entries after regroup()
    std::int64_t repeats_ = 0;
};

}  // namespace stackae::data
