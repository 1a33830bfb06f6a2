#include <fmt/format.h>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/layer.hpp"

#include "base/fields.hpp"
#include "base/with_context.hpp"
#include "layers/registry.hpp"
#include "layers/tensors.hpp"

namespace stackae {
namespace {

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t\n"), text.size());
    return text.substr(begin, text.find_last_not_of(" \t\n") + 1 - begin);
}

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(separator, begin), text.size());
        parts.push_back(trimmed(text.substr(begin, end - begin)));
        begin = end + 1;
    }
    return parts;
}

/// A field by its name and value, a flag by its name, or the value of the first field.
void parse_field(const base::FieldTable& table, std::string_view part, bool is_first) {
    const std::size_t equals = part.find('=');
    const bool has_value = equals != std::string_view::npos;
    base::Field* const field = table.find(part.substr(0, equals));
    if (field != nullptr && has_value) {
        field->parse(part.substr(equals + 1));
    } else if (field != nullptr && field->kind() == ValueKind::flag) {
        field->parse("true");
    } else if (field != nullptr) {
        throw InvalidArgument(fmt::format("{}: nothing found, {} expected", part, field->expected()));
    } else if (is_first && !has_value && !table.empty()) {
        table.front().parse(part);
    } else {
        throw InvalidArgument(table.empty()
                                  ? fmt::format("\"{}\" found, no field expected", part)
                                  : fmt::format("\"{}\" found, one of {} expected", part, table.names()));
    }
}

std::unique_ptr<Layer> parse_layer(std::string_view text) {
    const auto parts = parts_of(text, ':');
    std::unique_ptr<Layer> layer = layers::make_layer(parts.front());
    base::FieldTable table;
    layer->fields(table);
    for (std::size_t i = 1; i < parts.size(); ++i) {
        base::with_context(std::string(parts.front()), [&] { parse_field(table, parts[i], i == 1); });
    }
    return layer;
}

}  // namespace

std::string Layer::text() const {
    const std::unique_ptr<Layer> standard = layers::make_layer(type());
    const base::FieldTable table = layers::fields_of(*this);
    const base::FieldTable defaults = layers::fields_of(*standard);
    std::string text(type());
    bool first = true;
    auto other = defaults.begin();
    for (const auto& field : table) {
        const std::string value = field->text();
        if (value != (*other)->text()) {
            text += ':';
            text += first                                                 ? value
                    : field->kind() == ValueKind::flag && value == "true" ? field->name()
                                                                          : field->name() + '=' + value;
        }
        first = false;
        ++other;
    }
    return text;
}

std::string to_text(const Stack& stack) {
    std::string text;
    for (const auto& layer : stack.layers()) {
        text += (text.empty() ? "" : ", ") + layer->text();
    }
    return text;
}

Stack parse_stack(std::string_view text) {
    Stack stack;
    const auto parts = parts_of(text, ',');
    if (parts.size() > Stack::max_size) {
        throw InvalidArgument(
            fmt::format("stack: {} layers found, 1 to {} expected", parts.size(), Stack::max_size));
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        stack.push_back(
            base::with_context(fmt::format("stack: layer {}", i + 1), [&] { return parse_layer(parts[i]); }));
    }
    return stack;
}

}  // namespace stackae
