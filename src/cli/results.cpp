#include "cli/results.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <unistd.h>

#include "stackae/error.hpp"

namespace stackae::cli {

Results::Results(const std::string& path) {
    if (!path.empty() && path != "-") {
        file_ = std::make_unique<core::AtomicFile>(path);
    }
}

void Results::write(std::string_view text) {
    if (file_) {
        file_->write(text);
    } else {
        std::cout << text;
    }
}

void Results::finish() {
    if (file_) {
        file_->commit();
    } else {
        finish_stdout();
    }
}

void finish_stdout() {
    errno = 0;
    std::cout.flush();
    if (!std::cout) {
        throw IoError(fmt::format("stdout: cannot write the results: {}",
                                  errno != 0 ? std::strerror(errno) : "an earlier write failed"));
    }
}

void check_writable(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
        throw IoError(fmt::format("{}: cannot be written: it is a folder", path));
    }
    if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) {
        return;  // a device or a pipe is written straight
    }
    const fs::path parent = fs::path(path).parent_path();
    const std::string folder = parent.empty() ? std::string(".") : parent.string();
    if (!fs::is_directory(folder, ignored)) {
        throw IoError(fmt::format("{}: cannot be written: there is no folder {}", path, folder));
    }
    if (access(folder.c_str(), W_OK | X_OK) != 0) {
        throw IoError(
            fmt::format("{}: cannot be written: folder {}: {}", path, folder, std::strerror(errno)));
    }
}

}  // namespace stackae::cli
