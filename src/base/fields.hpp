#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "stackae/enum_names.hpp"
#include "stackae/options.hpp"

namespace stackae::base {

/// One row of a table: a value with its name, its range and what it is for. Texts, JSON, the command line,
/// checks, identities and help are all made of rows.
class Field {
public:
    /// name: with underscores; after a comma another name for the command line.
    Field(std::string_view name, std::string_view help)
        : name_(name.substr(0, name.find(','))),
          alias_(name.substr(std::min(name.size(), name_.size() + 1))),
          help_(help) {}
    Field(const Field&) = delete;
    Field& operator=(const Field&) = delete;
    virtual ~Field() = default;

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& alias() const { return alias_; }
    [[nodiscard]] const std::string& help() const { return help_; }
    /// "1 to 64", "one of avg, max", "true or false".
    [[nodiscard]] virtual std::string expected() const = 0;

    /// What parse() takes; "auto" for what is absent.
    [[nodiscard]] virtual std::string text() const = 0;
    [[nodiscard]] virtual nlohmann::json json() const = 0;
    /// Throw InvalidArgument "{name}: {found} found, {expected} expected", and leave the value as it was.
    virtual void parse(std::string_view text) = 0;
    virtual void read(const nlohmann::json& value) = 0;
    /// Throws the same where the value, as it was set by code, is outside of its range.
    virtual void check() const = 0;
    [[nodiscard]] virtual ValueKind kind() const = 0;

protected:
    [[noreturn]] void refuse(std::string_view found) const;

private:
    std::string name_;
    std::string alias_;
    std::string help_;
};

/// A value of an enum by its name: how it is got and set.
struct Choice {
    std::function<std::string()> get;
    std::function<void(std::string_view)> set;  ///< throws InvalidArgument "…: one of {names} expected"
};

/// The rows of an object's fields, which must outlive the table.
class FieldTable {
public:
    /// What is true or false, or a text; "auto" is what is absent of an optional.
    template <class Value>
    void add(std::string_view name, Value& value, std::string_view help);
    /// A number, int or of 64 bits, or an optional one.
    template <class Value>
    void add(std::string_view name, Value& value, const Range& range, std::string_view help);
    /// An enum with name() and parse().
    template <class Enum>
    requires std::is_enum_v<Enum>
    void add(std::string_view name, Enum& value, std::string_view help) { add(name, choice_of(value), help); }
    template <class Enum>
    requires std::is_enum_v<Enum>
    void add(std::string_view name, std::optional<Enum>& value, std::string_view help) {
        add(name, choice_of(value), help);
    }
    void add(std::string_view name, Choice choice, std::string_view help);

    [[nodiscard]] auto begin() const { return rows_.begin(); }
    [[nodiscard]] auto end() const { return rows_.end(); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    [[nodiscard]] Field& front() const { return *rows_.front(); }
    /// Null where there is none.
    [[nodiscard]] Field* find(std::string_view name) const;
    /// Of all rows. Throws InvalidArgument.
    void check() const;
    [[nodiscard]] nlohmann::json json() const;
    /// The row that was added last is one that earlier versions did not have, which meant that value: it is
    /// left out of json() where it has it, so that files and identities stay as they were.
    void added_later(std::string meant) { later_.emplace(rows_.back().get(), std::move(meant)); }
    [[nodiscard]] bool may_be_missing(const Field& row) const { return later_.count(&row) != 0; }
    /// Every other row must be there; what else is there is left to the caller. Throws InvalidArgument.
    void read(const nlohmann::json& object) const;
    /// "a, b, c".
    [[nodiscard]] std::string names() const;

private:
    template <class Enum>
    static Choice choice_of(Enum& value) {
        return {[&value] { return std::string(name(value)); },
                [&value](std::string_view text) { value = parse<Enum>(text); }};
    }
    template <class Enum>
    static Choice choice_of(std::optional<Enum>& value) {
        return {[&value] { return value ? std::string(name(*value)) : std::string("auto"); },
                [&value](std::string_view text) {
                    value = text == "auto" ? std::nullopt : std::optional(parse<Enum>(text));
                }};
    }

    std::vector<std::unique_ptr<Field>> rows_;
    std::map<const Field*, std::string> later_;  // of rows_: what earlier versions meant
};

/// The table of options that stay as they are: nothing may be set by its rows.
[[nodiscard]] FieldTable fields_of(const OptionSet& options);

}  // namespace stackae::base
