#pragma once

#include <opencv2/dnn.hpp>
#include <vector>

#include "export/onnx_cases.hpp"

namespace stackae::test {

/// What OpenCV's DNN module makes of a case.
inline std::vector<float> run_by_opencv(const OnnxCase& of) {
    cv::dnn::Net net = cv::dnn::readNetFromONNX(of.model.data(), of.model.size());
    const std::vector<int> shape(of.shape.begin(), of.shape.end());
    const cv::Mat input(shape, CV_32F, const_cast<float*>(of.input.data()));
    net.setInput(input);
    const cv::Mat out = net.forward().clone();
    return {out.ptr<float>(), out.ptr<float>() + out.total()};
}

/// The largest difference from what is expected, as a share of what is allowed; infinity where there are more
/// or fewer values.
inline double share_of_allowed(const OnnxCase& of, const std::vector<float>& found) {
    if (static_cast<std::int64_t>(found.size()) != of.expected.size()) {
        return std::numeric_limits<double>::infinity();
    }
    double largest = 0.0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        largest = std::max(largest, std::abs(double{found[i]} - double{of.expected.data()[i]}));
    }
    return largest / of.tolerance();
}

}  // namespace stackae::test
