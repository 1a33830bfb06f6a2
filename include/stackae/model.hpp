#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/interactions.hpp"
#include "stackae/json.hpp"
#include "stackae/layer.hpp"
#include "stackae/preprocessing.hpp"
#include "stackae/stage.hpp"
#include "stackae/tensor.hpp"
#include "stackae/train_config.hpp"

namespace stackae {

class ImageDataset;

/// What the lowest `depth` layers of a model make, under a name: "embedding", "wide".
struct NamedOutput {
    std::string name;
    std::size_t depth = 0;  ///< layers that are run

    friend bool operator==(const NamedOutput&, const NamedOutput&) = default;
};

/// How pictures are rebuilt: of what the lowest `depth` layers make, by a head that leads straight to the
/// picture or, where there is none, by the layers' own decoders, one after the other.
struct Reconstruction {
    std::size_t depth = 0;
    Stack head;
};

/// How often the nearest neighbours' vote was right, by the codes at some depth, on labelled pictures that
/// training held out. Labels are used for nothing else.
struct DepthAccuracy {
    std::size_t depth = 0;        ///< layers that are run
    double l2 = 0.0;              ///< by Euclidean distance, in [0, 1]
    double cosine = 0.0;          ///< by the angle, in [0, 1]
    std::int64_t pictures = 0;    ///< held out, that were measured on
    std::int64_t neighbours = 0;  ///< others, among which neighbours were looked for
    std::int64_t k = 0;           ///< neighbours that voted

    [[nodiscard]] double best() const { return l2 < cosine ? cosine : l2; }
};

/// Σ (x̂ − x)² a row, over the preprocessing's values, mean over rows that training held out. Where an epoch
/// was chosen by its loss on them, the stack's figure is that of the choice.
struct ReconstructionErrors {
    double stack = 0.0;           ///< by Model::reconstruction
    double pca = 0.0;             ///< of principal components of the rows that were learnt from
    double mean = 0.0;            ///< of predicting their mean
    std::int64_t components = 0;  ///< principal components: as many as the code has values, at most min(n, d)
    std::int64_t pictures = 0;    ///< held out, that were measured on
    std::int64_t others = 0;      ///< that the components were found from

    /// Whether the stack's is the larger by more than a thousandth of it, and by more than rounding.
    [[nodiscard]] bool worse_than_pca() const { return stack > pca + 1e-3 * pca + 1e-6 * mean; }
};

/// How a model came to be; never needed to run it. It names nothing of the machine: no folder, time or
/// thread.
struct TrainingRecord {
    TrainConfig config;
    std::vector<StageEpoch> history;
    std::vector<std::string> class_names;   ///< of the training pictures, in byte order; empty without labels
    std::string data;                       ///< data_identity() of the training pictures
    std::int64_t pictures = 0;              ///< how many it was trained on
    bool interrupted = false;               ///< training was stopped before its end
    std::vector<DepthAccuracy> accuracies;  ///< at the depths that were measured, bottom up
    std::optional<ReconstructionErrors> reconstruction = {};  ///< of rows of numbers, where it was measured
};

/// 16 hexadecimal digits that tell one set of pictures from another, wherever it lies: of the names, without
/// folders, and the labels of all its entries, in order (XXH3). No picture is opened.
[[nodiscard]] std::string data_identity(const ImageDataset& pictures);
/// The same of a table, of all that is in it.
[[nodiscard]] std::string data_identity(const Interactions& table);
/// Of a table's rows: 1 × 1 × items, or users where items are the rows, as they are.
[[nodiscard]] Preprocessing preprocessing_of(const Interactions& table, TableRow rows);

/// A trained stack and everything that is needed to use it again. A value; safe to read from several threads.
struct Model {
    Preprocessing preprocessing;
    Stack layers;
    /// The first is what is meant where none is named.
    std::vector<NamedOutput> outputs;
    Reconstruction reconstruction;
    TrainingRecord record;
    /// What it was learnt from, where that was a table, by which users are known; else without items.
    Interactions table;

    [[nodiscard]] Shape input_shape() const { return preprocessing.shape(); }
    /// Of an output by its name, or by the number of layers, 1 or more, that are run; empty: the first
    /// output. Throws InvalidArgument that lists what there is.
    [[nodiscard]] std::size_t depth_of(std::string_view output = {}) const;
    /// Values of an output's code.
    [[nodiscard]] std::int64_t code_size(std::string_view output = {}) const;
    /// Depths whose codes are worth telling apart, in rising order: below each layer that learnt from them,
    /// and of the outputs.
    [[nodiscard]] std::vector<std::size_t> code_depths() const;
    /// The highest layer, from 1, on the way from a code of the lowest `depth` layers back to the picture
    /// that cannot be inverted, so that nothing is rebuilt from there; 0: there is none.
    [[nodiscard]] std::size_t uninvertible_layer(std::size_t depth) const;
    /// Number of trained values.
    [[nodiscard]] std::int64_t parameters() const;
    /// 16 hexadecimal digits that change with the preprocessing, any layer's fields and any of its values,
    /// and with the names of a table's items (XXH3).
    [[nodiscard]] std::string identity() const;
};

/// Throws InvalidArgument where layers, outputs and the reconstruction do not fit one another or the
/// preprocessing, or values are not finite.
void check(const Model& model);

/// Writes a safetensors file, whole or not at all. Throws IoError, or InvalidArgument as check() does.
void save(const Model& model, const std::string& path);

/// Throws IoError, or CorruptFile naming the file and what is wrong with it.
[[nodiscard]] Model load_model(const std::string& path);

/// What a file of stackae says it is: "model", "gallery"; empty where it is a safetensors file of another
/// program, absent where it is none or is damaged. Throws IoError.
[[nodiscard]] std::optional<std::string> file_kind(const std::string& path);

/// Objects whose keys are the fields' names, enums by name(), what is absent as null.
[[nodiscard]] JsonObject to_json(const TrainConfig& config);
[[nodiscard]] JsonObject to_json(const Preset& preset);
/// Without mean and deviation; `standardized` says whether there are any.
[[nodiscard]] JsonObject to_json(const Preprocessing& preprocessing);
[[nodiscard]] JsonObject to_json(const StageEpoch& epoch);
[[nodiscard]] JsonObject to_json(const DepthAccuracy& accuracy);
[[nodiscard]] JsonObject to_json(const ReconstructionErrors& errors);
/// Everything but the values of its tensors: each layer with its text, its fields, its shapes and the number
/// of its parameters, each output with the size of its code, and identity(), parameters(), code_size() and
/// the number of layers.
[[nodiscard]] JsonObject to_json(const Model& model);

struct EncodeOptions {
    std::string output = {};    ///< as Model::depth_of()
    bool l2_normalize = false;  ///< scale each code to length 1 (a code of zeros stays)
    int threads = 0;            ///< 0: one a core
};

/// Bytes that a Encoder of so many threads holds at most, about, while it encodes n pictures at a time
/// up to an output, with the pictures and their codes, without the model itself. Throws as depth_of().
[[nodiscard]] std::int64_t encoding_bytes(const Model& model, std::string_view output, int threads,
                                          std::int64_t n);

/// Runs pictures through a model. Ops and buffers are made once, for blocks of fixed size, so that a
/// picture's code does not depend on its neighbours. It keeps what it needs of the model. Use one per thread.
class Encoder {
public:
    /// Throws InvalidArgument when the model has no such output.
    explicit Encoder(const Model& model, const EncodeOptions& options = {});
    ~Encoder();
    Encoder(Encoder&&) noexcept;
    Encoder& operator=(Encoder&&) noexcept;

    /// pictures n × input_shape().size() to codes n × code_size(). Throws InvalidArgument on another width,
    /// NotFinite where a code is not finite.
    [[nodiscard]] Tensor encode(const Tensor& pictures);
    /// Codes n × code_size() back to pictures, in the preprocessing's values. Throws as encode(), and
    /// InvalidArgument where a layer between has no decoder.
    [[nodiscard]] Tensor decode(const Tensor& codes);
    /// Pictures as the model rebuilds them, which is from Model::reconstruction, whatever the output.
    [[nodiscard]] Tensor reconstruct(const Tensor& pictures);
    [[nodiscard]] std::int64_t code_size() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stackae
