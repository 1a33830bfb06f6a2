// write_onnx_cases FOLDER [PICTURES MODEL...]: tries graphs by OpenCV's DNN module, and writes them, inputs
// and what is expected of them to a folder, for another engine to be tried on: NUMBER.onnx, NUMBER.input and
// NUMBER.expected (float32), and cases.json. With models, all their outputs on pictures; else every kind of
// layer and what ships.

#include <exception>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <iostream>
#include <opencv2/core/version.hpp>

#include "stackae/neighbours.hpp"

#include "export/onnx_cases.hpp"
#include "export/run_by_opencv.hpp"

namespace {

using namespace stackae;

/// Of every output, by both types of input.
void add_model(const std::string& path, const std::string& pictures, const std::string& folder,
               std::vector<test::OnnxCase>& cases) {
    for (const NamedOutput& output : load_model(path).outputs) {
        for (const OnnxInput input : {OnnxInput::uint8, OnnxInput::float32}) {
            cases.push_back(test::model_case(path, pictures, {.output = output.name, .input = input},
                                             folder + "/scratch"));
        }
    }
}

std::vector<test::OnnxCase> all_cases(const std::string& folder) {
    std::vector<test::OnnxCase> cases = test::layer_cases();
    for (auto&& more :
         {test::recommendation_cases(folder + "/scratch"), test::patch_memory_cases(folder + "/scratch")}) {
        cases.insert(cases.end(), more.begin(), more.end());
    }
    const std::string models = STACKAE_MODELS;
    const std::string samples = STACKAE_SAMPLES;
    add_model(models + "/digits.stackae", samples + "/train", folder, cases);
    for (test::OnnxCase& one :
         test::gallery_cases(models + "/digits.stackae", samples + "/train", folder + "/scratch")) {
        cases.push_back(std::move(one));
    }
    for (test::OnnxCase& one : test::decoder_cases(models + "/photos.stackae", folder + "/scratch")) {
        cases.push_back(std::move(one));
    }
    add_model(models + "/photos.stackae", samples + "/photos", folder, cases);
    return cases;
}

/// How many rows have another as their nearest than by what is expected.
std::int64_t other_nearest(const test::OnnxCase& of, const std::vector<float>& found) {
    Tensor rows(of.expected.shape());
    std::copy(found.begin(), found.end(), rows.values().begin());
    NeighbourIndex index(of.expected, Metric::l2);
    // The nearest of all is the row itself.
    const std::vector<std::int64_t> other = index.search(rows, 2).rows;
    const std::vector<std::int64_t> same = index.search(of.expected, 2).rows;
    std::int64_t differ = 0;
    for (std::size_t i = 1; i < same.size(); i += 2) {
        differ += other[i] != same[i] ? 1 : 0;
    }
    return differ;
}

bool try_by_opencv(const test::OnnxCase& of) {
    const std::vector<float> found = test::run_by_opencv(of);
    const double share = test::share_of_allowed(of, found);
    const std::int64_t others = share <= 1.0 ? other_nearest(of, found) : -1;
    const bool right = share <= 1.0 && others == 0;
    std::cout << fmt::format("{}  {:.3f} of what is allowed, {} of {} nearest rows are others  {}\n",
                             right ? "right" : "WRONG", share, others, of.shape.front(), of.name);
    return right;
}

void write(const std::vector<test::OnnxCase>& cases, const std::string& folder) {
    std::string list;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const auto put = [&](const char* ending, const void* from, std::size_t bytes) {
            std::ofstream(fmt::format("{}/{}.{}", folder, i, ending), std::ios::binary)
                .write(static_cast<const char*>(from), static_cast<std::streamsize>(bytes));
        };
        const test::OnnxCase& of = cases[i];
        put("onnx", of.model.data(), of.model.size());
        put("input", of.input.data(), of.input.size() * sizeof(float));
        put("expected", of.expected.data(), static_cast<std::size_t>(of.expected.size()) * sizeof(float));
        list += fmt::format("{}{{\"name\": \"{}\", \"shape\": [{}], \"bytes\": {}, \"tolerance\": {:.9g}}}\n",
                            i > 0 ? "," : "", of.name, fmt::join(of.shape, ", "), of.bytes, of.tolerance());
    }
    std::ofstream(folder + "/cases.json") << "[" << list << "]\n";
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 && argc < 4) {
        std::cerr << "usage: write_onnx_cases FOLDER [PICTURES MODEL...]\n";
        return 2;
    }
    try {
        const std::string folder = argv[1];
        std::vector<test::OnnxCase> cases;
        for (int i = 3; i < argc; ++i) {
            add_model(argv[i], argv[2], folder, cases);
        }
        if (argc == 2) {
            cases = all_cases(folder);
        }
        write(cases, folder);
        std::erase_if(cases, [](const test::OnnxCase& of) { return of.sorts; });
        const std::int64_t right = std::count_if(cases.begin(), cases.end(), try_by_opencv);
        std::cout << fmt::format("{} of {} graphs are right, by OpenCV {}\n", right, cases.size(),
                                 CV_VERSION);
        return right == std::ssize(cases) ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
