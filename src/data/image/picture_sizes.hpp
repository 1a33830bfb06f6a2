#pragma once

#include "stackae/image_dataset.hpp"

namespace stackae::data {

/// Of pictures that were looked at, as they are in their files.
struct PictureSizes {
    int least_height = 0;
    int greatest_height = 0;
    int least_width = 0;
    int greatest_width = 0;
    bool some_gray = false;
    bool some_coloured = false;
};

/// As stackae::choose_preprocessing(), and tells what it saw of the pictures; nothing of rows of numbers.
[[nodiscard]] Preprocessing choose_preprocessing(const ImageDataset& pictures,
                                                 const PreprocessingOptions& options, int threads,
                                                 PictureSizes& seen);

}  // namespace stackae::data
