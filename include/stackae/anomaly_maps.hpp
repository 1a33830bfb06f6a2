#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stackae/patch_memory.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

/// A picture in gray with what is odd in it in colours: nothing where a position is as good ones are, yellow
/// from a third of the threshold on (of twice the threshold where a mean of positions decides), then red.
/// picture: as the memory's preprocessing made it. Returns height × width × 3, in [0, 1].
[[nodiscard]] Tensor draw_anomaly_map(const PatchMemory& memory, std::span<const float> picture,
                                      const AnomalyScore& score, double threshold);

/// Writes it into a folder as NUMBER-NAME.png, and with `raw` the map's numbers, 1 × height × width × 1 at
/// the size in which the picture was looked at, as NUMBER-NAME.npy. Throws IoError.
void write_anomaly_map(const std::string& folder, std::size_t number, const std::string& path,
                       const PatchMemory& memory, std::span<const float> picture, const AnomalyScore& score,
                       double threshold, bool raw);

/// The paths that it writes, the .npy with `raw` alone.
[[nodiscard]] std::vector<std::string> anomaly_map_files(const std::string& folder, std::size_t number,
                                                         const std::string& path, bool raw);

/// The number of a file of that name; nothing where it is none of those.
[[nodiscard]] std::optional<std::size_t> anomaly_map_number(const std::string& file_name);

}  // namespace stackae
