#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>

#include "stackae/options.hpp"

namespace stackae::c {

// The options of each function, as stackae_describe_options() tells them.

/// Of an encoder whose codes are as a gallery says.
struct GalleryEncoderSet : OptionSet {
    Option<std::int64_t> threads{this, "threads", 0, {0.0, 1024.0}, "of one call; 0: one a core"};
    Option<std::int64_t> memory{this,
                                "memory",
                                0,
                                {0.0, 9e18},
                                "bytes that a call of more than 64 pictures may take; 0: half of what the "
                                "machine or its group allows"};
};

struct EncoderSet : GalleryEncoderSet {
    Option<std::string> output{this, "output", "", "embedding, wide or a layer's number; empty: the first"};
    Option<bool> l2_normalize{this, "l2_normalize", false, "scale each code to length 1"};
};

struct GallerySet : OptionSet {
    Option<std::string> output{this, "output", "", "of the model, what the codes are"};
    Option<bool> l2_normalize{this, "l2_normalize", false, "whether codes were scaled to length 1"};
    Option<std::string> metric{this, "metric", "l2", "l2 or cosine"};
};

struct RecognizerSet : OptionSet {
    Option<std::string> vote{this, "vote", "weighted", "weighted or majority"};
    Option<std::optional<std::int64_t>> k{
        this, "k", {}, {1.0, 1e9}, "neighbours that vote; else 50 with weights, 5 without"};
    Option<std::int64_t> top{this, "top", 1, {1.0, 1e9}, "candidates of a recognition"};
    Option<std::string> metric{this, "metric", "", "l2 or cosine; empty: the gallery's"};
    Option<std::optional<double>> threshold{
        this, "threshold", {}, {0.0, 1e300}, "distance above which a picture is unknown; else the gallery's"};
    Option<std::int64_t> threads{this, "threads", 0, {0.0, 1024.0}, "of one call; 0: one a core"};
};

struct PatchMemorySet : OptionSet {
    Option<std::string> method{this, "method", "",
                               "memory, gaussian, position_gaussian or reconstruction; empty: what tells "
                               "planted defects best"};
    Option<std::string> output{this, "output", "", "of the model that is given"};
    Option<std::int64_t> image_size{
        this, "image_size", 0, {0.0, 4096.0}, "pixels of the longer side at most; 0: 512"};
    Option<std::int64_t> tile{
        this, "tile", 0, {0.0, 4096.0}, "a picture is as odd as its oddest tile of so many pixels; 0: whole"};
    Option<std::int64_t> stride{this, "stride", 0, {0.0, 4096.0}, "pixels between positions; 0: 4 or 8"};
    Option<std::int64_t> max_codes{this, "max_codes", 10'000, {1.0, 1e9}, "in the memory"};
    Option<std::int64_t> dimension{this, "dimension", 64, {1.0, 1e6}, "values of a code at most"};
    Option<std::string> region{this, "region", "", "picture that is bright where others are looked at"};
    Option<std::uint64_t> seed{this, "seed", 0, {0.0, 1.8e19}, "of everything random"};
    Option<std::int64_t> threads{this, "threads", 0, {0.0, 1024.0}, "0: one a core"};
    Option<std::int64_t> memory{
        this, "memory", 0, {0.0, 9e18}, "bytes; 0: half of what the machine or its group allows"};
};

struct ScorerSet : OptionSet {
    Option<std::int64_t> threads{this, "threads", 0, {0.0, 1024.0}, "of one call; 0: one a core"};
};

struct TableSet : OptionSet {
    Option<std::string> value{this, "value", "binary", "what becomes of values: binary, log or raw"};
};

struct RecommenderSet : OptionSet {
    Option<std::int64_t> top{this, "top", 10, {1.0, 1e9}, "items at most"};
    Option<bool> include_known{this, "include_known", false, "rank what a user has already, too"};
    Option<std::int64_t> threads{this, "threads", 0, {0.0, 1024.0}, "of one call; 0: one a core"};
};

struct OnnxSet : OptionSet {
    Option<std::string> output{this, "output", "",
                               "of a model as of an encoder; of a patch memory map or score"};
    Option<std::string> part{this, "part", "encoder", "of a model: encoder, decoder or autoencoder"};
    Option<std::string> input{this, "input", "uint8", "uint8 or float32"};
    Option<std::int64_t> opset{this, "opset", 13, {13.0, 17.0}, "of ONNX's operators"};
};

/// Of both trainings, beside those of TrainConfig and RunOptions.
struct RecipeSet : OptionSet {
    Option<std::string> preset{this, "preset", "auto", "where all values come from that are not named"};
    Option<std::string> stack{this, "stack", "", "the layers, such as dense:100; empty: the preset's"};
    Option<std::optional<std::int64_t>> components{this, "components", {}, {1.0, 1e9}, "values of the code"};
    Option<double> budget{this, "budget", 900.0, {0.0, 1e9, true}, "seconds that auto may plan for"};
};

/// Of what pictures are brought to before they are learnt.
struct PreprocessingSet : OptionSet {
    Option<std::optional<std::int64_t>> channels{
        this, "channels", {}, {1.0, 256.0}, "1: gray, 3: RGB; else chosen from the pictures"};
    Option<std::optional<std::int64_t>> height{
        this, "height", {}, {1.0, 4096.0}, "pixels; else chosen from the pictures"};
    Option<std::optional<std::int64_t>> width{
        this, "width", {}, {1.0, 4096.0}, "pixels; else chosen from the pictures"};
    Option<std::optional<bool>> standardize{
        this, "standardize", {}, "bring values to mean 0 and deviation 1; auto: those of rows"};
};

/// Sets options by texts NAME=VALUE, the last followed by NULL, each in the set that has it. `other`, where
/// given, takes those that it has in place of that, by their names. Throws InvalidArgument.
void set_all(const char* const* texts, std::initializer_list<OptionSet*> sets,
             const OptionSet* other = nullptr, std::map<std::string, std::string>* to = nullptr);

template <class Set>
[[nodiscard]] Set read_options(const char* const* texts) {
    Set set;
    set_all(texts, {&set});
    return set;
}

/// An option that may be empty, parsed where it is not.
template <class Value, class Parse>
[[nodiscard]] std::optional<Value> parsed(const std::string& text, const Parse& parse) {
    return text.empty() ? std::nullopt : std::optional<Value>(parse(text));
}

template <class To>
[[nodiscard]] std::optional<To> narrowed(const std::optional<std::int64_t>& value) {
    return value ? std::optional<To>(static_cast<To>(*value)) : std::nullopt;
}

}  // namespace stackae::c
