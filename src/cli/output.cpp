#include "cli/output.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <set>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/model.hpp"
#include "stackae/text.hpp"

#include "cli/parse.hpp"

namespace stackae::cli {
namespace {

namespace fs = std::filesystem;

fs::path full(const std::string& path) {
    std::error_code error;
    const fs::path absolute = fs::absolute(path);
    fs::path canonical = fs::weakly_canonical(absolute, error);
    return error ? absolute.lexically_normal() : canonical;
}

/// Two names of one file, also where it does not exist yet.
bool same_file(const std::string& a, const std::string& b) {
    std::error_code ignored;
    return fs::equivalent(a, b, ignored) || full(a) == full(b);
}

void check_stdout() {
    if (!std::cout) {
        throw IoError(fmt::format("stdout: cannot write the results: {}",
                                  errno != 0 ? std::strerror(errno) : "an earlier write failed"));
    }
}

}  // namespace

bool is_stream(const std::string& path) {
    std::error_code ignored;
    return fs::exists(path, ignored) && fs::is_other(path, ignored);
}

void check_outputs(const std::vector<NamedPath>& read, const std::vector<NamedPath>& written) {
    for (auto output = written.begin(); output != written.end(); ++output) {
        if (output->path.empty() || is_stream(output->path)) {
            continue;
        }
        for (const NamedPath& input : read) {
            if (!input.path.empty() && same_file(input.path, output->path)) {
                throw UsageError(fmt::format("{} {} would replace {}; name another file", output->what,
                                             output->path, input.what));
            }
        }
        for (auto other = written.begin(); other != output; ++other) {
            if (!other->path.empty() && same_file(other->path, output->path)) {
                throw UsageError(
                    fmt::format("{} and {} are the same file: {}", other->what, output->what, output->path));
            }
        }
    }
}

void add_replaced(const ImageDataset& pictures, const std::vector<NamedPath>& written,
                  std::vector<NamedPath>& read) {
    const auto identity = [](const std::string& path) {
        struct stat status {};
        const bool regular = ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
        return regular ? std::optional(std::pair(status.st_dev, status.st_ino)) : std::nullopt;
    };
    std::vector<std::pair<dev_t, ino_t>> replaced;
    for (const NamedPath& output : written) {
        if (const auto found = identity(output.path)) {
            replaced.push_back(*found);
        }
    }
    if (replaced.empty()) {
        return;  // not one picture need be looked at
    }
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        const std::string path = pictures.file(i);
        const auto file = identity(path);
        if (file && std::find(replaced.begin(), replaced.end(), *file) != replaced.end()) {
            read.push_back({fmt::format("the input picture {}", path), path});
        }
    }
}

void check_outputs(const Inputs& inputs, const std::vector<NamedPath>& more,
                   const std::vector<NamedPath>& written) {
    std::vector<NamedPath> read;
    for (const Inputs::Source& source : inputs.sources()) {
        read.push_back({fmt::format("the input {}", source.path), source.path});
        if (source.pictures) {
            add_replaced(*source.pictures, written, read);
        }
    }
    read.insert(read.end(), more.begin(), more.end());
    check_outputs(read, written);
}

void check_replaces_only(const std::string& path, const std::string& kind) {
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored) || fs::is_empty(path, ignored)) {
        return;
    }
    const std::optional<std::string> found = file_kind(path);
    if (found == kind) {
        return;
    }
    const std::string why = found ? fmt::format("is no {}", kind) : "is no file of stackae";
    throw UsageError(
        fmt::format("-o {}: a file of that name is there and {}; it is not replaced", path, why));
}

void check_png_name(const std::string& path) {
    const std::string ending = lower_case(fs::path(path).extension().string());
    if (!path.empty() && ending != ".png" && !is_stream(path)) {
        throw UsageError(fmt::format("{}: drawings are PNG; name a file that ends in .png", path));
    }
}

ResultWriter::ResultWriter(const std::string& path) {
    if (!path.empty() && path != "-") {
        file_ = files_.add(path);
    }
}

void ResultWriter::write(std::string_view text) {
    if (file_) {
        file_->write(text);
        return;
    }
    errno = 0;
    std::cout << text;
    check_stdout();
}

void ResultWriter::finish() {
    if (!file_) {
        finish_stdout();
    }
    files_.commit();
}

void finish_stdout() {
    errno = 0;
    std::cout.flush();
    check_stdout();
}

void recover_outputs(Console& console, const std::vector<std::string>& paths) {
    std::set<std::string> folders;
    for (const std::string& path : paths) {
        std::error_code ignored;
        if (fs::is_directory(path, ignored)) {
            folders.insert(path);
        }
        if (!path.empty()) {
            const std::string parent = fs::path(path).parent_path().string();
            folders.insert(parent.empty() ? "." : parent);
        }
    }
    for (const std::string& folder : folders) {
        try {
            for (const std::string& path : stackae::recover_outputs(folder)) {
                console.note(fmt::format("{}: completed for a run that was killed while it replaced it",
                                         printable(path)));
            }
        } catch (const IoError& error) {
            console.warn(fmt::format("warning: {}", error.what()));
        }
    }
}

void check_writable(const std::string& path) {
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
