#pragma once

#include <functional>
#include <optional>
#include <string>

#include "stackae/model.hpp"

#include "cli/console.hpp"
#include "cli/inputs.hpp"
#include "cli/option_parser.hpp"
#include "cli/reading.hpp"

namespace stackae::cli {

/// What the commands that run pictures through a model have in common.
struct CodingOptions {
    std::int64_t batch_size = 256;
    std::string manifest;
    ReadingOptions reading;

    /// Declares --batch-size, --manifest and those of ReadingOptions in a group of their own.
    void declare(OptionParser& parser);
};

/// --layer and --normalize.
struct CodeOptions {
    int layer = 0;                     ///< 0: the last
    std::optional<bool> l2_normalize;  ///< absent: as the model means it, see encode()
    void declare(OptionParser& parser);
    /// What was said, and where --normalize was not: codes of the last layer as Model::l2_normalize says,
    /// others as they are.
    [[nodiscard]] EncodeOptions encode(const Model& model) const;
};
/// Throws UsageError when the model has no such layer (0: the last).
void check_layer(const Model& model, int layer);

/// Throws InvalidArgument where the codes of a gallery, once more as an index to search, take more than the
/// memory allowed. file: of a gallery to be read, or empty; more: bytes of codes that are to come.
void check_gallery_memory(const ReadingOptions& reading, const std::string& file, std::int64_t more = 0);

/// Pictures that were read, in order, and what the model made of them: n × code_size.
using CodeSink = std::function<void(const InputBatch& batch, const Tensor& codes)>;

/// Reads, encodes and hands on batch by batch, with a bar; what is handed on is in order. Threads are settled
/// here: one picture uses one. The account is kept but not finished.
struct CodingRun {
    const Inputs& inputs;
    const Model& model;
    EncodeOptions encode;
    bool need_label = false;
    std::optional<std::string> label = std::nullopt;
};
void encode_inputs(Console& console, const CodingRun& run, const CodingOptions& options, Account& account,
                   const CodeSink& sink);

}  // namespace stackae::cli
