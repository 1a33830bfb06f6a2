#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stackae/gallery.hpp"
#include "stackae/image_dataset.hpp"
#include "stackae/interactions.hpp"
#include "stackae/model.hpp"
#include "stackae/patch_memory.hpp"
#include "stackae/stackae.h"

// What handles are that several functions use. What is shared with others is never changed.

struct stackae_pictures {
    stackae::ImageDataset dataset;
};

struct stackae_table {
    stackae::Interactions table;
};

struct stackae_model {
    std::shared_ptr<const stackae::Model> model;
};

struct stackae_gallery {
    stackae::Gallery gallery;
    std::int64_t code_size = 0;  ///< of the model, where it is known
};

struct stackae_patch_memory {
    std::shared_ptr<const stackae::PatchMemory> memory;
};
