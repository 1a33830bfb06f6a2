#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/model.hpp"

#include "support/catch.hpp"

using namespace stackae;

namespace {

/// NAME.features.csv: `filename,f0,f1,…`.
std::vector<std::vector<float>> expected_features(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    std::vector<std::vector<float>> rows;
    while (std::getline(file, line)) {
        std::istringstream fields(line);
        std::string field;
        std::getline(fields, field, ',');
        rows.emplace_back();
        while (std::getline(fields, field, ',')) {
            rows.back().push_back(std::stof(field));
        }
    }
    return rows;
}

/// Holds models/NAME.stackae to models/NAME.features.csv, of so many pictures of a folder of sample_images/.
/// tolerance: beside 1, or beside values that are larger.
void check_features(const std::string& name, const std::string& folder, std::int64_t count, float tolerance) {
    const std::string root = STACKAE_SOURCE_DIR;
    const Model model = load_model(root + "/models/" + name + ".stackae");
    const auto expected = expected_features(root + "/models/" + name + ".features.csv");
    REQUIRE(std::ssize(expected) == count);
    const ImageDataset pictures = ImageDataset::open(root + "/sample_images/" + folder);
    PictureReader reader(pictures, model.preprocessing);
    PictureBatch batch;
    REQUIRE(reader.next(batch));
    Encoder encoder(model);
    const Tensor codes = encoder.encode(batch.pictures);
    REQUIRE(codes.rows() == count);
    for (std::int64_t i = 0; i < codes.rows(); ++i) {
        const auto& row = expected[static_cast<std::size_t>(i)];
        REQUIRE(row.size() == static_cast<std::size_t>(codes.columns()));
        for (std::size_t j = 0; j < row.size(); ++j) {
            REQUIRE(std::abs(codes.row(i)[j] - row[j]) <= tolerance * std::max(1.0F, std::abs(row[j])));
        }
    }
}

}  // namespace

TEST_CASE("The shipped model of digits gives the features that are kept beside it") {
    check_features("digits", "recognize", 12, 1e-5F);
}

TEST_CASE("The shipped model of photographs gives the features that are kept beside it") {
    // Roots of cells that are almost empty enlarge what processors round differently.
    check_features("photos", "photos", 4, 1e-4F);
}

TEST_CASE("The shipped model of photographs is of colour, and at most 5 MB") {
    const std::string path = std::string(STACKAE_SOURCE_DIR) + "/models/photos.stackae";
    REQUIRE(load_model(path).preprocessing.shape() == Shape{32, 32, 3});
    REQUIRE(std::filesystem::file_size(path) <= 5'000'000);
}
