#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <initializer_list>
#include <iostream>
#include <new>
#include <span>

#include "stackae/resources.hpp"

#include "cli/bounded_waiting.hpp"
#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/streams.hpp"

namespace stackae::cli {
namespace {

struct Entry {
    const char* name;
    std::initializer_list<const char*> aliases;
    const char* summary;
    std::unique_ptr<Command> (*make)();
};

constexpr std::array<Entry, 13> commands{{
    {"train", {}, "learn a stack of autoencoders from pictures, without labels", make_train_command},
    {"extract", {"encode", "embed"}, "turn pictures into feature vectors", make_extract_command},
    {"enroll", {}, "remember labelled pictures in a gallery", make_enroll_command},
    {"recognize", {}, "name pictures by those near them in a gallery", make_recognize_command},
    {"evaluate", {}, "measure a model against raw pixels and PCA", make_evaluate_command},
    {"memorize", {}, "learn what good pictures look like", make_memorize_command},
    {"score", {}, "tell odd pictures, and where in them", make_score_command},
    {"duplicates", {}, "find copies among pictures, and which of them to keep", make_duplicates_command},
    {"reconstruct", {}, "draw what a model rebuilds, and how far off it is", make_reconstruct_command},
    {"recommend", {}, "name items for users, by a model of a table", make_recommend_command},
    {"similar-items", {}, "name items like one, by a model of a table", make_similar_items_command},
    {"export", {}, "write a model for other programs, as ONNX", make_export_command},
    {"info", {}, "tell what is in a model or gallery, or what the presets are", make_info_command},
}};

const Entry* find_command(const std::string& word) {
    for (const Entry& entry : commands) {
        if (word == entry.name ||
            std::find(entry.aliases.begin(), entry.aliases.end(), word) != entry.aliases.end()) {
            return &entry;
        }
    }
    return nullptr;
}

std::string overview() {
    std::string text =
        "stackae learns features from your own pictures with stacked autoencoders, and recognises by them.\n"
        "\nusage: stackae COMMAND [arguments]\n\n";
    for (const Entry& entry : commands) {
        const bool aliased = entry.aliases.size() > 0;
        text += fmt::format("  {:<13} {}{}\n", entry.name, entry.summary,
                            aliased ? fmt::format(" (also: {})", fmt::join(entry.aliases, ", ")) : "");
    }
    return text +
           "\n  stackae help COMMAND     the options of a command\n"
           "  stackae --version\n\n"
           "exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but some inputs were skipped, 130 "
           "interrupted\n";
}

std::string unknown_command(const std::string& word) {
    std::vector<std::string> names{"help"};
    for (const Entry& entry : commands) {
        names.emplace_back(entry.name);
        names.insert(names.end(), entry.aliases.begin(), entry.aliases.end());
    }
    const auto meant = nearest_word(word, names);
    return fmt::format("there is no command '{}'{}", word,
                       meant ? fmt::format("; did you mean {}?", *meant) : "");
}

int print(const std::string& text) {
    std::cout << text;
    finish_stdout();
    return exit_code::done;
}

int fail_usage(Console& console, const std::string& message, const std::string& usage,
               const std::string& more) {
    console.warn(message);
    std::fputs(fmt::format("{}\nSee: stackae help{}\n", usage, more).c_str(), messages());
    return exit_code::usage;
}

int run_command(Console& console, const Entry& entry, const std::vector<std::string>& arguments) {
    const std::unique_ptr<Command> command = entry.make();
    OptionParser parser(entry.name, command->synopsis(), command->about());
    command->declare(parser);
    parser.group("Other");
    parser.flag("quiet,q", "no progress; errors and skipped pictures are still named",
                [&console] { console.set_quiet(true); });
    parser.flag("help,h", "this text", [] {});
    if (OptionParser::asks_for_help(arguments)) {
        return print(parser.help());
    }
    try {
        const std::vector<std::string> inputs = parser.parse(arguments);
        recover_outputs(console, inputs);
        return command->run(console, inputs);
    } catch (const UsageError& error) {
        return fail_usage(console, error.what(), parser.usage(), fmt::format(" {}", entry.name));
    }
}

int run(Console& console, std::vector<std::string> words) {
    static constexpr const char* usage = "usage: stackae COMMAND [arguments]";
    if (words.empty()) {
        return fail_usage(console, "a command is missing", usage, "");
    }
    const std::string first = words.front();
    words.erase(words.begin());
    if (first == "--version" || first == "version") {
        return print(fmt::format("stackae {}\n", version()));
    }
    const bool help = first == "help" || first == "--help" || first == "-h";
    if (help && words.empty()) {
        return print(overview());
    }
    const std::string word = help ? words.front() : first;
    const Entry* entry = find_command(word);
    if (entry == nullptr) {
        const bool option = word.starts_with('-');
        return fail_usage(console,
                          option ? fmt::format("the first word is the command, and '{}' is none", word)
                                 : unknown_command(word),
                          usage, "");
    }
    return run_command(console, *entry, help ? std::vector<std::string>{"--help"} : words);
}

/// The one place where exceptions become messages and exit codes.
int run_guarded(Console& console, std::vector<std::string> words) {
    try {
        return run(console, std::move(words));
    } catch (const Interrupted&) {
        console.warn("interrupted");
        return exit_code::interrupted;
    } catch (const std::bad_alloc&) {
        console.warn("out of memory");
    } catch (const std::exception& error) {
        console.warn(error.what());
    }
    return exit_code::failed;
}

}  // namespace
}  // namespace stackae::cli

int main(int argc, char** argv) {
    stackae::cli::bound_waiting();
    stackae::cli::guard_streams();
    std::ios::sync_with_stdio(false);
    stackae::cli::end_on_interrupts();
    stackae::cli::Console console;
    const std::span<char*> words(argv, static_cast<std::size_t>(argc));
    return stackae::cli::run_guarded(console, {words.begin() + (argc > 0 ? 1 : 0), words.end()});
}
