#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stackae/image_dataset.hpp"

#include "data/image/picture.hpp"

namespace stackae {

/// What a collection is made of. Const and safe to read from several threads.
struct ImageDataset::Source {
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    [[nodiscard]] virtual std::int64_t size() const = 0;
    [[nodiscard]] virtual ImageEntry entry(std::int64_t i) const = 0;
    /// The file that entry i is read from.
    [[nodiscard]] virtual std::string file(std::int64_t i) const { return entry(i).path; }
    [[nodiscard]] virtual const std::string& path() const = 0;
    [[nodiscard]] virtual bool labelled() const = 0;
    /// What a person should be told of the collection; see ImageDataset::notes().
    [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
    /// Where the channels of its pictures lie.
    [[nodiscard]] virtual ChannelFiles channel_files() const { return {}; }
    /// Values of a picture where they are rows of numbers without height and width; else 0.
    [[nodiscard]] virtual std::int64_t row_length() const { return 0; }
    /// Decodes entry i. preprocessing: what it is for, or null (see data::decode). The pixels may be a view
    /// of the source's memory and must not be written to. Throws data::BadPicture.
    [[nodiscard]] virtual data::Picture load(std::int64_t i, const Preprocessing* preprocessing) const = 0;
    /// The same of an entry of which load() throws data::LargePicture, which it may where pictures are
    /// decoded.
    [[nodiscard]] virtual data::Picture load_large(std::int64_t i, const Preprocessing* preprocessing) const {
        return load(i, preprocessing);
    }
    /// Held while a large picture is in memory.
    [[nodiscard]] virtual std::mutex& large_pictures() const { return large_pictures_; }

private:
    mutable std::mutex large_pictures_;
};

namespace data {

/// Thrown by Source::load() before memory is taken: the picture takes so much that no thread should hold one
/// while another does. with_picture() catches it.
struct LargePicture {};

/// Calls body(picture) with entry i, of a large one while no other thread has a large one of the collection.
/// Throws what Source::load() throws, and body.
template <class Body>
void with_picture(const ImageDataset::Source& source, std::int64_t i, const Preprocessing* preprocessing,
                  const Body& body) {
    try {
        body(source.load(i, preprocessing));
        return;
    } catch (const LargePicture&) {
    }
    const std::lock_guard alone(source.large_pictures());
    body(source.load_large(i, preprocessing));
}

using SourcePointer = std::shared_ptr<const ImageDataset::Source>;

/// A picture file, whatever its ending.
[[nodiscard]] SourcePointer open_file(const std::string& path, const PictureLimits& limits);
/// Throws IoError, InvalidArgument when there is no picture in it.
[[nodiscard]] SourcePointer open_folder(const std::string& path, const PictureLimits& limits);
/// Throws IoError, InvalidArgument when there is no line with a path, or no text in UTF-8.
[[nodiscard]] SourcePointer open_list(const std::string& path, const PictureLimits& limits);
/// A pipe or device, which is read once and whole: a picture, or a list of paths relative to the working
/// folder. Throws the same.
[[nodiscard]] SourcePointer open_pipe(const std::string& path, const PictureLimits& limits);
/// A file of an array, or `file.npz#name`; null where the path names a list or a picture. Throws IoError,
/// CorruptFile, InvalidArgument.
[[nodiscard]] SourcePointer open_array(const std::string& path, const PictureLimits& limits);
/// See ImageDataset::from_entries().
[[nodiscard]] SourcePointer named_source(const std::string& path, std::vector<ImageEntry> entries,
                                         PictureLimits limits);
/// Throws IoError, CorruptFile.
[[nodiscard]] SourcePointer open_idx(const std::string& path, const PictureLimits& limits);
/// Throws IoError, CorruptFile, InvalidArgument for kinds of values that are no pictures.
[[nodiscard]] SourcePointer open_npy(const std::string& path, const PictureLimits& limits);
/// An array of a `.npz` archive: that of the name, or the only one of pictures or rows. Throws the same.
[[nodiscard]] SourcePointer open_npz(const std::string& path, const std::optional<std::string>& name,
                                     const PictureLimits& limits);
/// Throws InvalidArgument.
[[nodiscard]] SourcePointer tensor_source(Tensor pictures, std::vector<std::string> labels);

}  // namespace data
}  // namespace stackae
