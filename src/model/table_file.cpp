#include "model/table_file.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "stackae/error.hpp"

#include "base/with_context.hpp"
#include "model/json_reader.hpp"

namespace stackae {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie in memory");

/// Ids are kept byte for byte, whatever they are.
std::string pack_ids(const std::vector<std::string>& ids) {
    std::string bytes;
    for (const std::string& id : ids) {
        bytes += id;
        bytes += '\0';
    }
    return bytes;
}

template <class Number>
std::span<const std::byte> bytes_of(const std::vector<Number>& numbers) {
    static_assert(sizeof(Number) == 4);
    return std::as_bytes(std::span(numbers));
}

[[noreturn]] void corrupt(const base::Safetensors& file, const char* tensor, std::size_t found,
                          const std::string& expected) {
    throw CorruptFile(
        fmt::format("{}: tensor \"{}\": {} found, {} expected", file.path, tensor, found, expected));
}

std::vector<std::string> unpack_ids(const base::Safetensors& file, const char* tensor, std::size_t count) {
    const std::string& bytes = file.bytes(tensor);
    const auto ends = static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\0'));
    if (ends != count || (!bytes.empty() && bytes.back() != '\0')) {
        corrupt(file, tensor, ends, fmt::format("{} ids, each ended by a zero byte", count));
    }
    std::vector<std::string> ids;
    ids.reserve(count);
    for (std::size_t begin = 0; begin < bytes.size(); begin += ids.back().size() + 1) {
        ids.push_back(bytes.substr(begin, bytes.find('\0', begin) - begin));
    }
    return ids;
}

template <class Number>
std::vector<Number> unpack_numbers(const base::Safetensors& file, const char* tensor, std::size_t count) {
    const std::string& bytes = file.bytes(tensor);
    if (bytes.size() / sizeof(Number) != count || bytes.size() % sizeof(Number) != 0) {
        corrupt(file, tensor, bytes.size(), fmt::format("{} numbers of {} bytes", count, sizeof(Number)));
    }
    std::vector<Number> numbers(count);
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
    return numbers;
}

}  // namespace

Json json_of(const Interactions& table) {
    return {{"users", table.users.size()},
            {"items", table.items.size()},
            {"entries", table.columns.size()},
            {"value", name(table.value_mode)}};
}

TableContent::TableContent(const Interactions& table)
    : table_(table), users_(pack_ids(table.users)), items_(pack_ids(table.items)) {
    for (std::int64_t user = 0; user < table.user_count(); ++user) {
        lengths_.push_back(static_cast<std::uint32_t>(table.items_of(user).size()));
    }
}

void TableContent::reference(base::TensorReferences& tensors) const {
    tensors.emplace_back("table.users", &users_);
    tensors.emplace_back("table.items", &items_);
    tensors.emplace_back("table.lengths", bytes_of(lengths_));
    tensors.emplace_back("table.columns", bytes_of(table_.columns));
    tensors.emplace_back("table.values", bytes_of(table_.values));
}

Interactions read_table(const base::Safetensors& file, const Json& described) {
    const JsonReader reader(described, file.path + ": table");
    std::size_t users = 0;
    std::size_t items = 0;
    std::size_t entries = 0;
    reader.required("users", users);
    reader.required("items", items);
    reader.required("entries", entries);
    std::string value = name(ValueMode::binary);
    reader.optional("value", value);
    Interactions table;
    base::with_context<CorruptFile>(file.path + ": table",
                                    [&] { table.value_mode = parse<ValueMode>(value); });
    table.users = unpack_ids(file, "table.users", users);
    table.items = unpack_ids(file, "table.items", items);
    table.columns = unpack_numbers<std::int32_t>(file, "table.columns", entries);
    table.values = unpack_numbers<float>(file, "table.values", entries);
    for (const std::uint32_t length : unpack_numbers<std::uint32_t>(file, "table.lengths", users)) {
        table.offsets.push_back(table.offsets.back() + std::int64_t{length});
    }
    base::with_context<CorruptFile>(file.path, [&] { check(table); });
    return table;
}

}  // namespace stackae
