#pragma once

#include <optional>
#include <string>

#include "stackae/model.hpp"

#include "base/safetensors.hpp"
#include "model/table_file.hpp"

namespace stackae {

/// What load_model() makes of a file that was read already.
[[nodiscard]] Model read_model(base::Safetensors file);

/// What a file says of a model, which must outlive it.
class ModelContent {
public:
    explicit ModelContent(const Model& model);
    ModelContent(const ModelContent&) = delete;
    ModelContent& operator=(const ModelContent&) = delete;
    ~ModelContent() = default;

    /// JSON: the metadata's entry "model".
    [[nodiscard]] const std::string& description() const { return description_; }
    [[nodiscard]] const base::TensorReferences& tensors() const { return tensors_; }

private:
    std::string description_;
    base::TensorReferences tensors_;
    Tensor mean_;
    Tensor deviation_;
    std::string class_names_;
    std::string history_;
    std::optional<TableContent> table_;
};

/// The same back, of a model that need not be whole. Throws CorruptFile.
[[nodiscard]] Model read_content(base::Safetensors& file);

}  // namespace stackae
