#pragma once

#include <string>

#include "stackae/image_dataset.hpp"
#include "stackae/model.hpp"

#include "cli/console.hpp"
#include "cli/train_monitor.hpp"

namespace stackae::cli {

/// "reconstruction of 75 rows held out, …": the stack's error beside that of PCA, and where it is worse what
/// can be done.
[[nodiscard]] std::string reconstruction_report(const ReconstructionErrors& errors);

/// Measures what rows of numbers that were held out are rebuilt with, puts it in the model and into its file,
/// and says so. The model is safe already: whatever goes wrong here is only told. read: what could be read of
/// what it was trained on. Returns the exit code, `code` unless it was interrupted.
[[nodiscard]] int compare_with_pca(Console& console, Model& model, const ImageDataset& read,
                                   const std::string& path, int threads, TrainMonitor& monitor, int code);

}  // namespace stackae::cli
