#include <cstdio>
#include <exception>

#include "golden/golden_files.hpp"

/// Writes tests/golden/MAJOR.MINOR, once, when that version is about to be released.
int main() try {
    golden::write_files(STACKAE_GOLDEN_FOLDER "/" STACKAE_GOLDEN_VERSION);
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "make_golden_files: %s\n", error.what());
    return 1;
}
