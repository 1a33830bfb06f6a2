// encode_rows MODEL FLOATS COLUMNS: prints the seconds that encoding a file of rows takes, the least of
// three; what tests/bench/python_package.py compares the Python package with.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "stackae/pipeline.hpp"

int main(int argc, char** argv) try {
    using namespace stackae;
    if (argc != 4) {
        std::fputs("usage: encode_rows MODEL FLOATS COLUMNS\n", stderr);
        return 2;
    }
    const Model model = load_model(argv[1]);
    std::ifstream file(argv[2], std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(file), {});
    const std::int64_t columns = std::atoll(argv[3]);
    const auto rows = static_cast<std::int64_t>(bytes.size() / sizeof(float)) / columns;
    double least = std::numeric_limits<double>::infinity();
    for (int round = 0; round < 3; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        const Inputs inputs(
            ImageDataset::from_tensor(Tensor::view({rows, columns}, reinterpret_cast<float*>(bytes.data()))));
        InputObserver nobody;
        Manifest manifest(nobody);
        Tensor codes({rows, model.code_size()});
        std::int64_t first = 0;
        encode_inputs({.inputs = inputs, .model = model}, {}, manifest,
                      [&](const InputBatch& /*batch*/, const Tensor& some) {
                          std::copy_n(some.data(), some.size(), codes.row(first).data());
                          first += some.rows();
                      });
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
        least = std::min(least, taken.count());
    }
    std::printf("%.6f\n", least);
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "encode_rows: %s\n", error.what());
    return 1;
}
