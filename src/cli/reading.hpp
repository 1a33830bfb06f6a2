#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/inputs.hpp"

#include "cli/console.hpp"
#include "cli/option_parser.hpp"

namespace stackae::cli {

/// What a command that reads pictures takes of the machine, and where a picture's channels lie: --threads,
/// --memory, --max-pixels, --pages, --channel-suffix and --labels.
struct ReadingOptions {
    int threads = 0;          ///< 0: one for each core that the process may keep busy
    std::int64_t memory = 0;  ///< bytes, as said; 0: a share of what the process may take, see limit()
    PictureLimits limits;
    bool pages_named = false;  ///< --pages was
    std::string labels;        ///< file of --labels; empty: none

    /// Declares the options in the group that is open.
    void declare(OptionParser& parser);
    /// Gives pictures the labels and groups of --labels, and says what was left over; nothing without the
    /// option. Throws what LabelFile does.
    void label(Console& console, Inputs& inputs) const;
    void label(Console& console, const std::vector<ImageDataset*>& collections) const;
    /// Bytes that the command may take.
    [[nodiscard]] std::int64_t limit() const;
    /// limit() for a person: `11.7 GiB allowed (half of what this process may take)`.
    [[nodiscard]] std::string limit_text() const;
    /// Limits of single pictures, by the memory too.
    [[nodiscard]] PictureLimits picture_limits() const;
    /// The same of pictures for a model, whose channels lie where the preprocessing says, unless an option
    /// says otherwise.
    [[nodiscard]] PictureLimits picture_limits(const Preprocessing& preprocessing) const;
    /// Throws InvalidArgument where more bytes are needed than limit(), before they are taken. purpose: `to
    /// encode one picture`; help: what would take less.
    void check(std::int64_t needed, const std::string& purpose, const std::string& help) const;
};

}  // namespace stackae::cli
