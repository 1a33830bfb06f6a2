#pragma once

#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "stackae/output_files.hpp"

#include "base/atomic_file.hpp"
#include "support/file_faults.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"

/// Sets of files for the tests of their replacement and of its recovery.
namespace stackae::base::test_files {

using namespace test;
namespace fs = std::filesystem;

/// Replaces files of these paths, each by `text` and its number.
inline void replace(const std::vector<std::string>& paths, const std::string& text) {
    OutputFiles files;
    for (std::size_t i = 0; i < paths.size(); ++i) {
        AtomicFile& file = files.add(paths[i]).file();
        file.write(text + std::to_string(i) + std::string(5000, '.'));
        file.patch(0, std::as_bytes(std::span(text.data(), 1)));
    }
    files.commit();
}

/// What replace() wrote into all of these, or "mixed".
inline std::string common_text(const std::vector<std::string>& paths) {
    std::string common;
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const std::string found = read_text(paths[i]);
        const std::size_t number = found.find('.');
        const std::string text = found.substr(0, number - 1);
        if (found != text + std::to_string(i) + std::string(5000, '.') || (i > 0 && text != common)) {
            return "mixed";
        }
        common = text;
    }
    return common;
}

/// A folder with a folder in it, and the paths of three files that belong together.
struct Trio {
    TemporaryFolder folder;
    std::vector<std::string> paths{folder / "table", folder / "table.names", folder / "other/manifest"};

    Trio() { fs::create_directory(folder / "other"); }
    /// As a clock that went wrong leaves them.
    void date_in_the_future() const {
        for (const std::string& path : paths) {
            fs::last_write_time(path, fs::file_time_type::clock::now() + std::chrono::hours(1000));
        }
    }
    [[nodiscard]] std::ptrdiff_t entries() const {
        return std::distance(fs::recursive_directory_iterator(folder.path()), {});
    }
};

/// Kills a run that replaces "old" files by "new" ones at this call.
inline void kill_at(const Trio& trio, bool nameless, long call) {
    replace(trio.paths, "old");
    const int code = exit_codes(1, [&](int /*index*/) {
        const FileFaults faults({.nameless = nameless, .call = call});
        replace(trio.paths, "new");
    })[0];
    if (code != -SIGKILL) {
        throw std::runtime_error("not killed");
    }
}

/// The calls at which a killed run leaves a mix.
inline std::vector<long> half_replaced(const Trio& trio, bool nameless) {
    std::vector<long> found;
    for (long call = 0; found.size() < 2; ++call) {
        kill_at(trio, nameless, call);
        if (common_text(trio.paths) == "mixed") {
            found.push_back(call);
        }
    }
    return found;
}

}  // namespace stackae::base::test_files
