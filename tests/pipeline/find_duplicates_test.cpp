#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "stackae/duplicates.hpp"
#include "stackae/error.hpp"

#include "support/catch.hpp"
#include "support/scenes.hpp"
#include "support/temporary_folder.hpp"

namespace stackae {
namespace {

using namespace test;
namespace fs = std::filesystem;

/// Raw PGM: another file of the pixels that a PNG holds.
void write_pgm(const std::string& path, const Tensor& picture) {
    std::ofstream file(path, std::ios::binary);
    file << "P5 " << picture.shape()[1] << ' ' << picture.shape()[0] << " 255\n";
    for (const float value : picture.values()) {
        file.put(static_cast<char>(std::lround(value * 255.0F)));
    }
}

/// 20 different pictures.
void draw_others(const std::string& folder) {
    fs::create_directories(folder);
    for (int i = 0; i < 20; ++i) {
        write_png(folder + "/other" + std::to_string(100 + i) + ".png",
                  Scene(static_cast<std::uint64_t>(100 + i)).draw(64, 64));
    }
}

DuplicateReport find(const std::vector<std::string>& inputs, DuplicateOptions options = {},
                     const Inputs* reference = nullptr) {
    options.planted_pictures = 6;
    InputObserver nobody;
    Manifest manifest(nobody);
    DuplicateReport report = find_duplicates(Inputs(inputs), reference, options, manifest);
    CHECK(manifest.rows() >= report.pictures);
    return report;
}

/// File names without folders and the kinds that they have, of the only group.
std::map<std::string, CopyKind> only_group(const DuplicateReport& report) {
    REQUIRE(report.groups.size() == 1);
    std::map<std::string, CopyKind> kinds;
    for (const Duplicate& member : report.groups.front()) {
        kinds[fs::path(member.entry.path).filename().string()] = member.kind;
        CHECK(member.keep == (member.kind == CopyKind::kept));
    }
    return kinds;
}

}  // namespace

TEST_CASE("Copies are found and told apart by kind") {
    const TemporaryFolder folder;
    draw_others(folder / "all");
    const Scene scene(1);
    const Tensor picture = scene.draw(90, 90);
    write_png(folder / "all/a.png", picture);
    fs::copy_file(folder / "all/a.png", folder / "all/b.png");
    write_pgm(folder / "all/c.pgm", picture);
    write_png(folder / "all/d.png", scene.draw(45, 45));
    write_png(folder / "all/e.png",
              scene.draw(90, 90, [](double x, double y) { return std::pair(1.0 - x, y); }));
    write_png(folder / "all/f.png",
              scene.draw(72, 72, [](double x, double y) { return std::pair(0.1 + 0.8 * x, 0.2 + 0.8 * y); }));
    write_png(folder / "all/g.png", scene.draw(100, 100, [](double x, double y) {
        const double u = (x - 0.5) * 1.2 + 0.5;
        const double v = (y - 0.5) * 1.2 + 0.5;
        const bool framed = std::min({u, v, 1.0 - u, 1.0 - v}) < 0.0;
        return framed ? std::pair(-9.0, -9.0) : std::pair(u, v);
    }));
    const DuplicateReport report = find({folder / "all"}, {.keep = KeepRule::first, .threads = 2});
    CHECK(report.pictures == 27);
    CHECK(only_group(report) == std::map<std::string, CopyKind>{{"a.png", CopyKind::kept},
                                                                {"b.png", CopyKind::exact},
                                                                {"c.pgm", CopyKind::same},
                                                                {"d.png", CopyKind::near},
                                                                {"e.png", CopyKind::transformed},
                                                                {"f.png", CopyKind::transformed},
                                                                {"g.png", CopyKind::near}});
    for (const Duplicate& member : report.groups.front()) {
        CHECK(member.distance <=
              (member.kind == CopyKind::transformed ? report.transformed_threshold : report.near_threshold));
        CHECK((member.distance == 0.0) ==
              (member.kind != CopyKind::near && member.kind != CopyKind::transformed));
    }
    CHECK(report.false_pairs <= 1e-6);
    REQUIRE(report.planted.size() == 11);
    for (const PlantedCopies& copies : report.planted) {
        CAPTURE(copies.kind);
        CHECK(copies.planted == 6);
        CHECK(copies.found >= 5);
    }
    // The order of what was found says nothing of who found it.
    const DuplicateReport again = find({folder / "all"}, {.keep = KeepRule::first, .threads = 1});
    CHECK(to_json(again).text() == to_json(report).text());
}

TEST_CASE("Which copy is kept is asked for") {
    const TemporaryFolder folder;
    draw_others(folder / "all");
    const Scene scene(1);
    write_png(folder / "all/a.png", scene.draw(60, 60));
    write_png(folder / "all/b.png", scene.draw(120, 120));
    write_png(folder / "all/c.png", scene.draw(70, 70));
    const auto now = fs::last_write_time(folder / "all/a.png");
    fs::last_write_time(folder / "all/c.png", now - std::chrono::hours(1));
    const auto [rule, kept] =
        GENERATE(std::pair(KeepRule::first, "a.png"), std::pair(KeepRule::largest, "b.png"),
                 std::pair(KeepRule::oldest, "c.png"));
    const auto kinds = only_group(find({folder / "all"}, {.keep = rule}));
    CHECK(kinds.size() == 3);
    CHECK(kinds.at(kept) == CopyKind::kept);
}

TEST_CASE("Of a reference only copies among other pictures are told") {
    const TemporaryFolder folder;
    draw_others(folder / "old");
    fs::create_directories(folder / "new");
    const Scene scene(1);
    write_png(folder / "old/a.png", scene.draw(60, 60));
    write_png(folder / "new/b.png", scene.draw(90, 90));
    write_png(folder / "new/c.png", Scene(2).draw(90, 90));
    fs::copy_file(folder / "new/c.png", folder / "new/d.png");
    fs::copy_file(folder / "old/other100.png", folder / "old/twice.png");
    const Inputs reference({folder / "old"});
    const DuplicateReport report = find({folder / "new"}, {}, &reference);
    CHECK(only_group(report) ==
          std::map<std::string, CopyKind>{{"a.png", CopyKind::kept}, {"b.png", CopyKind::near}});
    CHECK(report.groups.front().front().reference);
    CHECK_FALSE(report.groups.front().back().reference);
}

TEST_CASE("Pictures of one colour are copies only where all of them is the same") {
    const TemporaryFolder folder;
    const auto plain = [&](const std::string& name, std::int64_t side, float gray) {
        Tensor picture({side, side, 1});
        std::fill(picture.values().begin(), picture.values().end(), gray);
        write_png(folder / name, picture);
    };
    plain("a.png", 20, 0.5F);
    plain("b.png", 30, 0.5F);
    plain("c.png", 20, 0.8F);
    write_pgm(folder / "d.pgm", [] {
        Tensor picture({20, 20, 1});
        std::fill(picture.values().begin(), picture.values().end(), 128.0F / 255.0F);
        return picture;
    }());
    const DuplicateReport report = find({folder.path()}, {.keep = KeepRule::first});
    CHECK(only_group(report) ==
          std::map<std::string, CopyKind>{{"a.png", CopyKind::kept}, {"d.pgm", CopyKind::same}});
}

TEST_CASE("A file that is given twice is no copy of itself") {
    const TemporaryFolder folder;
    fs::create_directories(folder / "in");
    write_png(folder / "in/a.png", Scene(1).draw(20, 20));
    fs::create_symlink(folder / "in/a.png", folder / "link.png");
    InputObserver nobody;
    Manifest manifest(nobody);
    const Inputs inputs({folder.path(), folder / "in", folder / "in/a.png"});
    const DuplicateReport report = find_duplicates(inputs, nullptr, {}, manifest);
    CHECK(report.pictures == 1);
    CHECK(report.groups.empty());
    CHECK(manifest.rows() == 4);
}

TEST_CASE("Of a picture and a part of it the whole is kept, however many pixels the part has") {
    const TemporaryFolder folder;
    draw_others(folder / "all");
    const Scene scene(1);
    write_png(folder / "all/a.png", scene.draw(300, 300, [](double x, double y) {
        return std::pair(0.1 + 0.8 * x, 0.1 + 0.8 * y);
    }));
    write_png(folder / "all/b.png", scene.draw(90, 90));
    CHECK(only_group(find({folder / "all"})) ==
          std::map<std::string, CopyKind>{{"a.png", CopyKind::transformed}, {"b.png", CopyKind::kept}});
}

TEST_CASE("A folder and its backup do not hide what else is alike in them") {
    const TemporaryFolder folder;
    draw_others(folder / "all/one");
    write_png(folder / "all/one/a.png", Scene(1).draw(90, 90));
    write_png(folder / "all/one/b.png", Scene(1).draw(60, 60));
    fs::copy(folder / "all/one", folder / "all/two");
    const DuplicateReport report = find({folder / "all"});
    CHECK(report.groups.size() == 21);
    for (const auto& group : report.groups) {
        const bool both = fs::path(group.front().entry.path).filename() == "a.png";
        CHECK(group.size() == (both ? 4 : 2));
    }
}

TEST_CASE("A reference that lies among the pictures is kept") {
    const TemporaryFolder folder;
    draw_others(folder / "all/ref");
    fs::create_directories(folder / "all/new");
    fs::copy_file(folder / "all/ref/other100.png", folder / "all/new/a.png");
    write_png(folder / "all/new/b.png", Scene(101).draw(200, 200));
    const Inputs reference({folder / "all/ref"});
    const DuplicateReport report = find({folder / "all"}, {}, &reference);
    REQUIRE(report.groups.size() == 2);
    for (const auto& group : report.groups) {
        REQUIRE(group.size() == 2);
        CHECK(group.front().reference);
        CHECK(group.front().keep);
        CHECK_FALSE(group.back().keep);
    }
}

TEST_CASE("Pictures that all have several copies already do not hide them") {
    const TemporaryFolder folder;
    constexpr int pictures = 24;
    for (int i = 0; i < pictures; ++i) {
        const Scene scene(static_cast<std::uint64_t>(200 + i));
        const auto draw = [&](const char* kind, const auto& map) {
            write_png(folder / (std::to_string(100 + i) + kind + ".png"), scene.draw(64, 64, map));
        };
        draw("a", [](double x, double y) { return std::pair(x, y); });
        draw("b", [](double x, double y) { return std::pair(1.0 - x, y); });
        draw("c", [](double x, double y) { return std::pair(x, 1.0 - y); });
        draw("d", [](double x, double y) { return std::pair(1.0 - y, x); });
        draw("e", [](double x, double y) { return std::pair(0.1 + 0.85 * x, 0.05 + 0.85 * y); });
    }
    DuplicateOptions options{.threads = 2};
    options.planted_pictures = 24;
    InputObserver nobody;
    Manifest manifest(nobody);
    const DuplicateReport report = find_duplicates(Inputs({folder.path()}), nullptr, options, manifest);
    CHECK(report.groups.size() == pictures);
    for (const auto& group : report.groups) {
        CHECK(group.size() == 5);
        for (const Duplicate& member : group) {
            const auto original = [](const Duplicate& of) {
                return fs::path(of.entry.path).filename().string().substr(0, 3);
            };
            CHECK(original(member) == original(group.front()));
        }
    }
}

TEST_CASE("What was found is kept for as long as nothing changes") {
    const TemporaryFolder folder;
    draw_others(folder / "all");
    fs::copy_file(folder / "all/other100.png", folder / "all/a.png");
    std::ofstream(folder / "all/broken.png") << "nothing";
    std::ofstream(folder / "all/z.png") << "nothing";  // the last one of all
    DuplicateOptions options{.mirror = false, .rotate90 = false, .cache = folder / "found.cache"};
    options.planted_pictures = 6;
    const auto find_all = [&](const DuplicateOptions& with, const std::string& manifest_name) {
        InputObserver nobody;
        Manifest manifest(nobody, folder / manifest_name);
        DuplicateReport report = find_duplicates(Inputs({folder / "all"}), nullptr, with, manifest);
        manifest.finish();
        return report;
    };
    const DuplicateReport first = find_all(options, "first.csv");
    CHECK_FALSE(first.cached);
    CHECK(only_group(first).at("a.png") != only_group(first).at("other100.png"));
    const DuplicateReport second = find_all(options, "second.csv");
    CHECK(second.cached);
    CHECK(to_json(second).text() == to_json(first).text());
    CHECK(read_text(folder / "first.csv") == read_text(folder / "second.csv"));
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(second.groups[0][i].index == first.groups[0][i].index);
        CHECK(Inputs({folder / "all"}).entry(first.groups[0][i].index).path == first.groups[0][i].entry.path);
    }

    SECTION("another option") {
        options.keep = KeepRule::first;
        CHECK_FALSE(find_all(options, "third.csv").cached);
        CHECK(find_all(options, "third.csv").cached);
    }
    SECTION("a picture that is no more") {
        fs::remove(folder / "all/a.png");
        const DuplicateReport third = find_all(options, "third.csv");
        CHECK_FALSE(third.cached);
        CHECK(third.groups.empty());
    }
    SECTION("a picture that was written anew") {
        fs::last_write_time(folder / "all/other100.png",
                            fs::file_time_type::clock::now() - std::chrono::hours(5));
        CHECK_FALSE(find_all(options, "third.csv").cached);
    }
    SECTION("a cache that was spoilt") {
        std::ofstream(options.cache, std::ios::in | std::ios::out).seekp(60) << "####";
        const DuplicateReport third = find_all(options, "third.csv");
        CHECK_FALSE(third.cached);
        CHECK(to_json(third).text() == to_json(first).text());
    }
}

TEST_CASE("A cache that cannot be written loses nothing, and says so") {
    const TemporaryFolder folder;
    draw_others(folder / "all");
    fs::copy_file(folder / "all/other100.png", folder / "all/a.png");
    const DuplicateReport report =
        find({folder / "all"}, {.mirror = false, .rotate90 = false, .cache = folder / "nowhere/found.cache"});
    CHECK(report.groups.size() == 1);
    CHECK_THAT(report.cache_error, test::contains("nowhere"));
    CHECK(find({folder / "all"}, {.mirror = false, .rotate90 = false}).cache_error.empty());
}

TEST_CASE("A folder of links shows the groups") {
    const TemporaryFolder folder;
    draw_others(folder / "all");
    fs::copy_file(folder / "all/other100.png", folder / "all/a.png");
    const DuplicateReport report =
        find({folder / "all"}, {.mirror = false, .rotate90 = false, .keep = KeepRule::first});
    link_groups(report, folder / "links");
    CHECK(fs::read_symlink(folder / "links/1/0-kept-a.png") == fs::absolute(folder / "all/a.png"));
    CHECK(fs::equivalent(folder / "links/1/1-exact-other100.png", folder / "all/other100.png"));
    CHECK_THROWS_WITH(link_groups(report, folder / "links"), test::contains("an empty one expected"));
    CHECK_THROWS_WITH(link_groups(report, folder / "all/a.png"), test::contains("an empty one expected"));
    // Of a long name the end is kept.
    DuplicateReport named = report;
    named.groups[0][1].entry.path = folder / (std::string(250, 'x') + ".png");
    link_groups(named, folder / "long");
    CHECK(fs::is_symlink(folder / ("long/1/1-exact-" + std::string(196, 'x') + ".png")));
    link_groups({}, folder / "none");
    CHECK(fs::is_empty(folder / "none"));
}

TEST_CASE("One picture has no copies, and bad options are refused") {
    const TemporaryFolder folder;
    write_png(folder / "a.png", Scene(1).draw(20, 20));
    const DuplicateReport report = find({folder.path()});
    CHECK(report.groups.empty());
    CHECK(report.near_threshold == Approx(0.2));
    CHECK(std::isnan(report.false_pairs));
    CHECK_THROWS_WITH(find({folder.path()}, {.false_pairs = 0.0}), contains("above 0 and below 1"));
    CHECK_THROWS_WITH(find({folder.path()}, {.threshold = 2.0}), contains("0 to 1 expected"));
    CHECK_THROWS_WITH(find({folder.path()}, {.memory = 100}), contains("100 bytes allowed"));
}

}  // namespace stackae
