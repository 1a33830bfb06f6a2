#pragma once

#include <cstdint>
#include <string>

#include "stackae/enum_names.hpp"
#include "stackae/model.hpp"
#include "stackae/output_files.hpp"

/// Models for other programs, as ONNX (https://onnx.ai).
namespace stackae {

/// What the graph's input `image` holds. Has names.
enum class OnnxInput {
    uint8,    ///< bytes, as pictures are decoded
    float32,  ///< the same values as floats: 0 to 255, or of measured channels the numbers that files hold
};

struct OnnxOptions {
    std::string output = {};  ///< as Model::depth_of(); of the decoder, from where it leads back
    /// The way back: from `features` to `image`, N × channels × height × width, as the first layer sees it,
    /// which is from 0 to 1 where the preprocessing has unit_range().
    bool decoder = false;
    OnnxInput input = OnnxInput::uint8;
    int opset = 13;  ///< 13 to 17
};

/// Writes a model as one file of ONNX (IR version 8, operators of the default domain), checked by ONNX's own
/// checker. Its input is `image`, N × channels × height × width, N free: pictures as they are after decoding
/// and resizing to the preprocessing's height and width; for rows of numbers `row`, N × values, float32.
/// Everything after that is nodes of the graph, whose output `features`, N × code_size(), is what Encoder
/// makes; products are of float32, whatever a layer's precision. The file's metadata tells the identity, the
/// preprocessing and class names (`stackae.*`), and what pixels are by ONNX's keys (`Image.*`). Throws
/// InvalidArgument where an option or a layer cannot be, IoError, and Error where libonnx is not there.
void export_onnx(const Model& model, const OnnxOptions& options, const OutputFile& file);
void export_onnx(const Model& model, const OnnxOptions& options, const std::string& path);

}  // namespace stackae
