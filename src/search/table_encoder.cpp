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
          items(model.table.item_count()),
          batch(std::clamp<std::int64_t>(batch_floats / std::max(items, plain.code_size()), 1, max_batch)) {}

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
    /// y, items × code size.
    [[nodiscard]] Tensor decoder_rows();

    EncodeOptions options;
    Encoder plain;  ///< without scaling
    std::int64_t items;
    std::int64_t batch;
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
    Tensor rows({items, size});
    for (std::int64_t first = 0; first < size; first += batch) {
        const std::int64_t count = std::min(batch, size - first);
        const Tensor some = without_first(plain.decode(zero_and_units(first, count, size)));
        for (std::int64_t item = 0; item < items; ++item) {
            for (std::int64_t k = 0; k < count; ++k) {
                rows.row(item)[static_cast<std::size_t>(first + k)] =
                    some.row(k)[static_cast<std::size_t>(item)];
            }
        }
    }
    return rows;
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
    if (table.item_count() != state_->items) {
        throw InvalidArgument(fmt::format("table encoder: rows of {} items found, {} expected",
                                          table.item_count(), state_->items));
    }
    return state_->normalized(state_->encode(dense_rows(table, first, count)));
}

Tensor TableEncoder::items(std::int64_t first, std::int64_t count) {
    State& s = *state_;
    if (first < 0 || count < 0 || first > s.items - count) {
        throw InvalidArgument(
            fmt::format("table encoder: {} items from {} found, {} there are", count, first, s.items));
    }
    if (s.decodes_to_itself()) {
        return s.normalized(without_first(s.plain.encode(zero_and_units(first, count, s.items))));
    }
    if (s.rows_of_decoder.empty()) {
        s.rows_of_decoder = s.decoder_rows();
    }
    Tensor some({count, s.plain.code_size()});
    std::copy_n(s.rows_of_decoder.data() + first * some.columns(), some.size(), some.data());
    return s.normalized(std::move(some));
}

std::int64_t TableEncoder::item_bytes() {
    return state_->decodes_to_itself()
               ? 0
               : state_->items * state_->plain.code_size() * static_cast<std::int64_t>(sizeof(float));
}

std::int64_t TableEncoder::code_size() const {
    return state_->plain.code_size();
}

std::int64_t TableEncoder::batch_size() const {
    return state_->batch;
}

}  // namespace stackae
