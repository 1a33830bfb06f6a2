#include "base/fields.hpp"

#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>

#include "stackae/error.hpp"

#include "base/json.hpp"

namespace stackae {

std::string Range::text(bool whole) const {
    if (whole) {
        return fmt::format("{:.0f} to {:.0f}", min, max);
    }
    return fmt::format("a number {} {} and {} {}", min_open ? "above" : "from", min,
                       max_open ? "below" : "up to", max);
}

namespace base {
namespace {

using Json = nlohmann::json;

/// How a value is written and read. parse() and read() give nothing where a text or a JSON value is none.
template <class Value>
struct Codec;

template <>
struct Codec<bool> {
    static constexpr bool bounded = false;
    static constexpr ValueKind kind = ValueKind::flag;
    static std::string text(bool value) { return value ? "true" : "false"; }
    static std::optional<bool> parse(std::string_view text) {
        if (text == "true" || text == "false") {
            return text == "true";
        }
        return std::nullopt;
    }
    static Json json(bool value) { return value; }
    static std::optional<bool> read(const Json& value) {
        return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
    }
    static std::string expected(const Range& /*range*/) { return "true or false"; }
};

template <>
struct Codec<std::string> {
    static constexpr bool bounded = false;
    static constexpr ValueKind kind = ValueKind::text;
    static std::string text(const std::string& value) { return value; }
    static std::optional<std::string> parse(std::string_view text) { return std::string(text); }
    static Json json(const std::string& value) { return value; }
    static std::optional<std::string> read(const Json& value) {
        return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
    }
    static std::string expected(const Range& /*range*/) { return "a text"; }
};

template <class Number>
struct NumberCodec {
    static constexpr bool bounded = true;
    static constexpr ValueKind kind = std::is_integral_v<Number> ? ValueKind::whole : ValueKind::real;
    static std::string text(Number value) { return fmt::format("{}", value); }
    static std::optional<Number> parse(std::string_view text) {
        Number value{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool whole = error == std::errc{} && end == text.data() + text.size();
        return whole ? std::optional(value) : std::nullopt;
    }
    static std::string expected(const Range& range) { return range.text(std::is_integral_v<Number>); }
};

template <class Whole>
struct WholeCodec : NumberCodec<Whole> {
    static Json json(Whole value) { return value; }
    static std::optional<Whole> read(const Json& value) {
        const bool fits = value.is_number_unsigned()
                              ? std::in_range<Whole>(value.get<std::uint64_t>())
                              : value.is_number_integer() && std::in_range<Whole>(value.get<std::int64_t>());
        return fits ? std::optional(value.get<Whole>()) : std::nullopt;
    }
};

/// JSON has no infinities; they are outside of every range.
template <class Real>
struct RealCodec : NumberCodec<Real> {
    static Json json(Real value) {
        // The shortest decimal that gives the value again: of a float 0.1, not 0.10000000149011612.
        double shortest = 0.0;
        const std::string text = fmt::format("{}", value);
        std::from_chars(text.data(), text.data() + text.size(), shortest);
        return shortest;
    }
    static std::optional<Real> read(const Json& value) {
        const bool fits =
            value.is_number() && std::abs(value.get<double>()) <= double{std::numeric_limits<Real>::max()};
        return fits ? std::optional(static_cast<Real>(value.get<double>())) : std::nullopt;
    }
};

template <>
struct Codec<int> : WholeCodec<int> {};
template <>
struct Codec<std::int64_t> : WholeCodec<std::int64_t> {};
template <>
struct Codec<std::uint64_t> : WholeCodec<std::uint64_t> {};
template <>
struct Codec<float> : RealCodec<float> {};
template <>
struct Codec<double> : RealCodec<double> {};

template <class Value>
struct Codec<std::optional<Value>> {
    static constexpr bool bounded = Codec<Value>::bounded;
    /// Of three values where it is true, false or auto, which a name alone does not tell apart.
    static constexpr ValueKind kind = std::is_same_v<Value, bool> ? ValueKind::name : Codec<Value>::kind;
    static std::string text(const std::optional<Value>& value) {
        return value ? Codec<Value>::text(*value) : "auto";
    }
    static std::optional<std::optional<Value>> parse(std::string_view text) {
        if (text == "auto") {
            return std::optional<Value>();
        }
        return inside(Codec<Value>::parse(text));
    }
    static Json json(const std::optional<Value>& value) {
        return value ? Codec<Value>::json(*value) : Json();
    }
    static std::optional<std::optional<Value>> read(const Json& json) {
        if (json.is_null()) {
            return std::optional<Value>();
        }
        return inside(Codec<Value>::read(json));
    }
    static std::string expected(const Range& range) { return "auto or " + Codec<Value>::expected(range); }

private:
    /// Nothing where there is no value, which is not the same as the value that nothing is.
    static std::optional<std::optional<Value>> inside(const std::optional<Value>& value) {
        if (!value) {
            return std::nullopt;
        }
        return std::optional<std::optional<Value>>(std::in_place, value);
    }
};

template <class Value>
bool is_inside(const Range& range, const Value& value) {
    if constexpr (std::is_arithmetic_v<Value>) {
        return range.contains(static_cast<double>(value));
    } else if constexpr (Codec<Value>::bounded) {
        return !value || is_inside(range, *value);
    } else {
        return true;
    }
}

template <class Value>
class ValueField : public Field {
public:
    using Of = Codec<Value>;
    ValueField(std::string_view name, Value& value, const Range& range, std::string_view help)
        : Field(name, help), value_(value), range_(range) {}

    [[nodiscard]] std::string expected() const override { return Of::expected(range_); }
    [[nodiscard]] std::string text() const override { return Of::text(value_); }
    [[nodiscard]] Json json() const override { return Of::json(value_); }
    void parse(std::string_view text) override { set(Of::parse(text), text); }
    void read(const Json& value) override { set(Of::read(value), print_json(value)); }
    void check() const override {
        if (!is_inside(range_, value_)) {
            refuse(text());
        }
    }
    [[nodiscard]] ValueKind kind() const override { return Of::kind; }

private:
    void set(const std::optional<Value>& found, std::string_view text) {
        if (!found || !is_inside(range_, *found)) {
            refuse(text.substr(0, 60));
        }
        value_ = *found;
    }

    Value& value_;
    Range range_;
};

class ChoiceField : public Field {
public:
    ChoiceField(std::string_view name, Choice choice, std::string_view help)
        : Field(name, help), choice_(std::move(choice)) {}

    [[nodiscard]] std::string expected() const override {
        try {
            choice_.set("?");
        } catch (const InvalidArgument& error) {
            const std::string_view text = error.what();
            const std::size_t begin = text.find(" found, ") + std::string_view(" found, ").size();
            return std::string(text.substr(begin, text.rfind(" expected") - begin));
        }
        return "";
    }
    [[nodiscard]] std::string text() const override { return choice_.get(); }
    [[nodiscard]] Json json() const override {
        const std::string text = choice_.get();
        return text == "auto" ? Json() : Json(text);
    }
    void parse(std::string_view text) override {
        try {
            choice_.set(text);
        } catch (const InvalidArgument&) {
            refuse(text.substr(0, 60));
        }
    }
    void read(const Json& value) override {
        if (!value.is_string() && !value.is_null()) {
            refuse(print_json(value).substr(0, 60));
        }
        parse(value.is_null() ? "auto" : value.get_ref<const std::string&>());
    }
    void check() const override {}
    [[nodiscard]] ValueKind kind() const override { return ValueKind::name; }

private:
    Choice choice_;
};

constexpr Range unbounded{-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};

}  // namespace

void Field::refuse(std::string_view found) const {
    throw InvalidArgument(fmt::format("{}: {} found, {} expected", name_, found, expected()));
}

template <class Value>
void FieldTable::add(std::string_view name, Value& value, const Range& range, std::string_view help) {
    rows_.push_back(std::make_unique<ValueField<Value>>(name, value, range, help));
}
template <class Value>
void FieldTable::add(std::string_view name, Value& value, std::string_view help) {
    add(name, value, unbounded, help);
}
// The types that rows may have.
template void FieldTable::add(std::string_view, bool&, std::string_view);
template void FieldTable::add(std::string_view, std::optional<bool>&, std::string_view);
template void FieldTable::add(std::string_view, std::string&, std::string_view);
template void FieldTable::add(std::string_view, int&, const Range&, std::string_view);
template void FieldTable::add(std::string_view, std::int64_t&, const Range&, std::string_view);
template void FieldTable::add(std::string_view, std::uint64_t&, const Range&, std::string_view);
template void FieldTable::add(std::string_view, float&, const Range&, std::string_view);
template void FieldTable::add(std::string_view, double&, const Range&, std::string_view);
template void FieldTable::add(std::string_view, std::optional<std::int64_t>&, const Range&, std::string_view);
template void FieldTable::add(std::string_view, std::optional<double>&, const Range&, std::string_view);

void FieldTable::add(std::string_view name, Choice choice, std::string_view help) {
    rows_.push_back(std::make_unique<ChoiceField>(name, std::move(choice), help));
}

Field* FieldTable::find(std::string_view name) const {
    for (const auto& row : rows_) {
        if (row->name() == name) {
            return row.get();
        }
    }
    return nullptr;
}

void FieldTable::check() const {
    for (const auto& row : rows_) {
        row->check();
    }
}

Json FieldTable::json() const {
    Json object = Json::object();
    for (const auto& row : rows_) {
        const auto later = later_.find(row.get());
        if (later == later_.end() || later->second != row->text()) {
            object[row->name()] = row->json();
        }
    }
    return object;
}

void FieldTable::read(const Json& object) const {
    for (const auto& row : rows_) {
        const auto found = object.find(row->name());
        if (found == object.end()) {
            if (const auto later = later_.find(row.get()); later != later_.end()) {
                row->parse(later->second);
                continue;
            }
            throw InvalidArgument(fmt::format("{}: missing", row->name()));
        }
        row->read(*found);
    }
}

std::string FieldTable::names() const {
    std::string text;
    for (const auto& row : rows_) {
        text += (text.empty() ? "" : ", ") + row->name();
    }
    return text;
}

}  // namespace base
}  // namespace stackae
