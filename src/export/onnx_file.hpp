#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "layers/onnx_graph.hpp"

/// What is written by libonnx, in a library of its own (libstackae_onnx.so) that is loaded when a model is
/// first written as ONNX: libonnx takes longer to load than most commands take.
namespace stackae::exporting {

struct OnnxTensorType {
    std::string name;
    bool bytes = false;               ///< uint8; else float32
    std::vector<std::int64_t> shape;  ///< beyond the batch, which is free
    bool image = false;               ///< N × C × H × W of a picture
};

struct OnnxFile {
    const layers::OnnxGraph& graph;
    OnnxTensorType input;
    OnnxTensorType output;
    int opset = 13;
    std::string producer_version;
    std::string text;  ///< for readers
    std::map<std::string, std::string> metadata;
};

/// Sets `result` to the file's bytes and gives true, or to why there are none, as by ONNX's checker, and
/// gives false. Throws std::bad_alloc.
using WriteOnnx = bool(const OnnxFile& file, std::string& result);
inline constexpr const char* onnx_library = "libstackae_onnx.so";
inline constexpr const char* write_onnx_name = "stackae_write_onnx";

/// The file's bytes. Throws InvalidArgument where ONNX's checker refuses it, Error where libonnx is not
/// there.
[[nodiscard]] std::string onnx_bytes(const OnnxFile& file);

}  // namespace stackae::exporting
