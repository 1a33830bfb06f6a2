#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "stackae/interactions.hpp"

#include "base/safetensors.hpp"

namespace stackae {

/// The extents of a table, as a model's file tells them.
[[nodiscard]] nlohmann::json json_of(const Interactions& table);

/// What a file holds of a table beside them: the ids, each ended by a zero byte, and numbers of 32 bits, low
/// bytes first: how many items each user has, which, and their values.
class TableContent {
public:
    /// The table must outlive it: its entries are not copied.
    explicit TableContent(const Interactions& table);

    /// This must outlive them.
    void reference(base::TensorReferences& tensors) const;

private:
    const Interactions& table_;
    std::string users_;
    std::string items_;
    std::vector<std::uint32_t> lengths_;
};

/// The same back. Throws CorruptFile.
[[nodiscard]] Interactions read_table(const base::Safetensors& file, const nlohmann::json& described);

}  // namespace stackae
