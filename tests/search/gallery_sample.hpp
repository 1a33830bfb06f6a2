#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stackae/gallery.hpp"

#include "search/vectors.hpp"

namespace stackae::test {

/// Entries on a line.
inline Gallery line(const std::vector<std::string>& names, const std::vector<float>& places) {
    Gallery gallery;
    gallery.model_identity = "0123456789abcdef";
    gallery.model_path = "models/line.stackae";
    gallery.depth = 2;
    gallery.codes = table(static_cast<std::int64_t>(places.size()), 1, places);
    gallery.names = names;
    for (std::size_t i = 0; i < names.size(); ++i) {
        gallery.paths.push_back(names[i] + "/" + std::to_string(i) + ".png");
    }
    return gallery;
}

}  // namespace stackae::test
