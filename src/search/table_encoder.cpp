#include "stackae/table_encoder.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "stackae/error.hpp"

#include "base/rows.hpp"
#include "model/among_others.hpp"

namespace stackae {
namespace {

constexpr std::int64_t batch_floats = std::int64_t{4} << 20U;  ///< of rows, and of codes
constexpr std::int64_t max_batch = 256;

/// Row 0 is 0, the others are the unit vectors from the first one on.
Tensor zero_and_units(std::int64_t first, std::int64_t count, std::int64_t columns) {
    Tensor rows({count + 1, columns});
    for (std::int64_t i = 0; i < count; ++i) {
        rows.row(i + 1)[static_cast<std::size_t>(first + i)] = 1.0F;
    }
    return rows;
}

/// Rows from 1 on, each without row 0.
Tensor without_first(const Tensor& rows) {
    Tensor rest({rows.rows() - 1, rows.columns()});
    for (std::int64_t i = 0; i < rest.rows(); ++i) {
        std::transform(rows.row(i + 1).begin(), rows.row(i + 1).end(), rows.row(0).begin(),
                       rest.row(i).begin(), [](float a, float b) { return a - b; });
    }
    return rest;
}

}  // namespace

struct TableEncoder::State {
    State(const Model& model, const EncodeOptions& wanted)
        : options(wanted),
          plain(model, {.output = wanted.output, .threads = wanted.threads}),
          by_item(model.record.config.rows == TableRow::item),
          columns(model.input_shape().size()),
          batch(std::clamp<std::int64_t>(batch_floats / std::max(columns, plain.code_size()), 1, max_batch)),
          items(model.table.item_count()) {
        if (by_item) {
            turned = transposed(model.table);
        }
    }

    [[nodiscard]] Tensor encode(const Tensor& rows) {
        return rows.rows() == 1 ? encoding::among_others(rows, [&](const Tensor& two) { return encode(two); })
                                : plain.encode(rows);
    }
    [[nodiscard]] Tensor normalized(Tensor features) const {
        for (std::int64_t i = 0; options.l2_normalize && i < features.rows(); ++i) {
            base::l2_normalize(features.row(i), features.row(i));
        }
        return features;
    }
    /// Whether decoding leaves codes as they are, by how it takes two of them.
    bool decodes_to_itself();
    /// y, columns × code size.
    [[nodiscard]] Tensor decoder_rows();
    /// What is learnt of some columns: those of the numbers [first, first + count).
    [[nodiscard]] Tensor of_columns(std::int64_t first, std::int64_t count);
    /// That are held for it.
    [[nodiscard]] std::int64_t column_bytes() {
        return decodes_to_itself() ? 0
                                   : columns * plain.code_size() * static_cast<std::int64_t>(sizeof(float));
    }

    EncodeOptions options;
    Encoder plain;         ///< without scaling
    bool by_item;          ///< items are the rows, and users the columns
    std::int64_t columns;  ///< of a row that is learnt from
    std::int64_t batch;
    std::int64_t items;
    Interactions turned;  ///< items × users, where items are the rows
    std::optional<bool> to_itself;
    Tensor rows_of_decoder;
};

bool TableEncoder::State::decodes_to_itself() {
    if (!to_itself) {
        Tensor codes({2, plain.code_size()});
        for (std::int64_t k = 0; k < codes.columns(); ++k) {
            codes.row(1)[static_cast<std::size_t>(k)] = 1.0F / static_cast<float>(k + 2);
        }
        const Tensor decoded = plain.decode(codes);
        to_itself = decoded.columns() == codes.columns() &&
                    std::equal(codes.values().begin(), codes.values().end(), decoded.values().begin());
    }
    return *to_itself;
}

Tensor TableEncoder::State::decoder_rows() {
    const std::int64_t size = plain.code_size();
    Tensor rows({columns, size});
    for (std::int64_t first = 0; first < size; first += batch) {
        const std::int64_t count = std::min(batch, size - first);
        const Tensor some = without_first(plain.decode(zero_and_units(first, count, size)));
        for (std::int64_t column = 0; column < columns; ++column) {
            for (std::int64_t k = 0; k < count; ++k) {
                rows.row(column)[static_cast<std::size_t>(first + k)] =
                    some.row(k)[static_cast<std::size_t>(column)];
            }
        }
    }
    return rows;
}

Tensor TableEncoder::State::of_columns(std::int64_t first, std::int64_t count) {
    if (decodes_to_itself()) {
        return without_first(plain.encode(zero_and_units(first, count, columns)));
    }
    if (rows_of_decoder.empty()) {
        rows_of_decoder = decoder_rows();
    }
    Tensor some({count, plain.code_size()});
    std::copy_n(rows_of_decoder.data() + first * some.columns(), some.size(), some.data());
    return some;
}

TableEncoder::TableEncoder(const Model& model, const EncodeOptions& options) {
    if (model.table.items.empty()) {
        throw InvalidArgument("table encoder: a model of pictures found, one of a table expected");
    }
    state_ = std::make_unique<State>(model, options);
}

TableEncoder::~TableEncoder() = default;
TableEncoder::TableEncoder(TableEncoder&&) noexcept = default;
TableEncoder& TableEncoder::operator=(TableEncoder&&) noexcept = default;

Tensor TableEncoder::users(const Interactions& table, std::int64_t first, std::int64_t count) {
    State& s = *state_;
    if (table.item_count() != s.items) {
        throw InvalidArgument(
            fmt::format("table encoder: rows of {} items found, {} expected", table.item_count(), s.items));
    }
    if (!s.by_item) {
        return s.normalized(s.encode(dense_rows(table, first, count)));
    }
    if (table.users != s.turned.items) {
        throw InvalidArgument(
            "table encoder: other users than the model's found; one whose rows are items knows the users of "
            "its "
            "table alone");
    }
    return s.normalized(s.of_columns(first, count));
}

Tensor TableEncoder::items(std::int64_t first, std::int64_t count) {
    State& s = *state_;
    if (first < 0 || count < 0 || first > s.items - count) {
        throw InvalidArgument(
            fmt::format("table encoder: {} items from {} found, {} there are", count, first, s.items));
    }
    return s.normalized(s.by_item ? s.encode(dense_rows(s.turned, first, count))
                                  : s.of_columns(first, count));
}

std::int64_t TableEncoder::user_bytes() {
    return state_->by_item ? state_->column_bytes() : 0;
}

std::int64_t TableEncoder::item_bytes() {
    return state_->by_item ? 0 : state_->column_bytes();
}

std::int64_t TableEncoder::code_size() const {
    return state_->plain.code_size();
}

std::int64_t TableEncoder::batch_size() const {
    return state_->batch;
}

}  // namespace stackae
