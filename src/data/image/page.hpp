#pragma once

#include <cstdint>

namespace stackae::data {

/// Where one of a file's pages lies.
struct Page {
    std::uint64_t directory = 0;  ///< offset of what describes it; 0: none was chosen
    std::uint64_t further = 0;    ///< bytes that its data lie behind those which the directory names

    friend bool operator==(const Page&, const Page&) = default;
};

}  // namespace stackae::data
