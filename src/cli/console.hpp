#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace stackae::cli {

/// What a person watches: stderr. Results never come here.
class Console {
public:
    Console();

    /// No progress and no notes from here on; warnings and errors stay.
    void set_quiet(bool quiet) { quiet_ = quiet; }
    /// True when a bar is worth drawing.
    [[nodiscard]] bool draws() const;

    /// A line of progress or explanation.
    void note(std::string_view text);
    /// `stackae: text`, also when quiet.
    void warn(std::string_view text);
    /// Redraws the last line of the terminal, cut to its width.
    void draw(std::string_view text);
    /// Wipes what draw() left.
    void clear();

private:
    bool terminal_ = false;
    bool quiet_ = false;
    bool drawn_ = false;
};

/// `[=====>    ]`, `width` characters between the brackets; share in [0, 1].
[[nodiscard]] std::string bar(double share, int width);

/// A bar with rate and time left for work that is counted in pictures, or users. Draws on a terminal only, at
/// most ten times a second.
class Progress {
public:
    Progress(Console& console, std::string what, std::int64_t of, std::string unit = "pictures");
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();
    void update(std::int64_t done);

private:
    using Clock = std::chrono::steady_clock;

    Console& console_;
    std::string what_;
    std::int64_t of_;
    std::string unit_;
    Clock::time_point start_ = Clock::now();
    Clock::time_point drawn_ = start_;
};

}  // namespace stackae::cli
