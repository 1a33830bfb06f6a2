#include "pipeline/duplicate_groups.hpp"

#include "support/catch.hpp"

namespace stackae::pipeline {
namespace {

/// Which picture's copies are which.
std::map<std::int64_t, std::vector<std::int64_t>> as_map(const std::vector<CopyGroup>& groups) {
    std::map<std::int64_t, std::vector<std::int64_t>> all;
    for (const CopyGroup& group : groups) {
        all[group.kept] = group.copies;
    }
    return all;
}

/// Of each other a shows so much of b, and b so much of a.
void link(CopyLinks& links, std::int64_t a, std::int64_t b, double of_b, double of_a, double distance = 0.1) {
    links[a][b] = {false, distance, of_b, {}};
    links[b][a] = {false, distance, of_a, {}};
}

bool by_number(std::int64_t a, std::int64_t b) {
    return a < b;
}

using Groups = std::map<std::int64_t, std::vector<std::int64_t>>;

}  // namespace

TEST_CASE("A copy of a copy is in the group only where it is a copy of the one that is kept") {
    CopyLinks links;
    link(links, 0, 1, 0.9, 0.9);
    link(links, 1, 2, 0.9, 0.9);
    link(links, 2, 3, 0.9, 0.9);
    links[7];
    CHECK(as_map(group_copies(links, by_number)) == Groups{{0, {1}}, {2, {3}}, {7, {}}});
}

TEST_CASE("The whole goes before its parts, and what shows something else is no copy") {
    CopyLinks links;
    link(links, 0, 1, 0.6, 1.0);  // 0 is a part of 1
    link(links, 1, 2, 0.5, 1.0);  // 1 is a part of 2
    CHECK(as_map(group_copies(links, by_number)) == Groups{{2, {1}}, {0, {}}});
    link(links, 0, 2, 0.3, 1.0);
    CHECK(as_map(group_copies(links, by_number)) == Groups{{2, {0, 1}}});
    CopyLinks beside;
    link(beside, 0, 1, 0.7, 0.7);
    CHECK(as_map(group_copies(beside, by_number)) == Groups{{0, {}}, {1, {}}});
}

TEST_CASE("Of a reference each copy goes to the nearest picture, and none to others") {
    CopyLinks links;
    link(links, 0, 10, 1.0, 1.0, 0.2);
    link(links, 0, 11, 1.0, 1.0, 0.1);
    link(links, 1, 10, 1.0, 0.5);  // 10 shows half of 1
    link(links, 1, 0, 1.0, 1.0);
    CHECK(as_map(group_by_reference(links, [](std::int64_t row) { return row >= 10; })) ==
          Groups{{10, {}}, {11, {0}}});
}

}  // namespace stackae::pipeline
