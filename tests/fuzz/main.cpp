// One program for all readers. A target is chosen by its name; with libFuzzer (preset fuzz) its own options
// follow:
//
//   fuzz_readers --targets                    the targets' names
//   fuzz_readers --seeds FOLDER               FOLDER/TARGET/N: files to begin with
//   fuzz_readers --target=NAME [OPTION]... [FILE|FOLDER]...
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <opencv2/core/utils/logger.hpp>
#include <string>
#include <utility>

#include "stackae/error.hpp"

#include "fuzz/targets.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::fuzz {

std::vector<Target> all_targets() {
    std::vector<Target> targets = stackae_files();
    for (auto more :
         {checkpoints(), kept_codes(), commit_records(), picture_sources(), tables(), picture_formats()}) {
        std::move(more.begin(), more.end(), std::back_inserter(targets));
    }
    return targets;
}

namespace {

const Target* chosen = nullptr;

void write_seeds(const std::filesystem::path& folder, const std::vector<Target>& targets) {
    for (const Target& target : targets) {
        std::filesystem::create_directories(folder / target.name);
        int number = 0;
        for (const std::string& seed : target.seeds()) {
            test::write_text((folder / target.name / std::to_string(number++)).string(), seed);
        }
    }
}

}  // namespace
}  // namespace stackae::fuzz

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    using namespace stackae::fuzz;
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    static const std::vector<Target> targets = all_targets();
    for (int i = 1; i < *argc; ++i) {
        const std::string argument = (*argv)[i];
        if (argument == "--targets") {
            for (const Target& target : targets) {
                std::puts(target.name.c_str());
            }
            std::exit(0);
        }
        if (argument == "--seeds" && i + 1 < *argc) {
            write_seeds((*argv)[i + 1], targets);
            std::exit(0);
        }
        if (argument.starts_with("--target=")) {
            const auto found = std::find_if(targets.begin(), targets.end(), [&](const Target& target) {
                return target.name == argument.substr(std::strlen("--target="));
            });
            chosen = found == targets.end() ? nullptr : &*found;
        }
    }
    if (chosen == nullptr) {
        std::fputs("fuzz_readers: --target=NAME expected, a name of --targets\n", stderr);
        std::exit(2);
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        stackae::fuzz::chosen->run(std::as_bytes(std::span(data, size)));
    } catch (const stackae::Error&) {  // what is wrong with the file was told
    }
    return 0;
}
