#pragma once

#include "stackae/image_dataset.hpp"

#include "cli/option_parser.hpp"

namespace stackae::cli {

/// Declares the options of `train` that say how pictures are prepared, in a group of their own. wanted: what
/// they set; it has to stay.
void declare(OptionParser& parser, PreprocessingOptions& wanted);

}  // namespace stackae::cli
