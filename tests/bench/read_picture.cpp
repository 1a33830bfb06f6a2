#include <opencv2/imgcodecs.hpp>

/// What any program that reads a picture with OpenCV pays: the measure for `stackae extract`.
int main(int count, char** arguments) {
    return count == 2 && !cv::imread(arguments[1], cv::IMREAD_UNCHANGED).empty() ? 0 : 1;
}
