// Writes graphs, inputs and what is expected of them to a folder, for another engine to be tried on:
// NAME.onnx, NAME.input and NAME.expected (float32), and cases.json.

#include <exception>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <iostream>

#include "export/onnx_cases.hpp"

int main(int argc, char** argv) {
    using namespace stackae;
    if (argc != 2) {
        std::cerr << "usage: write_onnx_cases FOLDER\n";
        return 2;
    }
    try {
        const std::string folder = argv[1];
        std::vector<test::OnnxCase> cases = test::layer_cases();
        const std::string models = STACKAE_MODELS;
        const std::string samples = STACKAE_SAMPLES;
        for (const std::string model : {"digits", "photos"}) {
            const std::string path = models + "/" + model + ".stackae";
            for (const NamedOutput& output : load_model(path).outputs) {
                for (const OnnxInput input : {OnnxInput::uint8, OnnxInput::float32}) {
                    cases.push_back(
                        test::model_case(path, samples + (model == "digits" ? "/train" : "/photos"),
                                         {.output = output.name, .input = input}, folder + "/scratch"));
                }
            }
        }
        std::string list;
        for (std::size_t i = 0; i < cases.size(); ++i) {
            const auto write = [&](const char* ending, const void* from, std::size_t bytes) {
                std::ofstream(fmt::format("{}/{}.{}", folder, i, ending), std::ios::binary)
                    .write(static_cast<const char*>(from), static_cast<std::streamsize>(bytes));
            };
            const test::OnnxCase& of = cases[i];
            write("onnx", of.model.data(), of.model.size());
            write("input", of.input.data(), of.input.size() * sizeof(float));
            write("expected", of.expected.data(), static_cast<std::size_t>(of.expected.size()) * sizeof(float));
            list += fmt::format(
                "{}{{\"name\": \"{}\", \"shape\": [{}], \"bytes\": {}, \"tolerance\": {:.9g}}}\n",
                i > 0 ? "," : "", of.name, fmt::join(of.shape, ", "), of.bytes, of.tolerance());
        }
        std::ofstream(folder + "/cases.json") << "[" << list << "]\n";
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
