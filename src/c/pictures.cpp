#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/stackae.h"
#include "stackae/tensor.hpp"

#include "c/call.hpp"
#include "c/handles.hpp"

using namespace stackae::c;
using stackae::ImageDataset;
using stackae::Tensor;

namespace {

void set(stackae_pictures** pictures, ImageDataset dataset) {
    put(pictures, "pictures", std::unique_ptr<stackae_pictures>(new stackae_pictures{std::move(dataset)}));
}

/// Pictures' extents, of which each is 1 or more.
std::vector<std::int64_t> extents(std::int64_t n, std::int64_t height, std::int64_t width,
                                  std::int64_t channels) {
    check_at_least("pictures", 1, n);
    check_at_least("height", 1, height);
    check_at_least("width", 1, width);
    check_at_least("channels", 1, channels);
    return {n, height, width, channels};
}

/// Nothing of it is changed.
Tensor view_of(const float* values, std::vector<std::int64_t> shape) {
    return Tensor::view(std::move(shape), const_cast<float*>(&given(values, "values")));
}

char* text_or_null(const std::optional<std::string>& text) noexcept try {
    return text ? text_of(*text) : nullptr;
} catch (...) {
    return nullptr;
}

const ImageDataset* dataset_with(const stackae_pictures* pictures, std::int64_t i) {
    return pictures != nullptr && i >= 0 && i < pictures->dataset.size() ? &pictures->dataset : nullptr;
}

}  // namespace

stackae_status stackae_pictures_open(const char* path, stackae_pictures** pictures, char** message) {
    return call(message, [&] { set(pictures, ImageDataset::open(&given(path, "path"))); });
}

stackae_status stackae_pictures_from_files(const char* const* paths, int64_t n, stackae_pictures** pictures,
                                           char** message) {
    return call(message, [&] {
        check_at_least("files", 1, n);
        std::vector<stackae::ImageEntry> entries;
        for (std::int64_t i = 0; i < n; ++i) {
            entries.push_back({&given((&given(paths, "paths"))[i], "a path"), std::nullopt});
        }
        set(pictures, ImageDataset::from_entries("pictures", std::move(entries)));
    });
}

stackae_status stackae_pictures_from_bytes(const uint8_t* values, int64_t n, int64_t height, int64_t width,
                                           int64_t channels, stackae_pictures** pictures, char** message) {
    return call(message, [&] {
        Tensor floats(extents(n, height, width, channels));
        const std::uint8_t* const bytes = &given(values, "values");
        for (std::int64_t i = 0; i < floats.size(); ++i) {
            floats.data()[i] = static_cast<float>(bytes[i]) / float{std::numeric_limits<std::uint8_t>::max()};
        }
        set(pictures, ImageDataset::from_tensor(std::move(floats)));
    });
}

stackae_status stackae_pictures_from_floats(const float* values, int64_t n, int64_t height, int64_t width,
                                            int64_t channels, stackae_pictures** pictures, char** message) {
    return call(message, [&] {
        set(pictures, ImageDataset::from_tensor(view_of(values, extents(n, height, width, channels))));
    });
}

stackae_status stackae_pictures_from_rows(const float* values, int64_t n, int64_t d,
                                          stackae_pictures** pictures, char** message) {
    return call(message, [&] {
        check_at_least("rows", 1, n);
        check_at_least("values of a row", 1, d);
        set(pictures, ImageDataset::from_tensor(view_of(values, {n, d})));
    });
}

int64_t stackae_pictures_count(const stackae_pictures* pictures) {
    return pictures != nullptr ? pictures->dataset.size() : 0;
}

char* stackae_pictures_path(const stackae_pictures* pictures, int64_t i) try {
    const ImageDataset* const dataset = dataset_with(pictures, i);
    return dataset != nullptr ? text_or_null(dataset->entry(i).path) : nullptr;
} catch (...) {
    return nullptr;
}

char* stackae_pictures_label(const stackae_pictures* pictures, int64_t i) try {
    const ImageDataset* const dataset = dataset_with(pictures, i);
    return dataset != nullptr ? text_or_null(dataset->entry(i).label) : nullptr;
} catch (...) {
    return nullptr;
}

void stackae_pictures_free(stackae_pictures* pictures) {
    delete pictures;
}
