#pragma once

#include <boost/program_options/options_description.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cli/values.hpp"

namespace stackae::cli {

/// The options of one command: declared in groups, each with a handler that is given the text. Handlers run
/// in the order in which they were declared, whatever the order on the command line.
class OptionParser {
public:
    using Handler = std::function<void(const std::string& text)>;

    /// synopsis: what follows the command's name on the usage line. about: a few lines on what it does.
    OptionParser(std::string command, std::string synopsis, std::string about);

    /// Options declared from here on are listed under this caption.
    void group(const std::string& caption);
    /// names: "model,m" as in Boost.Program_options; of several long ones the first is in the help. value:
    /// what stands for the value there.
    void option(const std::string& names, const std::string& value, const std::string& help, Handler handler);
    void flag(const std::string& names, const std::string& help, std::function<void()> handler);
    void flag(const std::string& names, const std::string& help, bool& target);
    /// An option whose value is a file with lines `NAME = VALUE`, NAME any of these options, with hyphens or
    /// underscores, a flag's VALUE true or false; what follows # is passed over. What stands on the command
    /// line goes over what is in the file.
    void config_file(const std::string& name, const std::string& help);

    /// Runs the handlers and returns the arguments that are no options. Throws UsageError, and IoError where
    /// a config_file() cannot be read.
    [[nodiscard]] std::vector<std::string> parse(const std::vector<std::string>& arguments) const;
    /// True when the arguments ask for help and no more.
    [[nodiscard]] static bool asks_for_help(const std::vector<std::string>& arguments);

    [[nodiscard]] std::string usage() const;
    [[nodiscard]] std::string help() const;

private:
    struct Declared {
        std::string name;  ///< the long one
        Handler handler;
        bool is_flag = false;
    };

    [[nodiscard]] std::string unknown_option(const std::string& found) const;

    std::string command_;
    std::string synopsis_;
    std::string about_;
    std::vector<std::unique_ptr<boost::program_options::options_description>> groups_;
    std::vector<Declared> declared_;
    std::string config_file_;  ///< the option's name; empty where there is none
};

/// Handlers that store a value. An empty text is most often a variable of a script that was never set.
[[nodiscard]] OptionParser::Handler text_into(std::string& target);

/// target: an integer, or an optional one.
template <class Target>
[[nodiscard]] OptionParser::Handler integer_into(
    Target& target, std::int64_t low, std::int64_t high = std::numeric_limits<std::int64_t>::max()) {
    return [&target, low, high](const std::string& text) {
        if constexpr (std::is_integral_v<Target>) {
            target = static_cast<Target>(parse_integer(text, low, high));
        } else {
            target = static_cast<typename Target::value_type>(parse_integer(text, low, high));
        }
    };
}

/// target: a double, or an optional one.
template <class Target>
[[nodiscard]] OptionParser::Handler number_into(Target& target, double low,
                                                double high = std::numeric_limits<double>::infinity()) {
    return [&target, low, high](const std::string& text) { target = parse_number(text, low, high); };
}

}  // namespace stackae::cli
