#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/parse.hpp"

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
    /// Of two options that say the opposite, one may be named.
    void opposites(const std::string& one, const std::string& other);
    /// An option that, on the command line, goes over another one in the file too.
    void overrides(const std::string& name, const std::string& in_file);

    /// Runs the handlers and returns the arguments that are no options. Throws UsageError, and IoError where
    /// a config_file() cannot be read.
    [[nodiscard]] std::vector<std::string> parse(const std::vector<std::string>& arguments);
    /// Whether an option stands on the command line; known when handlers run.
    [[nodiscard]] bool is_typed(const std::string& name) const { return typed_.count(name) > 0; }
    /// Whether an option's value is that of the config_file(); known when handlers run.
    [[nodiscard]] bool is_from_file(const std::string& name) const { return from_file_.count(name) > 0; }
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
    /// Adds what is in the file and not overridden by what is there.
    void add_config_file(const std::string& path, const boost::program_options::options_description& all,
                         boost::program_options::variables_map& values);
    void check_opposites(const boost::program_options::variables_map& values) const;
    static void run(const Declared& option, const std::string& text);

    std::string command_;
    std::string synopsis_;
    std::string about_;
    std::vector<std::unique_ptr<boost::program_options::options_description>> groups_;
    std::vector<Declared> declared_;
    std::string config_file_;  ///< the option's name; empty where there is none
    std::vector<std::pair<std::string, std::string>> opposites_;
    std::vector<std::pair<std::string, std::string>> overrides_;  ///< the second where it is in the file
    std::set<std::string> typed_;
    std::set<std::string> from_file_;
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
