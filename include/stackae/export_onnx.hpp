#pragma once

#include <cstdint>
#include <string>

#include "stackae/enum_names.hpp"
#include "stackae/gallery.hpp"
#include "stackae/model.hpp"
#include "stackae/output_files.hpp"
#include "stackae/patch_memory.hpp"

/// Models for other programs, as ONNX (https://onnx.ai).
namespace stackae {

/// What the graph's input `image` holds. Has names.
enum class OnnxInput {
    uint8,    ///< bytes, as pictures are decoded
    float32,  ///< the same values as floats: 0 to 255, or of channels with ranges the numbers in files
};

/// What a graph makes of what. Has names.
enum class OnnxPart {
    encoder,  ///< features, as Encoder::encode()
    decoder,  ///< the way back, from `features`, as Encoder::decode()
    /// What goes in as it is rebuilt, as Encoder::reconstruct(): of a table's row, the scores of all columns.
    autoencoder,
};

struct OnnxOptions {
    std::string output = {};  ///< as Model::depth_of(); of the decoder, from where it leads back
    OnnxPart part = OnnxPart::encoder;
    OnnxInput input = OnnxInput::uint8;
    int opset = 13;  ///< 13 to 17
};

/// Writes a model as one file of ONNX (IR version 8, operators of the default domain), checked by ONNX's own
/// checker. Its input is `image`, N × channels × height × width, N free: pictures as they are after decoding
/// and resizing to the preprocessing's height and width; for rows of numbers `row`, N × values, float32.
/// Everything after that is nodes of the graph, whose output is `features`, N × code_size(); products are of
/// float32, whatever a layer's precision. A decoder's input is `features` and its output `image` or `row`, as
/// the first layer sees it, which is from 0 to 1 where the preprocessing has unit_range(); an autoencoder's
/// output is the same as `rebuilt`, or, of a table's users, as `scores`, a value a column, those of what a
/// row has already too. The file's metadata tells the identity, the preprocessing and class names
/// (`stackae.*`), and what pixels are by ONNX's keys (`Image.*`). Throws InvalidArgument where an option or a
/// layer cannot be, IoError, and Error where libonnx is not there.
void export_onnx(const Model& model, const OnnxOptions& options, const OutputFile& file);
void export_onnx(const Model& model, const OnnxOptions& options, const std::string& path);

/// A patch memory. Its output is, by OnnxOptions::output, `map`, N × 1 × height × width, the enlarge_map() of
/// AnomalyScore::map (when not told otherwise), or `score`, N × 1 (by the operator TopK where the rule takes
/// a mean). The metadata has `stackae.rule` and `stackae.threshold`, that of 1 % of false alarms, too. There
/// is no part but the encoder.
void export_onnx(const PatchMemory& memory, const OnnxOptions& options, const OutputFile& file);
void export_onnx(const PatchMemory& memory, const OnnxOptions& options, const std::string& path);

/// A gallery, with the model that made its codes. Its output is `distances`, N × names, to the nearest entry
/// of each name: the smallest is the nearest name, which is known where it is at most `stackae.threshold` of
/// the metadata; `stackae.names` has the names in the columns' order. There is no other output or part.
/// Throws also InvalidArgument as check_model(), and where the gallery is empty.
void export_onnx(const Model& model, const Gallery& gallery, const OnnxOptions& options,
                 const OutputFile& file);
void export_onnx(const Model& model, const Gallery& gallery, const OnnxOptions& options,
                 const std::string& path);

}  // namespace stackae
