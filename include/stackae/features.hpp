#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/tensor.hpp"

namespace stackae {

enum class FeatureFormat {
    csv,     ///< header `filename,label,f0,f1,…`; the label column only where there are labels
    npy,     ///< float32, C order, n × d; names and labels in a `.csv` beside it
    libsvm,  ///< 1-based indices, label first, zeros left out; class names in a `.classes` beside it, 0-based
             ///< line = label
    projector,  ///< a folder with `tensors.tsv` and `metadata.tsv` for TensorFlow's Embedding Projector
    jsonl,      ///< one object a line: {"filename", "label", "features"}
};

[[nodiscard]] const char* name(FeatureFormat format);
/// By name ("csv", "npy", "libsvm", "projector", "jsonl"). Throws InvalidArgument that lists them.
[[nodiscard]] FeatureFormat parse_feature_format(std::string_view name);
/// By the path's ending (.csv, .npy, .libsvm/.svm, .tsv or a path ending in /, .jsonl/.ndjson). Throws
/// InvalidArgument.
[[nodiscard]] FeatureFormat feature_format_of(const std::string& path);

struct FeatureRow {
    std::string path;
    std::optional<std::string> label;
};

/// Writes a feature table row by row in flat memory; files appear at their names only with finish(),
/// whole. Without finish() nothing is left behind.
class FeatureWriter {
public:
    /// columns: d. labelled: whether a label column is kept. class_names, for libsvm: label numbers in this
    /// order (classes met later are appended); may be empty. Throws IoError.
    FeatureWriter(const std::string& path, FeatureFormat format, std::int64_t columns, bool labelled,
                  std::vector<std::string> class_names = {});
    /// To a stream instead of a file: csv, libsvm and jsonl only. Throws InvalidArgument for the others.
    FeatureWriter(std::ostream& out, FeatureFormat format, std::int64_t columns, bool labelled,
                  std::vector<std::string> class_names = {});
    FeatureWriter(const FeatureWriter&) = delete;
    FeatureWriter& operator=(const FeatureWriter&) = delete;
    ~FeatureWriter();

    /// rows.size() = codes.rows(), codes n × columns.
    void write(const std::vector<FeatureRow>& rows, const Tensor& codes);
    void finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stackae
