#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stackae/resources.hpp"
#include "stackae/text.hpp"

#include "export/little_endian.hpp"
#include "export/tables.hpp"

namespace stackae::features {
namespace {

/// Thrift's compact protocol, which Parquet's headers are in
/// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md): fields in rising
/// order, each with its number, counted from the one before.
class Thrift {
public:
    Thrift& whole(int field, std::int64_t value) { return begin(field, i64).put_zigzag(value); }
    Thrift& enumerated(int field, std::int32_t value) { return begin(field, i32).put_zigzag(value); }
    Thrift& text(int field, std::string_view value) { return begin(field, binary).put_text(value); }
    Thrift& structure(int field, const Thrift& value) { return begin(field, structured).append(value); }
    Thrift& structures(int field, const std::vector<Thrift>& values) {
        begin(field, list).put_list(values.size(), structured);
        for (const Thrift& value : values) {
            append(value);
        }
        return *this;
    }
    Thrift& enumerations(int field, const std::vector<std::int32_t>& values) {
        begin(field, list).put_list(values.size(), i32);
        for (const std::int32_t value : values) {
            put_zigzag(value);
        }
        return *this;
    }
    Thrift& texts(int field, const std::vector<std::string>& values) {
        begin(field, list).put_list(values.size(), binary);
        for (const std::string& value : values) {
            put_text(value);
        }
        return *this;
    }
    /// With what ends a structure.
    [[nodiscard]] std::string bytes() const { return bytes_ + '\0'; }

private:
    enum Type : std::uint8_t { i32 = 5, i64 = 6, binary = 8, list = 9, structured = 12 };

    Thrift& begin(int field, Type type) {
        bytes_ += static_cast<char>((static_cast<unsigned>(field - last_) << 4U) | type);
        last_ = field;
        return *this;
    }
    Thrift& append(const Thrift& value) {
        bytes_ += value.bytes();
        return *this;
    }
    Thrift& put_zigzag(std::int64_t value) {
        put_varint(bytes_,
                   (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63U));
        return *this;
    }
    Thrift& put_text(std::string_view value) {
        put_varint(bytes_, value.size());
        bytes_ += value;
        return *this;
    }
    void put_list(std::size_t size, Type type) {
        constexpr std::size_t short_size = 15;
        bytes_ += static_cast<char>((static_cast<unsigned>(std::min(size, short_size)) << 4U) | type);
        if (size >= short_size) {
            put_varint(bytes_, size);
        }
    }

public:
    static void put_varint(std::string& to, std::uint64_t value) {
        for (; value >= 0x80U; value >>= 7U) {
            to += static_cast<char>((value & 0x7FU) | 0x80U);
        }
        to += static_cast<char>(value);
    }

private:
    std::string bytes_;
    int last_ = 0;
};

// Parquet's numbers (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift).
enum class Type { float32 = 4, byte_array = 6 };
enum class Repetition { required = 0, optional = 1, repeated = 2 };
constexpr std::int32_t plain = 0;
constexpr std::int32_t run_lengths = 3;
constexpr std::int32_t utf8 = 0;
constexpr std::int32_t list_type = 3;
constexpr int string_logical_type = 1;
constexpr int list_logical_type = 3;

template <class Enum>
std::int32_t number(Enum value) {
    return static_cast<std::int32_t>(value);
}

Thrift node(const char* name, std::optional<Type> type, Repetition repetition) {
    Thrift element;
    if (type) {
        element.enumerated(1, number(*type));
    }
    element.enumerated(3, number(repetition)).text(4, name);
    return element;
}

Thrift text_node(const char* name, Repetition repetition) {
    return node(name, Type::byte_array, repetition)
        .enumerated(6, utf8)
        .structure(10, Thrift().structure(string_logical_type, {}));
}

/// Levels of one bit, as runs of equal ones, with their length before.
class Levels {
public:
    void add(bool level, std::uint64_t count = 1) {
        if (count == 0) {
            return;
        }
        if (level != level_) {
            flush();
        }
        level_ = level;
        count_ += count;
    }
    /// Afterwards there is nothing in it.
    std::string take() {
        flush();
        std::string all;
        put_number<std::uint32_t>(all, static_cast<std::uint32_t>(runs_.size()));
        return all + std::exchange(runs_, {});
    }

private:
    void flush() {
        if (count_ > 0) {
            Thrift::put_varint(runs_, count_ << 1U);
            runs_ += level_ ? '\1' : '\0';
            count_ = 0;
        }
    }

    std::string runs_;
    bool level_ = false;
    std::uint64_t count_ = 0;
};

/// One column of a group of rows, as it gathers.
struct Column {
    std::vector<std::string> path;
    Type type;
    bool has_repetitions = false;
    bool has_definitions = false;
    Levels repetitions = {};
    Levels definitions = {};
    std::string values = {};
    std::int64_t count = 0;
};

void put_text(Column& column, const std::optional<std::string>& text) {
    if (text) {
        const std::string utf = to_utf8(*text);
        put_number<std::uint32_t>(column.values, static_cast<std::uint32_t>(utf.size()));
        column.values += utf;
    }
    column.definitions.add(text.has_value());
    ++column.count;
}

/// Columns of names, `label` where there are labels, and `features`, a list of floats; plain and not
/// compressed.
class ParquetTable final : public Table {
public:
    ParquetTable(FileOutput& out, const TableOptions& options) : out_(out), kind_(name(options.kind)) {
        columns_.push_back({{kind_}, Type::byte_array});
        if (options.labelled) {
            columns_.push_back({.path = {"label"}, .type = Type::byte_array, .has_definitions = true});
        }
        columns_.push_back({.path = {"features", "list", "element"},
                            .type = Type::float32,
                            .has_repetitions = true,
                            .has_definitions = true});
        write(magic);
    }

    void write_row(const FeatureRow& row, std::span<const float> code) override {
        put_text(columns_.front(), row.path);
        if (columns_.size() > 2) {
            put_text(columns_[1], row.label);
        }
        Column& features = columns_.back();
        features.values.append(reinterpret_cast<const char*>(code.data()), code.size_bytes());
        features.repetitions.add(false);
        features.repetitions.add(true, code.size() - 1);
        features.definitions.add(true, code.size());
        features.count += std::ssize(code);
        ++rows_;
        std::size_t bytes = 0;
        for (const Column& column : columns_) {
            bytes += column.values.size();
        }
        if (bytes >= group_bytes) {
            end_group();
        }
    }

    void end() override {
        end_group();
        const std::string footer = Thrift()
                                       .enumerated(1, 1)
                                       .structures(2, schema())
                                       .whole(3, all_rows_)
                                       .structures(4, groups_)
                                       .text(6, fmt::format("stackae version {}", version()))
                                       .bytes();
        write(footer);
        std::string size;
        put_number<std::uint32_t>(size, static_cast<std::uint32_t>(footer.size()));
        write(size);
        write(magic);
    }

private:
    static constexpr std::string_view magic = "PAR1";
    static constexpr std::size_t group_bytes = std::size_t{32} << 20U;

    void write(std::string_view bytes) {
        out_.write(bytes);
        written_ += std::ssize(bytes);
    }

    [[nodiscard]] std::vector<Thrift> schema() const {
        const bool labelled = columns_.size() > 2;
        std::vector<Thrift> all{Thrift().text(4, "schema").enumerated(5, labelled ? 3 : 2),
                                text_node(kind_.c_str(), Repetition::required)};
        if (labelled) {
            all.push_back(text_node("label", Repetition::optional));
        }
        all.push_back(node("features", {}, Repetition::required)
                          .enumerated(5, 1)
                          .enumerated(6, list_type)
                          .structure(10, Thrift().structure(list_logical_type, {})));
        all.push_back(node("list", {}, Repetition::repeated).enumerated(5, 1));
        all.push_back(node("element", Type::float32, Repetition::required));
        return all;
    }

    /// Writes what has gathered of a column; what the footer says of it.
    Thrift end_column(Column& column) {
        std::string page = column.has_repetitions ? column.repetitions.take() : "";
        page += column.has_definitions ? column.definitions.take() : "";
        const auto size = static_cast<std::int32_t>(page.size() + column.values.size());
        const std::string header =
            Thrift()
                .enumerated(1, 0)
                .enumerated(2, size)
                .enumerated(3, size)
                .structure(5, Thrift()
                                  .enumerated(1, static_cast<std::int32_t>(column.count))
                                  .enumerated(2, plain)
                                  .enumerated(3, run_lengths)
                                  .enumerated(4, run_lengths))
                .bytes();
        const std::int64_t begin = written_;
        write(header);
        write(page);
        write(column.values);
        const std::int64_t bytes = written_ - begin;
        const Thrift said = Thrift()
                                .enumerated(1, number(column.type))
                                .enumerations(2, {plain, run_lengths})
                                .texts(3, column.path)
                                .enumerated(4, 0)
                                .whole(5, column.count)
                                .whole(6, bytes)
                                .whole(7, bytes)
                                .whole(9, begin);
        column.values.clear();
        column.definitions = {};
        column.count = 0;
        return Thrift().whole(2, begin).structure(3, said);
    }

    void end_group() {
        if (rows_ == 0) {
            return;
        }
        const std::int64_t begin = written_;
        std::vector<Thrift> chunks;
        for (Column& column : columns_) {
            chunks.push_back(end_column(column));
        }
        groups_.push_back(Thrift().structures(1, chunks).whole(2, written_ - begin).whole(3, rows_));
        all_rows_ += std::exchange(rows_, 0);
    }

    FileOutput& out_;
    std::string kind_;
    std::vector<Column> columns_;
    std::vector<Thrift> groups_;
    std::int64_t rows_ = 0;  ///< of the group that gathers
    std::int64_t all_rows_ = 0;
    std::int64_t written_ = 0;
};

}  // namespace

std::unique_ptr<Table> make_parquet_table(FileOutput& out, const TableOptions& options) {
    return std::make_unique<ParquetTable>(out, options);
}

}  // namespace stackae::features
