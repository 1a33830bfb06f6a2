// Prints a large table of users and items, `user item item …` a line, to measure with.
//
//   make_table USERS ITEMS BOUGHT [SEED]
//
// Items are as popular as Zipf's law has it. There are groups of items, and groups of users who take most of
// what they take among the items of two groups of theirs. The same numbers give the same table.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fmt/format.h>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace {

using stackae::base::Random;

constexpr std::int64_t groups = 50;
constexpr float of_own_groups = 0.8F;
constexpr std::size_t write_bytes = std::size_t{1} << 20U;

/// One user's random numbers, one after the other.
class Draws {
public:
    Draws(std::uint64_t seed, std::int64_t user)
        : random_(seed, stackae::base::RandomStream::plan, 0, static_cast<std::uint32_t>(user)) {}

    float share() { return Random::uniform(random_.block(next_++)[0]); }
    std::int64_t below(std::int64_t bound) {
        return static_cast<std::int64_t>(random_.below(next_++, static_cast<std::uint64_t>(bound)));
    }
    /// In [0, n); r with a probability that falls as 1 / (r + 1), about.
    std::int64_t rank(std::int64_t n) {
        const double r = std::pow(static_cast<double>(n) + 1.0, static_cast<double>(share())) - 1.0;
        return std::min(n - 1, static_cast<std::int64_t>(r));
    }

private:
    Random random_;
    std::uint32_t next_ = 0;
};

/// Items by popularity are dealt out to the groups in turn.
std::int64_t draw_item(Draws& draws, const std::vector<std::int64_t>& own, std::int64_t items) {
    if (draws.share() >= of_own_groups || items < groups) {
        return draws.rank(items);
    }
    const std::int64_t group = own[static_cast<std::size_t>(draws.below(std::ssize(own)))];
    return draws.rank((items - group + groups - 1) / groups) * groups + group;
}

void append_user(std::string& text, std::uint64_t seed, std::int64_t user, std::int64_t items,
                 std::int64_t bought) {
    Draws draws(seed, user);
    const std::vector<std::int64_t> own{draws.below(groups), draws.below(groups)};
    std::vector<std::int64_t> taken;
    while (std::ssize(taken) < bought) {
        for (std::int64_t missing = bought - std::ssize(taken); missing > 0; --missing) {
            taken.push_back(draw_item(draws, own, items));
        }
        std::sort(taken.begin(), taken.end());
        taken.erase(std::unique(taken.begin(), taken.end()), taken.end());
    }
    fmt::format_to(std::back_inserter(text), "{}", user);
    for (const std::int64_t item : taken) {
        fmt::format_to(std::back_inserter(text), " {}", item);
    }
    text += '\n';
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        fmt::print(stderr, "Usage: make_table USERS ITEMS BOUGHT [SEED]\n");
        return 2;
    }
    const std::int64_t users = std::stoll(argv[1]);
    const std::int64_t items = std::stoll(argv[2]);
    const std::int64_t bought = std::min<std::int64_t>(std::stoll(argv[3]), items / 2);
    const std::uint64_t seed = argc > 4 ? std::stoull(argv[4]) : 0;
    std::string text;
    for (std::int64_t user = 0; user < users; ++user) {
        append_user(text, seed, user, items, bought);
        if (text.size() >= write_bytes || user + 1 == users) {
            if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
                fmt::print(stderr, "make_table: cannot write\n");
                return 1;
            }
            text.clear();
        }
    }
    return 0;
}
