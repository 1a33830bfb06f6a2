#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

/// Readers of files that nobody vouches for, each fed with bytes that a fuzzer makes up.
namespace stackae::fuzz {

using Input = std::span<const std::byte>;

struct Target {
    std::string name;
    /// Reads the bytes and uses what was read. An Error is an answer; anything else that leaves it is a
    /// fault.
    std::function<void(Input)> run;
    /// Small whole files to begin with.
    std::function<std::vector<std::string>()> seeds;
};

/// Models, galleries and patch memories. Where nothing but the checksum is wrong with a file it is mended, so
/// that mutations get further.
[[nodiscard]] std::vector<Target> stackae_files();
/// Checkpoints as files that are read, and what is in them as trainings that take it up.
[[nodiscard]] std::vector<Target> checkpoints();
/// The files that an encoding keeps its codes in, gone on with, and those of recommendations.
[[nodiscard]] std::vector<Target> kept_codes();
/// What a killed run leaves in a folder, and what the next run makes of it there.
[[nodiscard]] std::vector<Target> commit_records();
/// NPY, NPZ, IDX, gzipped IDX and lists.
[[nodiscard]] std::vector<Target> picture_sources();
/// Tables of who took what: each format, and the one that is found out.
[[nodiscard]] std::vector<Target> tables();
/// One for each picture format that is decoded, and the preprocessing after it.
[[nodiscard]] std::vector<Target> picture_formats();

[[nodiscard]] std::vector<Target> all_targets();

}  // namespace stackae::fuzz
