#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/activation.hpp"
#include "stackae/layer.hpp"

namespace stackae {

/// Parts of a stack that are named one by one, as on a command line, instead of by its text. What is absent
/// or empty stays as it is.
struct ShortForms {
    /// In place of all layers of maps, each `UNITS@KERNEL` with parts after colons: fields of conv2d
    /// (`activation_rate=0.3`); `pool=2`, `pool=3/2` with another stride, or `grid=3`, and `max`, of the
    /// pool2d above it (pool=2 where none is named); `power_norm` for one on top of that.
    std::vector<std::string> convolutions = {};
    /// Units of the dense layers, bottom up, in place of those that are there, whose other fields they take
    /// over: the last of the last, the others cut or repeated, a single one of the first. Other layers stay
    /// where they are; where some are between dense layers, there have to be as many as before. On top of a
    /// stack without dense layers they may be below 0, so that a power_norm above them goes.
    std::vector<std::int64_t> layers = {};
    std::vector<Activation> activations = {};   ///< of the dense layers: one for all, or one each
    std::optional<Activation> output = {};      ///< of the lowest dense layer's decoder
    std::optional<bool> tied = {};              ///< of the dense layers
    std::vector<std::int64_t> epochs = {};      ///< of the dense layers, where there are any: as above
    std::vector<double> corruption_level = {};  ///< the same
    /// Components of the pca on top of the convolutions and dense layers; 0: nothing is there on top.
    std::optional<std::int64_t> code_size = {};
    /// Values of the whole stack's code: units of the dense layer on top of all, where there is one, else the
    /// same as code_size.
    std::optional<std::int64_t> components = {};
    std::optional<bool> power_norm = {};        ///< whether there is one below that pca
    std::optional<std::int64_t> nystroem = {};  ///< landmarks of a nystroem at the very top; 0: none
    /// A group_pool of that group, by its name, on top of the convolutions and their power_norm; "none": no
    /// layer of this kind.
    std::optional<std::string> invariance = {};
    std::optional<std::int64_t> patches = {};       ///< of all conv2d
    std::optional<std::int64_t> patch_epochs = {};  ///< epochs of all conv2d without slow_offset
};

/// A stack with those parts changed. Throws InvalidArgument that names the part, also where the stack has no
/// layer that it is of.
[[nodiscard]] Stack apply(const ShortForms& forms, const Stack& stack);

/// The stack with `epochs`, `batch_size` or `learning_rate` of each elsa set, which that of the training
/// leaves as it is: where the layer does not say its own, or in any case. Throws InvalidArgument.
[[nodiscard]] Stack with_elsa_field(const Stack& stack, std::string_view field, std::string_view value,
                                    bool in_any_case);
/// The stack with those fields said as what they are where an elsa does not say its own.
[[nodiscard]] Stack with_elsa_fields_said(const Stack& stack);

}  // namespace stackae
