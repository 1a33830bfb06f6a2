#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stackae {

namespace base {
class FieldTable;
}

/// Bounds of a number. NaN is always outside.
struct Range {
    double min;
    double max;
    bool min_open = false;  ///< min itself is outside
    bool max_open = false;

    [[nodiscard]] bool contains(double value) const {
        return (min_open ? value > min : value >= min) && (max_open ? value < max : value <= max);
    }
    /// "1 to 64" of whole numbers, "a number above 0 and below 1" of others.
    [[nodiscard]] std::string text(bool whole) const;
};

inline constexpr Range any_share{0.0, 1.0, false, true};      ///< [0, 1)
inline constexpr Range positive_share{0.0, 1.0, true, true};  ///< (0, 1)

template <class Value>
class Option;

/// What an option's value is.
enum class ValueKind { flag, whole, real, name, text };

/// What there is to know of an option, for a command line or a form.
struct OptionInfo {
    std::string name;      ///< with underscores
    std::string alias;     ///< another name for the command line, with hyphens; empty where there is none
    std::string expected;  ///< "1 to 64", "one of sgd, adam, adamw", "true or false"
    std::string value;     ///< as set() takes it
    std::string help;
    ValueKind kind = ValueKind::text;
};

/// A struct whose members of type Option are the rows of a table: the command line, JSON, configuration
/// files, checks and help are made of them. docs/add_an_option.md.
class OptionSet {
public:
    /// Adds a row for each option, bound to this object, which must outlive the table.
    void fields(base::FieldTable& table);
    /// All options with their values, in the order of their declarations.
    [[nodiscard]] std::vector<OptionInfo> describe() const;
    /// Throws InvalidArgument that names the option and what was expected, or the options that there are.
    void set(std::string_view name, std::string_view value);

private:
    template <class Value>
    friend class Option;

    struct Row {
        const char* name;
        Range range;
        const char* help;
        std::ptrdiff_t offset;  ///< of the value, from the set
        void (*add)(base::FieldTable& table, const Row& row, void* value);
    };
    void add(const Row& row);
    template <class Value>
    static void add_row(base::FieldTable& table, const Row& row, void* value);

    std::vector<Row> rows_;
};

/// One option: its value, and what there is to know of it.
template <class Value>
class Option {
public:
    /// owner: the set that it is a member of. name: with underscores; after a comma another name for the
    /// command line.
    Option(OptionSet* owner, const char* name, Value standard, const Range& range, const char* help)
        : value_(std::move(standard)) {
        const auto offset = reinterpret_cast<const char*>(&value_) - reinterpret_cast<const char*>(owner);
        owner->add({name, range, help, offset, &OptionSet::add_row<Value>});
    }
    /// Of what has no range.
    Option(OptionSet* owner, const char* name, Value standard, const char* help)
        : Option(owner, name, std::move(standard), Range{0.0, 0.0}, help) {}

    Option& operator=(Value value) {
        value_ = std::move(value);
        return *this;
    }
    // NOLINTNEXTLINE(google-explicit-constructor): an option is used as its value
    operator const Value&() const { return value_; }
    [[nodiscard]] const Value& operator*() const { return value_; }

private:
    Value value_;
};

}  // namespace stackae
