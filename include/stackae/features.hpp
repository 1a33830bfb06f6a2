#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/enum_names.hpp"
#include "stackae/output_files.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

/// Numbers are written in the fewest digits that give the same float again, whatever the locale. Has names.
enum class FeatureFormat {
    /// Header `filename,label,f0,f1,…`; the label column only where there are labels, an empty field where a
    /// row has none. Quoted by RFC 4180.
    csv,
    /// float32, C order, n × d. `NAME.npy.csv` beside NAME.npy has `row,filename,label`, rows from 0.
    npy,
    /// `label index:value …`, indices from 1, zeros left out but for the last feature, which says how many
    /// there are. Labels are numbers from 0, whose names are the lines of `NAME.classes` beside it; a row
    /// without a label gets -1, and every row of a table without labels gets 0, as LIBSVM's own documents
    /// advise.
    libsvm,
    /// For TensorFlow's Embedding Projector: a folder with `tensors.tsv`, `metadata.tsv` and
    /// `projector_config.json`, or, where the path ends in .tsv, that file and `NAME.metadata.tsv` and
    /// `NAME.projector_config.json` beside it; with set_sprite() `sprite.png`, too. Without labels the
    /// metadata
    /// is one column without a header. Tabs and line ends in names become spaces.
    projector,
    /// One object a line: `{"filename", "label", "features"}`; no label key where there are no labels, null
    /// where a row has none or a value is not finite.
    jsonl,
    /// NumPy's archive of arrays: `features`, n × d, `names` and, where there are labels, `labels`, texts,
    /// that
    /// of a row without one empty. Names are held in memory until the end.
    npz,
    /// Datasets `/features`, n × d, `/names` and, where there are labels, `/labels`, texts in UTF-8, that of
    /// a
    /// row without one empty. Until the end it is in /var/tmp.
    hdf5,
    /// Columns `filename`, `label` where there are labels, null where a row has none, and `features`, a list
    /// of
    /// floats; not compressed. embedding-atlas takes it with `--vector features`.
    parquet,
    /// An index of FAISS to search by Euclidean distances, IndexFlatL2, whose numbers are the rows';
    /// `NAME.faiss.csv` beside it has `row,filename,label`.
    faiss,
};

/// What rows are of, as the column of their names is headed. Has names. Ids of users and items are written
/// byte for byte in CSV.
enum class RowKind { filename, user, item };

/// By the path's ending (.csv, .npy, .libsvm/.svm, .tsv or a path ending in /, .jsonl/.ndjson, .npz,
/// .h5/.hdf5, .parquet, .faiss), in either case. Throws InvalidArgument that lists them.
[[nodiscard]] FeatureFormat feature_format_of(const std::string& path);

/// Every file that a FeatureWriter to this path writes, side files last, but for a sprite. An existing folder
/// makes a difference to projector.
[[nodiscard]] std::vector<std::string> feature_files(const std::string& path, FeatureFormat format,
                                                     bool labelled);
/// Where the projector's sprite goes.
[[nodiscard]] std::string sprite_file(const std::string& path);
/// Whether a stream can take it, which is neither gone back in nor has files beside it.
[[nodiscard]] bool is_streamed(FeatureFormat format);

struct FeatureRow {
    std::string path;
    std::optional<std::string> label;
};

/// Writes a feature table row by row in flat memory; files appear at their names only with finish(),
/// whole. Without finish() nothing is left behind. A table and its side file are replaced together: where the
/// process is killed in the midst of it, a hidden record stays in the folder, by which the next writer to
/// that folder (or the next command of the program that reads there) completes it. Names are written in
/// UTF-8: in one that is not, every odd byte becomes `\xHH` and every backslash `\x5c`.
class FeatureWriter {
public:
    /// columns: d. labelled: whether a label column is kept. class_names, for libsvm: label numbers in this
    /// order (classes met later are appended); may be empty. Throws IoError.
    FeatureWriter(const std::string& path, FeatureFormat format, std::int64_t columns, bool labelled,
                  std::vector<std::string> class_names = {}, RowKind kind = RowKind::filename);
    /// With files that the caller replaces together with others by committing `files` after finish().
    FeatureWriter(OutputFiles& files, const std::string& path, FeatureFormat format, std::int64_t columns,
                  bool labelled, std::vector<std::string> class_names = {}, RowKind kind = RowKind::filename);
    /// To a stream instead of a file: csv, libsvm and jsonl only. Throws InvalidArgument for the others.
    FeatureWriter(std::ostream& out, FeatureFormat format, std::int64_t columns, bool labelled,
                  std::vector<std::string> class_names = {}, RowKind kind = RowKind::filename);
    FeatureWriter(const FeatureWriter&) = delete;
    FeatureWriter& operator=(const FeatureWriter&) = delete;
    ~FeatureWriter();

    /// rows.size() = codes.rows(), codes n × columns. Throws InvalidArgument, IoError.
    void write(const std::vector<FeatureRow>& rows, const Tensor& codes);
    /// Of projector: thumbnails of all rows in their order, in a grid of as many rows as columns, of so many
    /// pixels a side, see SpriteSheet; before finish(). Throws InvalidArgument for other formats, IoError.
    void set_sprite(const Tensor& picture, std::int64_t side);
    /// Brings all files to the disk, then gives them their names. Throws IoError (disk full, stream closed).
    void finish();

private:
    struct State;
    void open(OutputFiles& files, const std::string& path, FeatureFormat format, bool labelled,
              const std::vector<std::string>& class_names, RowKind kind);

    std::unique_ptr<State> state_;
};

}  // namespace stackae
