// Tells which pictures are copies of others, and which to keep: find_copies PICTURES...
#include <cstdio>
#include <exception>
#include <stackae/duplicates.hpp>
#include <stackae/inputs.hpp>
#include <string>
#include <vector>

int main(int argc, char** argv) try {
    if (argc < 2) {
        std::fputs("Usage: find_copies PICTURES...\n", stderr);
        return 2;
    }
    const stackae::Inputs pictures(std::vector<std::string>(argv + 1, argv + argc));
    stackae::InputObserver nobody;
    stackae::Manifest manifest(nobody);
    const auto report =
        stackae::find_duplicates(pictures, nullptr, {.keep = stackae::KeepRule::first}, manifest);
    for (const auto& group : report.groups) {
        const std::string& kept = group.front().entry.path;
        for (std::size_t i = 1; i < group.size(); ++i) {
            std::printf("%s is %s to %s (distance %.3f)\n", group[i].entry.path.c_str(),
                        stackae::name(group[i].kind), kept.c_str(), group[i].distance);
        }
    }
    std::printf("%zu groups of copies among %lld pictures\n", report.groups.size(),
                static_cast<long long>(report.pictures));
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "find_copies: %s\n", error.what());
    return 1;
}
