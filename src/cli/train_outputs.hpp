#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/console.hpp"
#include "cli/output.hpp"

namespace stackae::cli {

/// The files that `train` writes; the model's checkpoint is another.
struct TrainOutputs {
    std::string model;
    std::string log;
    std::string manifest;
    std::string saved_config;
    bool model_named = false;  ///< by -o

    /// All of them, with what messages call them.
    [[nodiscard]] std::vector<NamedPath> paths() const;
};

/// models/NAME.stackae, NAME the input's without endings; the folder is made.
[[nodiscard]] std::string default_output(const std::string& input);

/// Where the model and what is beside it go: nothing that is read or is no model is replaced, and a name that
/// nobody chose replaces no model of another input; says what will be replaced. read: what is read, the input
/// first. data: data_identity() of it. Throws UsageError, IoError.
void prepare_outputs(Console& console, const TrainOutputs& outputs, const std::vector<NamedPath>& read,
                     bool resume, const std::function<std::string()>& data);

}  // namespace stackae::cli
