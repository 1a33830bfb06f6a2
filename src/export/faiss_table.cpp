#include <cstdint>
#include <memory>
#include <string>

#include "export/little_endian.hpp"
#include "export/tables.hpp"

namespace stackae::features {
namespace {

/// A flat index of FAISS for Euclidean distances, IndexFlatL2, as its write_index() writes it
/// (https://github.com/facebookresearch/faiss, impl/index_write.cpp).
class FaissTable final : public Table {
public:
    FaissTable(FileOutput& out, std::unique_ptr<Table> names, std::int64_t columns)
        : out_(out), names_(std::move(names)), columns_(columns) {
        out_.write(header());
    }

    void write_row(const FeatureRow& row, std::span<const float> code) override {
        out_.write(std::as_bytes(code));
        names_->write_row(row, code);
        ++rows_;
    }
    void end() override {
        out_.patch(header());
        names_->end();
    }

private:
    [[nodiscard]] std::string header() const {
        constexpr std::int64_t unused = std::int64_t{1} << 20U;
        std::string text = "IxF2";
        put_number<std::int32_t>(text, static_cast<std::int32_t>(columns_));
        put_number<std::int64_t>(text, rows_);
        put_number<std::int64_t>(text, unused);
        put_number<std::int64_t>(text, unused);
        put_number<std::uint8_t>(text, 1);  // there is nothing to train
        put_number<std::int32_t>(text, 1);  // METRIC_L2
        put_number<std::uint64_t>(text, static_cast<std::uint64_t>(rows_ * columns_));
        return text;
    }

    FileOutput& out_;
    std::unique_ptr<Table> names_;
    std::int64_t columns_;
    std::int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<Table> make_faiss_table(FileOutput& out, Output& names, const TableOptions& options) {
    return std::make_unique<FaissTable>(out, make_names_table(names, options), options.columns);
}

}  // namespace stackae::features
