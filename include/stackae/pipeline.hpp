#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "stackae/inputs.hpp"
#include "stackae/model.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

/// What encoding many pictures takes of the machine. Results do not depend on it.
struct PipelineOptions {
    std::int64_t batch_size = 256;  ///< pictures at a time; fewer where the memory asks for it
    int threads = 0;                ///< see resolve_threads()
    std::int64_t memory = 0;        ///< bytes in all, see resolve_memory()
    /// Folder that keeps the codes made so far, until remove_encoding_checkpoint(); empty: nothing is kept.
    std::string checkpoint = {};
    double checkpoint_every = 300.0;  ///< seconds
    /// Go on where the checkpoint is, if there is one; else what it holds is replaced.
    bool resume = false;
    /// What was not kept yet is kept when all are encoded, too, where that is more than a moment's work: long
    /// work follows before the output is safe.
    bool keep_all = false;
};

/// Pictures to be encoded, and what by. Inputs and model must outlive the call.
struct EncodeRequest {
    const Inputs& inputs;
    const Model& model;
    EncodeOptions encode = {};                        ///< its threads are settled by PipelineOptions
    bool need_label = false;                          ///< pictures without a label are skipped
    std::optional<std::string> label = std::nullopt;  ///< in place of their own
};

/// Pictures that were read and what the model made of them: codes n × code_size.
using CodeSink = std::function<void(const InputBatch& batch, const Tensor& codes)>;

/// Bytes that encode_inputs() takes at least: the model and one picture.
[[nodiscard]] std::int64_t min_encoding_memory(const EncodeRequest& request);

/// Reads all inputs, encodes them on several threads (a single picture on one), and hands batch after batch
/// to the sink, on the caller's thread and in the inputs' order. Every picture is entered into the manifest,
/// which is left for the caller to finish(); its observer is told of progress. False where the observer said
/// stop: the sink has not been given all pictures then. Throws InvalidArgument where min_encoding_memory() is
/// more than PipelineOptions::memory allows or the model has no such output, NotFinite naming the picture,
/// and whatever the sink or the observer throws.
///
/// With a checkpoint that is gone on with, the manifest and the sink are given first what it holds, and all
/// is as if the run had never been stopped. A picture that was skipped and whose file has changed is tried
/// again: what was kept from about there on is made anew, and the observer is told by on_remark(). Throws
/// InvalidArgument, before any picture is read, where model, options or a picture that was encoded (name,
/// label, size and time of its file) are others, naming what; IoError where another run has the checkpoint.
bool encode_inputs(const EncodeRequest& request, const PipelineOptions& options, Manifest& manifest,
                   const CodeSink& sink);

/// Whether an encoding keeps its codes in this folder.
[[nodiscard]] bool has_encoding_checkpoint(const std::string& folder);
/// How far an encoding has come.
struct EncodingProgress {
    std::int64_t pictures = 0;  ///< of its inputs, from the first one on, those that were skipped included
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::string model;                      ///< its identity
    std::filesystem::file_time_type begun;  ///< when its first codes were written
};
/// Reads the checkpoint in a folder. Throws IoError, or CorruptFile naming the file and what is wrong with
/// it.
[[nodiscard]] EncodingProgress load_encoding_progress(const std::string& folder);
/// Once the output is safe; nothing where there is no such folder. False where the folder stays, since other
/// files are in it, such as kept recommendations, or another run has it. Throws IoError where codes stay.
bool remove_encoding_checkpoint(const std::string& folder);

}  // namespace stackae
