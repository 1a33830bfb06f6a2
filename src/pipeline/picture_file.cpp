#include "pipeline/picture_file.hpp"

#include <filesystem>
#include <span>
#include <unordered_map>

#include "base/file_io.hpp"
#include "base/hash.hpp"

namespace stackae::pipeline {

std::pair<std::string, std::string> file_and_place(const std::string& path) {
    std::error_code ignored;
    const std::size_t mark = path.rfind('#');
    if (mark == std::string::npos || std::filesystem::exists(path, ignored)) {
        return {path, {}};
    }
    return {path.substr(0, mark), path.substr(mark)};
}

std::string resolved(const std::string& path) {
    const auto [file, place] = file_and_place(path);
    std::error_code failed;
    const std::filesystem::path real = std::filesystem::canonical(file, failed);
    return failed ? path : real.string() + place;
}

std::vector<std::int64_t> same_pictures(std::int64_t count,
                                        const std::function<std::string(std::int64_t)>& path_of) {
    std::unordered_map<std::string, std::int64_t> known;
    std::vector<std::int64_t> same(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
        same[static_cast<std::size_t>(i)] = known.try_emplace(resolved(path_of(i)), i).first->second;
    }
    return same;
}

std::int64_t file_size(const std::string& path) {
    std::error_code failed;
    const auto status = std::filesystem::status(path, failed);
    if (failed || !std::filesystem::is_regular_file(status)) {
        return -1;
    }
    const auto size = std::filesystem::file_size(path, failed);
    return failed ? -1 : static_cast<std::int64_t>(size);
}

std::uint64_t file_hash(const std::string& path) {
    base::Hash hash;
    hash.add(std::span<const std::byte>(base::read_file(path)));
    return hash.value();
}

}  // namespace stackae::pipeline
