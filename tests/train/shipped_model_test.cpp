#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/model.hpp"

#include "support/catch.hpp"

using namespace stackae;

namespace {

/// digits.features.csv: `filename,f0,f1,…`.
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

}  // namespace

TEST_CASE("The shipped model gives the features that are kept beside it") {
    const std::string root = STACKAE_SOURCE_DIR;
    const Model model = load_model(root + "/models/digits.stackae");
    const auto expected = expected_features(root + "/models/digits.features.csv");
    REQUIRE(expected.size() == 12);
    const ImageDataset pictures = ImageDataset::open(root + "/sample_images/recognize");
    PictureReader reader(pictures, model.preprocessing);
    PictureBatch batch;
    REQUIRE(reader.next(batch));
    Encoder encoder(model);
    const Tensor codes = encoder.encode(batch.pictures);
    REQUIRE(codes.rows() == 12);
    for (std::int64_t i = 0; i < codes.rows(); ++i) {
        const auto& row = expected[static_cast<std::size_t>(i)];
        REQUIRE(row.size() == static_cast<std::size_t>(codes.columns()));
        for (std::size_t j = 0; j < row.size(); ++j) {
            REQUIRE(std::abs(codes.row(i)[j] - row[j]) <= 1e-5F * std::max(1.0F, std::abs(row[j])));
        }
    }
}
