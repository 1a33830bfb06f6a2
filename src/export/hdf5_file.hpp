#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// What is written by HDF5's library, in a library of its own (libstackae_hdf5.so) that is loaded when the
/// first such table is written.
namespace stackae::features {

/// An HDF5 file under way: datasets `features`, n × d floats, `names` and `labels`, n texts in UTF-8. What
/// goes wrong is returned, since no exception leaves the library; empty: nothing.
class Hdf5File {
public:
    Hdf5File() = default;
    Hdf5File(const Hdf5File&) = delete;
    Hdf5File& operator=(const Hdf5File&) = delete;
    virtual ~Hdf5File() = default;

    /// values: one row after the other. labels: as many as names, or none where there are no labels.
    [[nodiscard]] virtual std::string append(const std::vector<std::string>& names,
                                             const std::vector<std::string>& labels,
                                             std::span<const float> values) = 0;
    [[nodiscard]] virtual std::string close() = 0;
};

/// Begins a file in place of what is at the path. Sets `why` where there is none.
using MakeHdf5File = std::unique_ptr<Hdf5File>(const std::string& path, std::int64_t columns, bool labelled,
                                               std::string& why);
inline constexpr const char* hdf5_library = "libstackae_hdf5.so";
inline constexpr const char* make_hdf5_file_name = "stackae_make_hdf5_file";

}  // namespace stackae::features
