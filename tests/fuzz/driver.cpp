// Stands in for libFuzzer where the compiler has none: runs the files that are named, then so many mutations
// of them, the same ones for the same seed.
//
//   fuzz_readers --target=NAME [--rounds=N] [--seed=S] FILE|FOLDER...
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

void run(const std::string& file) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
}

class Mutator {
public:
    explicit Mutator(std::uint64_t seed) : random_(seed) {}

    std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

    /// A few bytes of a file changed, taken out, doubled or taken from another; sometimes it is cut short.
    std::string mutate(std::string file, const std::string& other) {
        for (std::size_t changes = below(5) + 1; changes > 0 && !file.empty(); --changes) {
            // Headers are where it hurts, so half of the changes go there.
            const std::size_t at =
                below(below(2) == 0 ? std::min<std::size_t>(64, file.size()) : file.size());
            const std::size_t length = std::min(below(8) + 1, file.size() - at);
            switch (below(6)) {
                case 0:
                    file[at] = static_cast<char>(below(256));
                    break;
                case 1:
                    file[at] = static_cast<char>(static_cast<unsigned char>(file[at]) ^ (1U << below(8)));
                    break;
                case 2:
                    file.replace(at, length, length, "\0\x01\x7f\x80\xff\x30"[below(6)]);
                    break;
                case 3:
                    file.erase(at, length);
                    break;
                case 4:
                    file.insert(at, file.substr(at, length));
                    break;
                default:
                    file.replace(at, length, other.substr(std::min(at, other.size()), length));
            }
        }
        if (below(8) == 0) {
            file.resize(below(file.size() + 1));
        }
        return file;
    }

private:
    std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
    LLVMFuzzerInitialize(&argc, &argv);
    std::uint64_t rounds = 0;
    std::uint64_t seed = 1;
    std::vector<fs::path> paths;
    for (const std::string& argument : std::vector<std::string>(argv + 1, argv + argc)) {
        if (argument.starts_with("--rounds=")) {
            rounds = std::stoull(argument.substr(9));
        } else if (argument.starts_with("--seed=")) {
            seed = std::stoull(argument.substr(7));
        } else if (fs::is_directory(argument)) {
            std::copy(fs::directory_iterator(argument), {}, std::back_inserter(paths));
        } else if (!argument.starts_with("--")) {
            paths.emplace_back(argument);
        }
    }
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> files;
    for (const fs::path& path : paths) {
        files.push_back(stackae::test::read_text(path.string()));
        run(files.back());
    }
    if (files.empty()) {
        std::fputs("fuzz_readers: files to begin with expected, none found\n", stderr);
        return 2;
    }
    Mutator mutator(seed);
    for (std::uint64_t round = 0; round < rounds; ++round) {
        const std::string& file = files[mutator.below(files.size())];
        run(mutator.mutate(file, files[mutator.below(files.size())]));
    }
    std::printf("%zu files, %llu mutations\n", files.size(), static_cast<unsigned long long>(rounds));
    return 0;
}
