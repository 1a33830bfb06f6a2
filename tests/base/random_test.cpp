#include "base/random.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "support/catch.hpp"

namespace stackae::base {

TEST_CASE("Random numbers are Philox4x32-10's") {
    // The known answers that come with Random123 (kat_vectors).
    const Random zero(0, RandomStream{0});
    CHECK(zero.block(0) == Random::Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    const Random ones(0xffffffffffffffff, RandomStream{0xffffffff}, 0xffffffff, 0xffffffff);
    CHECK(ones.block(0xffffffff) == Random::Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    const Random pi(0x299f31d0'a4093822, RandomStream{0x03707344}, 0x13198a2e, 0x85a308d3);
    CHECK(pi.block(0x243f6a88) == Random::Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("Seed, stream, place and index each change the numbers") {
    std::set<Random::Block> blocks;
    for (const std::uint64_t seed : {std::uint64_t{1}, std::uint64_t{1} << 32U}) {
        for (const RandomStream stream : {RandomStream::weights, RandomStream::shuffle}) {
            for (const std::uint32_t a : {0U, 1U}) {
                for (const std::uint32_t b : {0U, 1U}) {
                    for (const std::uint32_t index : {0U, 1U}) {
                        blocks.insert(Random(seed, stream, a, b).block(index));
                    }
                }
            }
        }
    }
    CHECK(blocks.size() == 32);
}

TEST_CASE("Uniform numbers fill the range from 0 to 1 and never reach 1") {
    CHECK(Random::uniform(0) == 0.0F);
    CHECK(Random::uniform(0xffffffff) < 1.0F);
    CHECK(Random::uniform(0x80000000) == 0.5F);
}

TEST_CASE("Normal numbers have mean 0, deviation 1, and are always finite") {
    const Random random(7, RandomStream::corruption);
    double sum = 0.0;
    double squares = 0.0;
    constexpr std::uint32_t n = 50000;
    for (std::uint32_t i = 0; i < n; ++i) {
        const auto block = random.block(i);
        for (const float value : Random::normal(block[0], block[1])) {
            sum += value;
            squares += double{value} * double{value};
        }
    }
    CHECK(sum / (2.0 * n) == Approx(0.0).margin(0.02));
    CHECK(squares / (2.0 * n) == Approx(1.0).margin(0.02));
    for (const std::uint32_t bits : {0U, 0xffffffffU}) {
        CHECK(std::isfinite(Random::normal(bits, bits)[0]));
    }
}

TEST_CASE("Bounded numbers stay below the bound and reach all values") {
    const Random random(3, RandomStream::splits);
    std::set<std::uint64_t> seen;
    for (std::uint32_t i = 0; i < 200; ++i) {
        seen.insert(random.below(i, 5));
        CHECK(random.below(i, 1) == 0);
    }
    CHECK(seen == std::set<std::uint64_t>{0, 1, 2, 3, 4});
}

TEST_CASE("A shuffle keeps all values, and the same seed gives the same order") {
    std::vector<int> values(1000);
    std::iota(values.begin(), values.end(), 0);
    std::vector<int> first = values;
    std::vector<int> second = values;
    std::vector<int> other = values;
    shuffle(first, Random(1, RandomStream::shuffle));
    shuffle(second, Random(1, RandomStream::shuffle));
    shuffle(other, Random(2, RandomStream::shuffle));
    CHECK(first == second);
    CHECK(first != other);
    int at_home = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        at_home += first[i] == values[i] ? 1 : 0;
    }
    CHECK(at_home < 10);  // one is expected
    std::sort(first.begin(), first.end());
    CHECK(first == values);
}

}  // namespace stackae::base
