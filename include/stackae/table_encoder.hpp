#pragma once

#include <cstdint>
#include <memory>

#include "stackae/interactions.hpp"
#include "stackae/model.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

/// Features of users and of items for any classifier, by a model that was learnt from a table: of n items,
/// with codes h of c values. It keeps what it needs of the model. Use one per thread.
class TableEncoder {
public:
    /// Throws InvalidArgument where the model was not learnt from a table, or has no such output.
    explicit TableEncoder(const Model& model, const EncodeOptions& options = {});
    ~TableEncoder();
    TableEncoder(TableEncoder&&) noexcept;
    TableEncoder& operator=(TableEncoder&&) noexcept;

    /// Codes of rows [first, first + count) of a table of the model's items, which may be of users that it
    /// has never seen: count × c. A row's code does not depend on its neighbours. Throws InvalidArgument
    /// where the table has not n items, NotFinite.
    [[nodiscard]] Tensor users(const Interactions& table, std::int64_t first, std::int64_t count);
    /// Features of items [first, first + count): count × c. Rows of the decoder x̂ = decode(h), one an item,
    ///
    ///     y_ik = decode(e_k)_i − decode(0)_i,   e_k = (0, …, 1, …, 0) the k-th unit vector of a code,
    ///
    /// which are the weights of a linear decoder V, x̂ = V h + c. Where the code is the row as it is rebuilt
    /// already, and decoding leaves it as it is, the item's weights towards all:
    ///
    ///     y_i = encode(e_i) − encode(0),   e_i the row of somebody who has item i alone.
    ///
    /// Where items are the rows that it was learnt from, these are codes, and users() gives rows of the
    /// decoder, of the model's own users alone. Throws InvalidArgument where a layer has no decoder,
    /// NotFinite.
    [[nodiscard]] Tensor items(std::int64_t first, std::int64_t count);
    /// Bytes that users() and items() hold from their first call on, beside what they return: those of the
    /// decoder's rows, where they give these. Throw as they do.
    [[nodiscard]] std::int64_t user_bytes();
    [[nodiscard]] std::int64_t item_bytes();

    [[nodiscard]] std::int64_t code_size() const;
    /// Users or items that are best taken at a time.
    [[nodiscard]] std::int64_t batch_size() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stackae
