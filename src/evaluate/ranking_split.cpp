#include "evaluate/ranking_split.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <span>
#include <utility>

#include "stackae/error.hpp"

#include "base/random.hpp"
#include "base/rows.hpp"

namespace stackae {
namespace {

using base::at;
using base::Random;
using base::RandomStream;
using evaluation::ItemSelection;

constexpr std::int64_t min_items = 5;     // of a user who may be held out
constexpr std::int64_t held_share = 10;   // of how many of these one is for testing
constexpr std::int64_t target_share = 5;  // of how many of its items one is a target

/// Adds held users one after another: their entries, then themselves.
class HeldUsersBuilder {
public:
    explicit HeldUsersBuilder(std::vector<std::string> items) { held_.known.items = std::move(items); }

    void add_known(std::int32_t item, float value) {
        held_.known.columns.push_back(item);
        held_.known.values.push_back(value);
    }
    void add_target(std::int32_t item) { targets_.push_back(item); }
    /// Leaves the user out again where it has no target or nothing is known. dropped: its other entries.
    void end_user(const std::string& id, std::int64_t dropped) {
        Interactions& known = held_.known;
        if (targets_.empty() || known.entry_count() == known.offsets.back()) {
            ++held_.left_out_users;
            known.columns.resize(at(known.offsets.back()));
            known.values.resize(at(known.offsets.back()));
            targets_.clear();
            return;
        }
        known.users.push_back(id);
        known.offsets.push_back(known.entry_count());
        std::sort(targets_.begin(), targets_.end());
        held_.targets.push_back(std::exchange(targets_, {}));
        held_.left_out_entries += dropped;
    }
    [[nodiscard]] HeldUsers finish() { return std::move(held_); }

private:
    HeldUsers held_;
    std::vector<std::int32_t> targets_;
};

/// Users drawn at random, each part in the table's order.
struct UserParts {
    std::vector<std::int64_t> train;
    std::vector<std::int64_t> validation;
    std::vector<std::int64_t> test;
};

UserParts draw_users(const Interactions& table, std::uint64_t seed, int split) {
    std::vector<std::int64_t> users;
    for (std::int64_t user = 0; user < table.user_count(); ++user) {
        if (std::ssize(table.items_of(user)) >= min_items) {
            users.push_back(user);
        }
    }
    const std::int64_t enough = std::ssize(users);
    const std::int64_t each = std::max<std::int64_t>(1, (enough + held_share / 2) / held_share);
    if (enough < 2 * each || table.user_count() <= 2 * each) {
        throw InvalidArgument(fmt::format(
            "split of users: {} users found, {} of them with {} items or more; at least 3 expected, 2 "
            "of them with as many items, one to choose settings by and one to test on",
            table.user_count(), enough, min_items));
    }
    base::shuffle(users, Random(seed, RandomStream::held_users, static_cast<std::uint32_t>(split)));
    enum Part : std::uint8_t { train, validation, test };
    std::vector<Part> part_of(at(table.user_count()), train);
    for (std::int64_t i = 0; i < 2 * each; ++i) {
        part_of[at(users[at(i)])] = i < each ? test : validation;
    }
    UserParts parts;
    for (std::int64_t user = 0; user < table.user_count(); ++user) {
        const Part part = part_of[at(user)];
        (part == train ? parts.train : part == test ? parts.test : parts.validation).push_back(user);
    }
    return parts;
}

/// Of n places those of targets are true.
std::vector<bool> draw_targets(std::size_t n, const Random& random) {
    std::vector<std::size_t> places(n);
    std::iota(places.begin(), places.end(), std::size_t{0});
    base::shuffle(places, random);
    places.resize(std::max<std::size_t>(1, n / target_share));
    std::vector<bool> is_target(n);
    for (const std::size_t place : places) {
        is_target[place] = true;
    }
    return is_target;
}

HeldUsers hold(const Interactions& table, const std::vector<std::int64_t>& users,
               const ItemSelection& selection, std::uint64_t seed, int split) {
    HeldUsersBuilder held(selection.items);
    for (const std::int64_t user : users) {
        const auto items = table.items_of(user);
        const auto is_target = draw_targets(
            items.size(), Random(seed, RandomStream::held_items, static_cast<std::uint32_t>(split),
                                 static_cast<std::uint32_t>(user)));
        std::int64_t dropped = 0;
        for (std::size_t i = 0; i < items.size(); ++i) {
            const std::int32_t item = selection.number[at(items[i])];
            if (item < 0) {
                ++dropped;
            } else if (is_target[i]) {
                held.add_target(item);
            } else {
                held.add_known(item, table.values_of(user)[i]);
            }
        }
        held.end_user(table.users[at(user)], dropped);
    }
    return held.finish();
}

}  // namespace

RankingSplit split_users(const Interactions& table, std::uint64_t seed, int split) {
    const UserParts users = draw_users(table, seed, split);
    const ItemSelection selection = evaluation::items_of_users(table, users.train);
    return {evaluation::keep(table, users.train, selection),
            hold(table, users.validation, selection, seed, split),
            hold(table, users.test, selection, seed, split)};
}

HeldUsers held_by_file(const Interactions& train, const Interactions& test) {
    const std::vector<std::int32_t> item_of = numbers_among(train.items, test.items);
    const std::vector<std::int32_t> row_of = numbers_among(test.users, train.users);
    HeldUsersBuilder held(train.items);
    for (std::int64_t user = 0; user < train.user_count(); ++user) {
        const std::int32_t row = row_of[at(user)];
        if (row < 0) {
            continue;
        }
        const auto known = train.items_of(user);
        for (std::size_t i = 0; i < known.size(); ++i) {
            held.add_known(known[i], train.values_of(user)[i]);
        }
        std::int64_t dropped = 0;
        for (const std::int32_t wanted : test.items_of(row)) {
            const std::int32_t item = item_of[at(wanted)];
            if (item < 0 || std::binary_search(known.begin(), known.end(), item)) {
                ++dropped;
            } else {
                held.add_target(item);
            }
        }
        held.end_user(train.users[at(user)], dropped);
    }
    HeldUsers users = held.finish();
    users.left_out_users = test.user_count() - users.known.user_count();
    return users;
}

HeldUsers hold_unseen(const Interactions& train, const Interactions& table, std::uint64_t seed) {
    // Items that are not learnt come last, so that the others rise in every row.
    ItemSelection selection{train.items, std::vector<std::int32_t>(at(train.item_count()))};
    std::iota(selection.number.begin(), selection.number.end(), 0);
    std::vector<std::string> items = train.items;
    const std::vector<std::int32_t> known_items = numbers_among(train.items, table.items);
    for (std::size_t item = 0; item < known_items.size(); ++item) {
        if (known_items[item] < 0) {
            items.push_back(table.items[item]);
            selection.number.push_back(-1);
        }
    }
    const std::vector<std::int32_t> known_users = numbers_among(train.users, table.users);
    std::vector<std::int64_t> users;
    std::int64_t few = 0;
    for (std::int64_t user = 0; user < table.user_count(); ++user) {
        const bool enough = std::ssize(table.items_of(user)) >= min_items;
        if (known_users[at(user)] < 0 && enough) {
            users.push_back(user);
        }
        few += known_users[at(user)] < 0 && !enough ? 1 : 0;
    }
    HeldUsers held = hold(with_items(table, items), users, selection, seed, 0);
    held.left_out_users += few;
    return held;
}

HeldUsers evaluation::keep(const HeldUsers& users, const ItemSelection& selection) {
    HeldUsersBuilder kept(selection.items);
    for (std::int64_t user = 0; user < users.known.user_count(); ++user) {
        const auto items = users.known.items_of(user);
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (selection.number[at(items[i])] >= 0) {
                kept.add_known(selection.number[at(items[i])], users.known.values_of(user)[i]);
            }
        }
        for (const std::int32_t target : users.targets[at(user)]) {
            if (selection.number[at(target)] >= 0) {
                kept.add_target(selection.number[at(target)]);
            }
        }
        kept.end_user(users.known.users[at(user)], 0);
    }
    return kept.finish();
}

}  // namespace stackae
