#include <cmath>
#include <cstdint>
#include <opencv2/dnn.hpp>
#include <string>
#include <vector>

#include "stackae/error.hpp"

#include "export/onnx_cases.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace stackae;

namespace {

/// What OpenCV's DNN module makes of it.
std::vector<float> run_by_opencv(const test::OnnxCase& of) {
    cv::dnn::Net net = cv::dnn::readNetFromONNX(of.model.data(), of.model.size());
    const std::vector<int> shape(of.shape.begin(), of.shape.end());
    const cv::Mat input(shape, CV_32F, const_cast<float*>(of.input.data()));
    net.setInput(input);
    const cv::Mat out = net.forward().clone();
    return {out.ptr<float>(), out.ptr<float>() + out.total()};
}

void check_alike(const test::OnnxCase& of) {
    CAPTURE(of.name);
    const std::vector<float> found = run_by_opencv(of);
    REQUIRE(static_cast<std::int64_t>(found.size()) == of.expected.size());
    double largest = 0.0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        largest = std::max(largest, std::abs(double{found[i]} - double{of.expected.data()[i]}));
    }
    CHECK(largest <= of.tolerance());
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
    check_alike(test::model_case(std::string(STACKAE_MODELS) + "/photos.stackae",
                                 std::string(STACKAE_SAMPLES) + "/photos", {}, folder / "model.onnx"));
}

TEST_CASE("An option that no graph can have is refused", "[export]") {
    const test::TemporaryFolder folder;
    const Model model = load_model(std::string(STACKAE_MODELS) + "/digits.stackae");
    CHECK_THROWS_AS(export_onnx(model, {.opset = 12}, folder / "m.onnx"), InvalidArgument);
    CHECK_THROWS_AS(export_onnx(model, {.opset = 18}, folder / "m.onnx"), InvalidArgument);
    CHECK_THROWS_AS(export_onnx(model, {.output = "nothing"}, folder / "m.onnx"), InvalidArgument);
}
