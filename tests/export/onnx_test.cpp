#include <string>

#include "stackae/error.hpp"

#include "export/onnx_cases.hpp"
#include "export/run_by_opencv.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace stackae;

namespace {

void check_alike(const test::OnnxCase& of) {
    CAPTURE(of.name);
    CHECK(test::share_of_allowed(of, test::run_by_opencv(of)) <= 1.0);
}

}  // namespace

TEST_CASE("Every kind of layer gives the same as ONNX by OpenCV", "[export]") {
    for (const test::OnnxCase& of : test::layer_cases()) {
        check_alike(of);
    }
}

TEST_CASE("The models that ship give the same as ONNX by OpenCV", "[export]") {
    const test::TemporaryFolder folder;
    const std::string digits = std::string(STACKAE_MODELS) + "/digits.stackae";
    for (const OnnxInput input : {OnnxInput::uint8, OnnxInput::float32}) {
        check_alike(test::model_case(digits, std::string(STACKAE_SAMPLES) + "/train/3", {.input = input},
                                     folder / "model.onnx"));
    }
    for (const test::OnnxCase& of :
         test::decoder_cases(std::string(STACKAE_MODELS) + "/photos.stackae", folder / "model.onnx")) {
        check_alike(of);
    }
    check_alike(test::model_case(std::string(STACKAE_MODELS) + "/photos.stackae",
                                 std::string(STACKAE_SAMPLES) + "/photos", {}, folder / "model.onnx"));
}

TEST_CASE("What a table's model rebuilds is the same as ONNX by OpenCV", "[export]") {
    const test::TemporaryFolder folder;
    for (const test::OnnxCase& of : test::recommendation_cases(folder / "model.onnx")) {
        check_alike(of);
    }
}

TEST_CASE("Distances to the names of a gallery are the same as ONNX by OpenCV", "[export]") {
    const test::TemporaryFolder folder;
    const std::string model = std::string(STACKAE_MODELS) + "/digits.stackae";
    for (const test::OnnxCase& of :
         test::gallery_cases(model, std::string(STACKAE_SAMPLES) + "/train", folder / "model.onnx")) {
        check_alike(of);
    }
}

TEST_CASE("How odd places are is the same as ONNX by OpenCV", "[export]") {
    const test::TemporaryFolder folder;
    for (const test::OnnxCase& of : test::patch_memory_cases(folder / "model.onnx")) {
        if (!of.sorts) {
            check_alike(of);
        }
    }
}

TEST_CASE("An option that no graph can have is refused", "[export]") {
    const test::TemporaryFolder folder;
    const Model model = load_model(std::string(STACKAE_MODELS) + "/digits.stackae");
    CHECK_THROWS_AS(export_onnx(model, {.opset = 12}, folder / "m.onnx"), InvalidArgument);
    CHECK_THROWS_AS(export_onnx(model, {.opset = 18}, folder / "m.onnx"), InvalidArgument);
    CHECK_THROWS_AS(export_onnx(model, {.output = "nothing"}, folder / "m.onnx"), InvalidArgument);
    CHECK_THROWS_AS(export_onnx(model, {.output = "1", .part = OnnxPart::autoencoder}, folder / "m.onnx"),
                    InvalidArgument);
}
