#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/image_dataset.hpp"
#include "stackae/preprocessing.hpp"

#include "data/make.hpp"
#include "data/make_zip.hpp"
#include "fuzz/targets.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::fuzz {
namespace {

constexpr std::int64_t max_rows = 16;  // of one input

/// Every input is written into a file there: in memory, where there is such a place.
const std::string& folder() {
    static const test::TemporaryFolder made("/dev/shm");
    static const std::string path = made.path();
    return path;
}

/// Reads a collection of pictures from a file of this name that holds the input.
void run_source(const std::string& name, Input input) {
    const std::string path = folder() + "/" + name;
    test::write_text(path, {reinterpret_cast<const char*>(input.data()), input.size()});
    PictureLimits limits;
    limits.max_pixels = 1'000'000;
    const ImageDataset pictures = ImageDataset::open(path, limits);
    const Preprocessing preprocessing = choose_preprocessing(pictures, {}, 1);
    PictureReader reader(pictures, preprocessing, {.batch_size = 8, .threads = 1});
    std::int64_t seen = 0;
    for (PictureBatch batch; seen < max_rows && reader.next(batch);) {
        seen += batch.pictures.rows() + static_cast<std::int64_t>(batch.skipped.size());
        const auto finite = [](float value) { return std::isfinite(value); };
        if (!std::all_of(batch.pictures.values().begin(), batch.pictures.values().end(), finite)) {
            std::abort();
        }
    }
    if (seen < std::min(max_rows, pictures.size())) {
        std::abort();
    }
}

std::vector<std::string> npy_seeds() {
    std::vector<std::string> seeds;
    for (const char* kind : {"|u1", "<u2", ">u2", "<f4", "<f8", "|b1", "<f2", "<i4", "<i8"}) {
        seeds.push_back(test::npy(kind, "(3, 2, 2)", std::string(96, '\1')));
    }
    seeds.push_back(test::npy("<f4", "(3, 4)", std::string(48, '\0'), "True"));
    seeds.push_back(test::npy("|u1", "(2, 2, 2, 3)", std::string(24, 'x')));
    return seeds;
}

std::string idx_file() {
    return test::idx({5, 3, 2}, std::string(30, 'x'));
}

std::vector<std::string> gzip_seeds() {
    const test::TemporaryFolder made;
    test::write_gzip(made / "a.gz", idx_file());
    return {test::read_text(made / "a.gz")};
}

std::vector<std::string> npz_seeds() {
    const std::string pictures = test::npy("|u1", "(3, 2, 2)", std::string(12, '\1'));
    const std::string labels = test::npy("<i8", "(3,)", std::string(24, '\0'));
    return {test::zip({{"x.npy", pictures}}), test::zip({{"x.npy", pictures, true}, {"y.npy", labels}}),
            test::zip({{"x.npy", pictures, true}}, true)};
}

std::vector<std::string> list_seeds() {
    test::write_text(folder() + "/a.pgm", "P2 2 2 255\n1 2 3 4\n");
    return {"a.pgm\n", "a.pgm\tlabel\n./a.pgm\r\ngone.png\n",
            "\xEF\xBB\xBF"
            "a.pgm\n#comment\n\n"};
}

Target source(const char* target, const char* file, std::function<std::vector<std::string>()> seeds) {
    return {target, [file](Input input) { run_source(file, input); }, std::move(seeds)};
}

}  // namespace

std::vector<Target> picture_sources() {
    return {source("npy", "a.npy", npy_seeds),
            source("idx", "a-idx3-ubyte", [] { return std::vector{idx_file()}; }),
            source("npz", "a.npz", npz_seeds), source("idx.gz", "b-idx3-ubyte.gz", gzip_seeds),
            source("list", "list.txt", list_seeds)};
}

}  // namespace stackae::fuzz
