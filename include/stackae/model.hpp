#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stackae/convolution.hpp"
#include "stackae/error.hpp"
#include "stackae/json.hpp"
#include "stackae/recipe.hpp"
#include "stackae/tensor.hpp"
#include "stackae/train_options.hpp"

namespace stackae {

/// One trained dense autoencoder of the stack: h = f(W x + b), x̂ = g(V h + c); or, of roots, h = f(W √x + b),
/// x̂ = max(0, g(V h + c))².
struct DenseLayer {
    Activation activation = Activation::sigmoid;  ///< f
    Activation decoder = Activation::sigmoid;     ///< g
    Tensor weights;                               ///< W, units × inputs
    Tensor bias;                                  ///< b, units
    Tensor decoder_weights;                       ///< V, inputs × units; empty when tied: V = Wᵀ
    Tensor decoder_bias;                          ///< c, inputs
    /// It sees the square roots of its inputs, which are 0 or more: the codes of a convolutional layer.
    bool of_roots = false;

    [[nodiscard]] std::int64_t inputs() const { return weights.columns(); }
    [[nodiscard]] std::int64_t units() const { return weights.rows(); }
    [[nodiscard]] bool tied() const { return decoder_weights.empty(); }
};

/// Radial units over a code y (Broomhead & Lowe 1988): each answers to what is alike to a picture, or to a
/// mean of pictures, that training saw. With z = s y / ‖s y‖ and e = exp(γ (C z − 1)),
///
///     h = R e,   R = (exp(γ (C Cᵀ − 1)) + 0.01)^−½
///
/// so that products of two pictures' h are about exp(γ (cos(z, z') − 1)): a linear classifier of h can tell
/// apart what only a curved border does in y (Nyström's method, Williams & Seeger 2001; Mairal et al. 2014).
/// Where there are many units, R is of `block` units at a time. The decoder gives ŷ = length ẑ / s, with ẑ
/// the mean over the blocks of Cᵀ R h, which meets the centres.
struct RadialLayer {
    Tensor scale;         ///< s, inputs; above 0
    Tensor centres;       ///< C, units × inputs; rows of length 1, or 0 where codes are 0
    Tensor mixing;        ///< R, units × block: row i holds what unit i takes of its own block
    float gamma = 1.0F;   ///< γ, above 0
    float length = 1.0F;  ///< mean of ‖s y‖ over the pictures that it was learnt from

    [[nodiscard]] std::int64_t inputs() const { return centres.columns(); }
    [[nodiscard]] std::int64_t units() const { return centres.rows(); }
    [[nodiscard]] std::int64_t block() const { return mixing.columns(); }
};

/// One epoch of one phase, as it went.
struct EpochRecord {
    int layer = 0;                 ///< 1-based; 0: fine-tuning of the unrolled stack
    std::int64_t epoch = 0;        ///< 1-based
    double train_loss = 0.0;       ///< mean over the epoch, of corrupted inputs and with penalties
    double validation_loss = 0.0;  ///< clean, without penalties; NaN without a validation part
    double mean_loss = 0.0;        ///< loss of predicting the mean input for every input of the same part
    double dead_units = 0.0;       ///< share of the layer's units that give every picture the same value
    double learning_rate = 0.0;    ///< at the epoch's end
    double seconds = 0.0;
};

/// How often the nearest neighbours' vote was right, by the codes of one layer, on labelled pictures that
/// training held out. Labels are used for nothing else.
struct LayerAccuracy {
    int layer = 0;                ///< 1-based
    double l2 = 0.0;              ///< by Euclidean distance, in [0, 1]
    double cosine = 0.0;          ///< by the angle, in [0, 1]
    std::int64_t pictures = 0;    ///< held out, that were measured on
    std::int64_t neighbours = 0;  ///< others, among which neighbours were looked for
    std::int64_t k = 0;           ///< neighbours that voted

    [[nodiscard]] double best() const { return l2 < cosine ? cosine : l2; }
};

/// A trained stack and everything that is needed to use it again. A value; safe to read from several threads.
struct Model {
    Recipe recipe;
    std::vector<ConvolutionLayer> convolutions;  ///< bottom up
    std::vector<DenseLayer> layers;              ///< on top of them, bottom up
    /// On top of all: a wide code for linear classifiers, beside the code below it, which recognition uses.
    std::optional<RadialLayer> radial;
    /// A linear decoder of the code straight to the picture, x̂ = D h + e, by ridge
    /// regression; empty: the layers' own decoders, one after the other, which pooling leaves little to
    /// rebuild from.
    Tensor picture_weights;     ///< D, recipe.size() × code_size()
    Tensor picture_bias;        ///< e, recipe.size()
    bool l2_normalize = false;  ///< the code is meant to be scaled to length 1
    TrainOptions options;       ///< what it was trained with
    std::vector<EpochRecord> history;
    std::vector<std::string> class_names;  ///< of the training pictures, in byte order; empty without labels
    std::string trained_on;                ///< the input as it was named
    std::int64_t pictures = 0;             ///< how many it was trained on
    bool interrupted = false;              ///< training was stopped before its end
    std::vector<LayerAccuracy> layer_accuracies;  ///< of the layers that were measured, bottom up

    /// Layers of all kinds; they are counted from the bottom, from 1.
    [[nodiscard]] int depth() const { return code_layer() + (radial ? 1 : 0); }
    /// The layer that 0 stands for, whose code recognition uses: the last but for radial units.
    [[nodiscard]] int code_layer() const { return static_cast<int>(convolutions.size() + layers.size()); }
    /// Values that the lowest dense layer sees: the pooled maps of the convolutions, or the picture.
    [[nodiscard]] std::int64_t dense_inputs() const;
    /// Length of the code of a layer, 1-based; 0: code_layer().
    [[nodiscard]] std::int64_t code_size(int layer = 0) const;
    /// Number of trained values.
    [[nodiscard]] std::int64_t parameters() const;
    /// 16 hexadecimal digits that change with any weight and with the recipe (XXH3 of both).
    [[nodiscard]] std::string identity() const;
};

/// Writes a safetensors file, whole or not at all. Throws IoError, or InvalidArgument when the model could
/// not be used: layers that do not fit one another or the recipe, values that are not finite.
void save(const Model& model, const std::string& path);

/// Throws IoError, or CorruptFile naming the file and what is wrong with it. A layer's code has at most 2^26
/// values a picture, so that a small file cannot ask for much memory.
[[nodiscard]] Model load_model(const std::string& path);

/// What a file of stackae says it is: "model", "gallery"; empty where it is a safetensors file of another
/// program, absent where it is none or is damaged. Throws IoError.
[[nodiscard]] std::optional<std::string> file_kind(const std::string& path);

/// Objects whose keys are the fields' names, enums by name(), what is absent or not a number as null.
[[nodiscard]] JsonObject to_json(const TrainOptions& options);
[[nodiscard]] JsonObject to_json(const Preset& preset);
/// Without mean and deviation; `standardized` says whether there are any.
[[nodiscard]] JsonObject to_json(const Recipe& recipe);
[[nodiscard]] JsonObject to_json(const EpochRecord& record);
[[nodiscard]] JsonObject to_json(const LayerAccuracy& accuracy);
/// Everything but the values of its tensors, with identity(), parameters(), depth() and what can be told of
/// each layer.
[[nodiscard]] JsonObject to_json(const Model& model);

/// θ of a convolutional layer, the mean over its units.
[[nodiscard]] double mean_threshold(const ConvolutionLayer& layer);
/// Share of a patch's units that the threshold of a convolutional layer, counted from 0, was to leave active,
/// where the model's options still tell.
[[nodiscard]] std::optional<double> activation_rate(const Model& model, std::size_t convolution);
/// True for a dense layer, counted from 0, that is a linear code on top and was solved in closed form.
[[nodiscard]] bool is_closed_form(const Model& model, std::size_t layer);

/// Bytes that an Encoder of so many threads holds at most while it encodes n pictures at a time up to `layer`
/// (0: the code), with the pictures and their codes, without the model itself.
[[nodiscard]] std::int64_t encoding_bytes(const Model& model, int layer, int threads, std::int64_t n);

struct EncodeOptions {
    int layer = 0;              ///< whose code, 1-based; 0: Model::code_layer()
    bool l2_normalize = false;  ///< scale each code to length 1 (a code of zeros stays)
    int threads = 0;            ///< 0: one a core
};

/// What a model makes of a picture is infinite or not a number: its weights, or the values, are too large.
class NotFinite : public Error {
public:
    NotFinite(const std::string& text, std::int64_t row) : Error(text), row_(row) {}
    /// Of the tensor that was given, counted from 0.
    [[nodiscard]] std::int64_t row() const { return row_; }

private:
    std::int64_t row_;
};

/// Runs pictures through a model. Primitives and buffers are made once, for blocks of fixed size, so
/// that a picture's code does not depend on its neighbours. The model must outlive it; use one per thread.
class Encoder {
public:
    /// Throws InvalidArgument when the model has no such layer.
    explicit Encoder(const Model& model, const EncodeOptions& options = {});
    ~Encoder();
    Encoder(Encoder&&) noexcept;
    Encoder& operator=(Encoder&&) noexcept;

    /// pictures n × recipe.size() to codes n × code_size. Throws InvalidArgument on another width, NotFinite
    /// where a code is not finite.
    [[nodiscard]] Tensor encode(const Tensor& pictures);
    /// Codes n × code_size back to pictures n × recipe.size(), in the recipe's values. Throws as encode().
    [[nodiscard]] Tensor decode(const Tensor& codes);
    [[nodiscard]] std::int64_t code_size() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Undoes the recipe's standardisation where it has one, so that values can be drawn: n × size() in,
/// n × size() out. Contrast normalisation cannot be undone; its values are mapped to [0, 1] picture by
/// picture.
[[nodiscard]] Tensor to_pixels(const Recipe& recipe, const Tensor& pictures);

}  // namespace stackae
