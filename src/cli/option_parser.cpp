#include "cli/option_parser.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

#include "stackae/error.hpp"

namespace stackae::cli {
namespace po = boost::program_options;

namespace {

constexpr unsigned line_length = 100;

std::string long_name(const std::string& names) {
    return names.substr(0, names.find(','));
}

/// The lines of a file, names with hyphens.
std::stringstream read_config_file(const std::string& path) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    std::ifstream file(path);
    std::stringstream lines;
    for (std::string line; std::getline(file, line);) {
        if (lines.tellp() == 0 && line.starts_with(byte_order_mark)) {
            line.erase(0, byte_order_mark.size());
        }
        std::replace(line.begin(), std::find(line.begin(), line.end(), '='), '_', '-');
        lines << line << '\n';
    }
    if (!file.eof()) {
        throw IoError(fmt::format("{}: the configuration cannot be read", path));
    }
    return lines;
}

}  // namespace

OptionParser::OptionParser(std::string command, std::string synopsis, std::string about)
    : command_(std::move(command)), synopsis_(std::move(synopsis)), about_(std::move(about)) {}

void OptionParser::group(const std::string& caption) {
    groups_.push_back(std::make_unique<po::options_description>(caption, line_length, line_length / 2));
}

void OptionParser::option(const std::string& names, const std::string& value, const std::string& help,
                          Handler handler) {
    groups_.back()->add_options()(names.c_str(), po::value<std::string>()->value_name(value), help.c_str());
    declared_.push_back({long_name(names), std::move(handler), false});
}

void OptionParser::flag(const std::string& names, const std::string& help, std::function<void()> handler) {
    groups_.back()->add_options()(names.c_str(), help.c_str());
    declared_.push_back({long_name(names), [run = std::move(handler)](const std::string&) { run(); }, true});
}

void OptionParser::flag(const std::string& names, const std::string& help, bool& target) {
    flag(names, help, [&target] { target = true; });
}

void OptionParser::config_file(const std::string& name, const std::string& help) {
    config_file_ = name;
    option(name, "FILE", help, [](const std::string& /*text*/) {});
}

std::string OptionParser::unknown_option(const std::string& found) const {
    std::vector<std::string> names;
    std::transform(declared_.begin(), declared_.end(), std::back_inserter(names),
                   [](const Declared& option) { return option.name; });
    const std::string bare = found.substr(std::min(found.find_first_not_of('-'), found.size()));
    const auto meant = bare.size() > 1 ? nearest_word(bare, names) : std::nullopt;
    return fmt::format("{} has no option '{}'{}", command_, found,
                       meant ? fmt::format("; did you mean --{}?", *meant) : "");
}

void OptionParser::opposites(const std::string& one, const std::string& other) {
    opposites_.emplace_back(one, other);
    overrides(one, other);
    overrides(other, one);
}

void OptionParser::overrides(const std::string& name, const std::string& in_file) {
    overrides_.emplace_back(name, in_file);
}

std::vector<std::string> OptionParser::parse(const std::vector<std::string>& arguments) {
    po::options_description all;
    for (const auto& group : groups_) {
        all.add(*group);
    }
    std::vector<std::string> positional;
    po::variables_map values;
    try {
        // Guessing at shortened names would change its mind with every option that is added.
        const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
        const po::parsed_options parsed = po::command_line_parser(arguments).options(all).style(style).run();
        for (const po::option& option : parsed.options) {
            if (option.string_key.empty()) {
                positional.insert(positional.end(), option.value.begin(), option.value.end());
            }
        }
        po::store(parsed, values);
    } catch (const po::unknown_option& error) {
        throw UsageError(unknown_option(error.get_option_name()));
    } catch (const po::error& error) {
        throw UsageError(error.what());
    }
    for (const auto& [name, value] : values) {
        typed_.insert(name);
    }
    if (values.count(config_file_) > 0) {
        add_config_file(values[config_file_].as<std::string>(), all, values);
    }
    check_opposites(values);
    for (const Declared& option : declared_) {
        if (values.count(option.name) > 0) {
            run(option, values[option.name].as<std::string>());
        }
    }
    return positional;
}

void OptionParser::add_config_file(const std::string& path, const po::options_description& all,
                                   po::variables_map& values) {
    std::stringstream lines = read_config_file(path);
    const auto is_overridden = [&](const std::string& name) {
        return values.count(name) > 0 ||
               std::any_of(overrides_.begin(), overrides_.end(), [&](const auto& rule) {
                   return rule.second == name && values.count(rule.first) > 0;
               });
    };
    try {
        // Boost knows an option in a file by the first of its names alone.
        po::parsed_options parsed = po::parse_config_file(lines, all, true);
        for (po::option& option : parsed.options) {
            const po::option_description* const known = all.find_nothrow(option.string_key, false);
            if (known == nullptr) {
                throw UsageError(fmt::format("{}: {}", path, unknown_option(option.string_key)));
            }
            option.string_key = known->long_name();
            option.unregistered = false;
        }
        std::erase_if(parsed.options,
                      [&](const po::option& option) { return is_overridden(option.string_key); });
        for (const po::option& option : parsed.options) {
            from_file_.insert(option.string_key);
        }
        po::store(parsed, values);
    } catch (const po::error& error) {
        throw UsageError(fmt::format("{}: {}", path, error.what()));
    }
}

void OptionParser::check_opposites(const po::variables_map& values) const {
    const auto is_said = [&](const std::string& name) {
        return values.count(name) > 0 && values[name].as<std::string>() != "false";
    };
    for (const auto& [one, other] : opposites_) {
        if (is_said(one) && is_said(other)) {
            throw UsageError(fmt::format("--{} and --{} exclude each other", one, other));
        }
    }
}

/// Messages name the option once, as it is on the command line.
void OptionParser::run(const Declared& option, const std::string& text) {
    const auto named = [&](std::string_view said) {
        std::string field = option.name + ": ";
        std::replace(field.begin(), field.end(), '-', '_');
        return fmt::format("--{}: {}", option.name,
                           said.substr(said.starts_with(field) ? field.size() : std::size_t{0}));
    };
    try {
        if (!option.is_flag || text.empty() || !parse_either(text, "true", "false")) {
            option.handler(text);
        }
    } catch (const UsageError& error) {
        throw UsageError(named(error.what()));
    } catch (const InvalidArgument& error) {
        throw UsageError(named(error.what()));
    }
}

bool OptionParser::asks_for_help(const std::vector<std::string>& arguments) {
    const auto end = std::find(arguments.begin(), arguments.end(), "--");
    return std::any_of(arguments.begin(), end,
                       [](const std::string& word) { return word == "--help" || word == "-h"; });
}

std::string OptionParser::usage() const {
    return fmt::format("usage: stackae {} {}", command_, synopsis_);
}

std::string OptionParser::help() const {
    std::ostringstream out;
    out << usage() << "\n\n" << about_ << '\n';
    for (const auto& group : groups_) {
        out << '\n' << *group;
    }
    return out.str();
}

OptionParser::Handler text_into(std::string& target) {
    return [&target](const std::string& text) {
        if (text.empty()) {
            throw UsageError("nothing found, a name expected");
        }
        target = text;
    };
}

}  // namespace stackae::cli
