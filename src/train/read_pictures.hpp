#pragma once

#include <string>

#include "stackae/image_dataset.hpp"
#include "stackae/train.hpp"

#include "model/groups.hpp"
#include "train/sample_store.hpp"
#include "train/stack_input.hpp"

namespace stackae::training {

struct PicturesRead {
    SampleStore samples;   ///< those that could be read, as the preprocessing makes them
    bool stopped = false;  ///< the observer said so, before the end
    std::string values;    ///< a hash of them
};

/// Reads all pictures, and their labels, and tells the observer of what is skipped. Throws InvalidArgument
/// where not one can be read.
[[nodiscard]] PicturesRead read_pictures(const ImageDataset& pictures, const Preprocessing& preprocessing,
                                         const RunOptions& run, Stores& stores, LabelsSeen& labels,
                                         TrainObserver& observer);

}  // namespace stackae::training
