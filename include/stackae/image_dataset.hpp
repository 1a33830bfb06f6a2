#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stackae/enum_names.hpp"
#include "stackae/output_files.hpp"
#include "stackae/preprocessing.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

/// One picture of a collection, before it is decoded.
struct ImageEntry {
    std::string path;                       ///< as a person would name it; `file#12` inside IDX and NPY
    std::optional<std::string> label;       ///< first folder level, IDX label, or second column of a list
    std::optional<std::string> group = {};  ///< of pictures that splits keep together; by LabelFile
};

/// What is said of a picture apart from its file.
struct PictureLabel {
    std::optional<std::string> label = {};
    std::optional<std::string> group = {};  ///< a patient, a slide, a batch
};

/// Has names, as the manifest prints them.
enum class PictureStatus {
    ok,
    missing,      ///< no such file
    unreadable,   ///< the system refused to read it
    corrupt,      ///< damaged or cut short
    too_large,    ///< more pixels or bytes than PictureLimits allows
    unsupported,  ///< not a picture format that can be decoded
    /// Decoding it takes more memory than the system gives.
    out_of_memory,
};

/// Of files that hold several pictures (TIFF).
enum class PageSelection {
    all,
    first,
    channels,  ///< each is a channel of one picture
};

struct PictureLimits {
    /// Pictures of more pixels are refused before they are decoded (decompression bombs).
    std::int64_t max_pixels = 100'000'000;
    /// Likewise pictures that take more bytes while they are decoded.
    std::int64_t max_bytes = std::int64_t{4} << 30U;
    /// Which pages of a file become pictures.
    PageSelection pages = PageSelection::all;
    /// Files are the channels of pictures, see ChannelFiles::suffixes.
    std::vector<std::string> channel_suffixes = {};
    /// Threads that open() looks into files with; 0: one for each core that may be used.
    int threads = 0;
    /// Bytes of an array that had to be unpacked (gzip, `.npz`) or put into another order (Fortran's) that
    /// stay in memory; a larger one goes to a temporary file as a whole.
    std::int64_t memory = std::int64_t{256} << 20U;
    /// Where that file goes; empty: /var/tmp. It has no name, and is gone when the program ends.
    std::string temporary_folder = {};

    /// The same limits of pictures whose channels lie where a preprocessing says.
    [[nodiscard]] PictureLimits with(const ChannelFiles& channel_files) const;
};

/// A collection of pictures: a picture file, a folder (recursive; the first folder level below it is
/// the label), a `.txt` list of paths (one a line, relative to the list's folder, an optional label
/// after a tab; a line with # and a blank is a comment unless it is a file's path), IDX images (the labels
/// file is found beside it by its name), `.npy`, or `.npz` (`file.npz#name` where it holds several arrays of
/// pictures; labels from the array that goes with it by its name, `y` or `labels`). A pipe holds a picture or
/// a list.
///
/// Arrays are n×h×w, n×h×w×c (c to 256; 3: R, G, B, 4: and alpha, others: measurements) or n×d, in either
/// byte and index order, IDX and NPY also gzipped: truth values, whole numbers of 8 to 64 bits, floats of 16
/// to 64. Unsigned 8 and 16 bits are shares of 255 and 65535, true is 1, all others the numbers they are, as
/// floats. A row of n×d is a picture as preprocessing makes it, flattened; it is never resized. Pictures with
/// values outside of [0, 1] are skipped unless the preprocessing standardises, which takes any finite ones.
///
/// A TIFF of several pages is as many pictures, file.tif#1 and so on; such a name stands for the one page.
/// With PageSelection::channels it is one picture, of the channels of all pages. With channel suffixes
/// `_ch1` and `_ch2` the files cell_ch1.png and cell_ch2.png are one picture, cell.
/// Order is the byte order of the relative POSIX paths; lists, IDX and NPY keep their own. Hidden files
/// and files that are not pictures by their ending are passed over in folders. Opening lists but does
/// not decode. Reading is safe from several threads.
class ImageDataset {
public:
    /// Throws IoError when the path does not exist or cannot be read, CorruptFile when an IDX, NPY
    /// or NPZ file is damaged, InvalidArgument when there is no picture in it.
    static ImageDataset open(const std::string& path, const PictureLimits& limits = {});

    /// Pictures that are in memory already: n × h × w × c or n × h × w floats, or rows of numbers, n × d.
    /// labels: n, or none.
    static ImageDataset from_tensor(Tensor pictures, std::vector<std::string> labels = {});

    /// Pictures by the names that ImageEntry::path gave them, in that order and with these labels: files,
    /// pages
    /// (`scan.tif#2`), rows of arrays (`digits.npy#12`). One that cannot be had, since it is gone or came
    /// through a pipe or device, fails when it is read. path: what the collection is called.
    static ImageDataset from_entries(const std::string& path, std::vector<ImageEntry> entries,
                                     const PictureLimits& limits = {});

    ImageDataset(ImageDataset&&) noexcept;
    ImageDataset& operator=(ImageDataset&&) noexcept;
    ~ImageDataset();

    [[nodiscard]] std::int64_t size() const;
    /// Entry i, 0 ≤ i < size().
    [[nodiscard]] ImageEntry entry(std::int64_t i) const;
    /// The file that entry i is read from; pages of one file have the same.
    [[nodiscard]] std::string file(std::int64_t i) const;
    /// The input as it was given to open().
    [[nodiscard]] const std::string& path() const;
    /// True when at least one entry has a label.
    [[nodiscard]] bool labelled() const;
    /// Sentences on what a person might not expect of the collection, such as lines of a list that were taken
    /// for comments; mostly none.
    [[nodiscard]] std::vector<std::string> notes() const;
    /// The same collection once more; both share its files.
    [[nodiscard]] ImageDataset share() const { return ImageDataset(source_); }
    /// A view of some entries, in the order given; it shares this collection's files.
    [[nodiscard]] ImageDataset subset(std::span<const std::int64_t> entries) const;
    /// A view of all entries with these labels, size() of them, in place of their own. Throws
    /// InvalidArgument.
    [[nodiscard]] ImageDataset with_labels(std::vector<PictureLabel> labels) const;

    struct Source;  // the implementation, in src/data
    [[nodiscard]] const Source& source() const { return *source_; }

private:
    explicit ImageDataset(std::shared_ptr<const Source> source);
    std::shared_ptr<const Source> source_;
};

/// What to settle before reading; what is absent is chosen from the pictures.
struct PreprocessingOptions {
    /// 1: gray, 3: RGB, where the pictures are colours; others: pictures must have as many.
    std::optional<int> channels;
    std::optional<int> height;
    std::optional<int> width;
    int max_side = 64;  ///< of a size that is chosen: larger pictures are brought to it
    ResizeMode resize = ResizeMode::border;
    float background = 0.0F;
    bool contrast = false;
    /// Fit Preprocessing::mean and deviation on the pictures, whose values may then lie anywhere: of each
    /// value, or of each measured channel. When absent: of rows of numbers without height and width, which
    /// are measurements; where all of their values lie in [0, 1], in one unit, they share one deviation.
    std::optional<bool> standardize;
    /// Fit Preprocessing::ranges on the pictures. When absent: where channels are measured.
    std::optional<bool> fit_ranges;
    /// Preprocessing::ranges, one for all channels or one each; empty: as fit_ranges says.
    std::vector<ChannelRange> ranges = {};
};

/// Chooses the preprocessing: as many measured channels as most pictures have, where most have such; else
/// gray if all pictures looked at are gray; and their median height and width, scaled down together to at
/// most max_side where larger. At most 2,000 pictures, spread evenly, are looked at; standardisation reads
/// all. A range goes from the least thousandth of a channel's values in those pictures to the greatest, so
/// that a few that stand apart do not press all others together. Throws InvalidArgument when not one picture
/// can be read, naming the first and its reason.
[[nodiscard]] Preprocessing choose_preprocessing(const ImageDataset& pictures,
                                                 const PreprocessingOptions& options, int threads = 0);

struct SkippedPicture {
    std::int64_t index = 0;  ///< entry of the collection
    PictureStatus status = PictureStatus::ok;
    std::string reason;  ///< one line, without the path
};

/// What should be said of a picture although it is used: that it is the first frame of an animation, say.
struct PictureRemark {
    std::int64_t index = 0;  ///< entry of the collection
    std::string text;        ///< one line, without the path
};

/// A run of pictures in order. Entries that could not be read are in `skipped` and have no row.
struct PictureBatch {
    Tensor pictures;                    ///< n × preprocessing.size()
    std::vector<std::int64_t> indices;  ///< size n: the entry of each row
    std::vector<SkippedPicture> skipped;
    std::vector<PictureRemark> remarks;  ///< of pictures that have a row
};

struct ReadOptions {
    std::int64_t batch_size = 256;  ///< entries a batch at most; fewer where `memory` asks for it
    int threads = 0;                ///< decoding threads; 0: one a core
    int batches_ahead = 4;          ///< decoded and waiting at most
    /// Bytes of prepared pictures that are held ahead at most, 4 × preprocessing.size() a picture: batches
    /// are made smaller, then fewer, but one picture is always held. Beside it comes what the caller holds,
    /// and what decoding takes: one picture file a thread.
    std::int64_t memory = std::int64_t{256} << 20U;
};

/// Decodes and prepares a collection on background threads, ahead of the caller, in order.
/// The collection must outlive the reader. Not safe to share between threads.
class PictureReader {
public:
    /// Throws InvalidArgument when the preprocessing or an option is out of its range, or when the collection
    /// is of rows (n×d) and d is not preprocessing.size(). Preprocessing of height 1 is that of rows:
    /// pictures of another height are skipped as unsupported.
    PictureReader(const ImageDataset& pictures, const Preprocessing& preprocessing,
                  const ReadOptions& options = {});
    PictureReader(const PictureReader&) = delete;
    PictureReader& operator=(const PictureReader&) = delete;
    /// Stops the threads; what was decoded ahead is dropped.
    ~PictureReader();

    /// The next batch, or false at the end. A batch in which every entry was bad has 0 rows.
    bool next(PictureBatch& batch);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Writes a picture as PNG, 8 bits, atomically. picture: height × width × channels floats in [0, 1]
/// (clamped), channels 1 or 3 (RGB). Throws IoError, InvalidArgument.
void write_png(const std::string& path, const Tensor& picture);
/// The same into a file that the caller replaces together with others.
void write_png(const OutputFile& file, const Tensor& picture);
/// Writes pictures, n × height × width × channels, as they are: floats of 32 bits. Throws IoError,
/// InvalidArgument.
void write_npy(const OutputFile& file, const Tensor& pictures);
/// The same as a TIFF of a page a picture with as many samples a pixel as there are channels, 2 GiB at most.
void write_tiff(const OutputFile& file, const Tensor& pictures);

}  // namespace stackae
