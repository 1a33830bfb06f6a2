#include "cli/console.hpp"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/parse.hpp"
#include "cli/streams.hpp"

namespace stackae::cli {
namespace {

/// A terminal that was closed, or a pipe that nobody reads any more, ends nothing: it is told no more.
void put(std::string_view text) {
    if (std::ferror(messages()) == 0) {
        std::fwrite(text.data(), 1, text.size(), messages());
    }
}

/// Lines stay lines; other control characters, which file names and files may hold, are told and not obeyed.
std::string told(std::string_view text) {
    std::string out;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        out += printable(text.substr(begin, end - begin)) + '\n';
        begin = end + 1;
    }
    return out;
}

std::size_t terminal_width() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80U;
}

}  // namespace

Console::Console() : terminal_(isatty(STDERR_FILENO) != 0) {}

void Console::note(std::string_view text) {
    if (!quiet_) {
        clear();
        put(told(text));
    }
}

void Console::warn(std::string_view text) {
    clear();
    put(told(fmt::format("stackae: {}", text)));
}

bool Console::draws() const {
    return terminal_ && !quiet_ && std::ferror(messages()) == 0;
}

void Console::draw(std::string_view text) {
    if (draws()) {
        put(fmt::format("\r{}\x1b[K", text.substr(0, terminal_width() - 1)));
        drawn_ = true;
    }
}

void Console::clear() {
    if (drawn_) {
        put("\r\x1b[K");
        drawn_ = false;
    }
}

std::string bar(double share, int width) {
    const int filled = std::clamp(static_cast<int>(share * width), 0, width);
    std::string text(static_cast<std::size_t>(filled), '=');
    if (filled < width) {
        text += '>';
    }
    text.resize(static_cast<std::size_t>(width), ' ');
    return '[' + text + ']';
}

Progress::Progress(Console& console, std::string what, std::int64_t of, std::string unit)
    : console_(console), what_(std::move(what)), of_(of), unit_(std::move(unit)) {}

Progress::~Progress() {
    console_.clear();
}

void Progress::update(std::int64_t done) {
    const auto now = Clock::now();
    if (!console_.draws() || now - drawn_ < std::chrono::milliseconds(100) || of_ <= 0) {
        return;
    }
    drawn_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = static_cast<double>(done) / seconds;
    console_.draw(fmt::format("{} {} {}/{}  {:.0f} {}/s  {} left", what_,
                              bar(static_cast<double>(done) / static_cast<double>(of_), 24),
                              format_count(done), format_count(of_), rate, unit_,
                              done > 0 ? format_duration(static_cast<double>(of_ - done) / rate) : "?"));
}

}  // namespace stackae::cli
