#include <exception>
#include <new>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>
#include <stdexcept>
#include <string>
#include <variant>

#include "export/onnx_file.hpp"

namespace {

using stackae::exporting::OnnxFile;
using stackae::exporting::OnnxTensorType;

constexpr int ir_version = 8;

void set_type(const OnnxTensorType& type, onnx::ValueInfoProto& info) {
    info.set_name(type.name);
    if (type.image) {
        info.mutable_type()->set_denotation("IMAGE");
    }
    auto* tensor = info.mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type.bytes ? onnx::TensorProto::UINT8 : onnx::TensorProto::FLOAT);
    auto* batch = tensor->mutable_shape()->add_dim();
    batch->set_dim_param("N");
    batch->set_denotation("DATA_BATCH");
    for (std::size_t i = 0; i < type.shape.size(); ++i) {
        auto* side = tensor->mutable_shape()->add_dim();
        side->set_dim_value(type.shape[i]);
        if (type.image) {
            side->set_denotation(i == 0 ? "DATA_CHANNEL" : "DATA_FEATURE");
        }
    }
}

void add_constant(const stackae::layers::OnnxConstant& constant, onnx::GraphProto& graph) {
    auto* tensor = graph.add_initializer();
    tensor->set_name(constant.name);
    for (const std::int64_t side : constant.shape) {
        tensor->add_dims(side);
    }
    std::visit(
        [&](const auto& values) {
            using Value = typename std::decay_t<decltype(values)>::value_type;
            tensor->set_data_type(std::is_same_v<Value, float> ? onnx::TensorProto::FLOAT
                                                               : onnx::TensorProto::INT64);
            tensor->set_raw_data(values.data(), values.size() * sizeof(Value));
        },
        constant.values);
}

void add_node(const stackae::layers::OnnxNode& from, onnx::GraphProto& graph) {
    auto* node = graph.add_node();
    node->set_op_type(from.op);
    node->set_name(from.outputs.front());
    for (const std::string& input : from.inputs) {
        node->add_input(input);
    }
    for (const std::string& output : from.outputs) {
        node->add_output(output);
    }
    for (const auto& [name, value] : from.attributes) {
        auto* attribute = node->add_attribute();
        attribute->set_name(name);
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            attribute->set_type(onnx::AttributeProto::INT);
            attribute->set_i(*number);
        } else if (const auto* real = std::get_if<float>(&value)) {
            attribute->set_type(onnx::AttributeProto::FLOAT);
            attribute->set_f(*real);
        } else {
            attribute->set_type(onnx::AttributeProto::INTS);
            for (const std::int64_t side : std::get<std::vector<std::int64_t>>(value)) {
                attribute->add_ints(side);
            }
        }
    }
}

/// Throws where protobuf cannot write so much: it would write nothing.
void check_size(const OnnxFile& file) {
    constexpr std::size_t most = std::size_t{2'000'000'000};
    std::size_t bytes = 0;
    for (const auto& constant : file.graph.constants()) {
        bytes += std::visit([](const auto& values) { return values.size() * sizeof(values.front()); },
                            constant.values);
    }
    if (bytes > most) {
        throw std::length_error("weights of " + std::to_string(bytes) + " bytes found, " +
                                std::to_string(most) + " at most expected in one file");
    }
}

std::string bytes_of(const OnnxFile& file) {
    check_size(file);
    onnx::ModelProto model;
    model.set_ir_version(ir_version);
    model.set_producer_name("stackae");
    model.set_producer_version(file.producer_version);
    model.set_doc_string(file.text);
    auto* opset = model.add_opset_import();
    opset->set_domain("");
    opset->set_version(file.opset);
    for (const auto& [key, value] : file.metadata) {
        auto* entry = model.add_metadata_props();
        entry->set_key(key);
        entry->set_value(value);
    }
    auto* graph = model.mutable_graph();
    graph->set_name("stackae");
    set_type(file.input, *graph->add_input());
    set_type(file.output, *graph->add_output());
    for (const auto& constant : file.graph.constants()) {
        add_constant(constant, *graph);
    }
    for (const auto& node : file.graph.nodes()) {
        add_node(node, *graph);
    }
    onnx::checker::check_model(model);
    // Shapes that the operators make of one another have to be those that are stated.
    onnx::ModelProto inferred = model;
    onnx::shape_inference::InferShapes(inferred, onnx::OpSchemaRegistry::Instance(),
                                       onnx::ShapeInferenceOptions(true, 1, true));
    std::string bytes;
    if (!model.SerializeToString(&bytes)) {
        throw std::runtime_error("the graph cannot be written");
    }
    return bytes;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) bool stackae_write_onnx(const OnnxFile& file,
                                                                          std::string& result) {
    try {
        result = bytes_of(file);
        return true;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        result = error.what();
        return false;
    }
}
