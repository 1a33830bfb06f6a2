#include "stackae/short_forms.hpp"

#include "stackae/error.hpp"
#include "stackae/train_config.hpp"

#include "support/catch.hpp"

namespace stackae {
namespace {

std::string over(const char* stack, const ShortForms& forms) {
    return to_text(apply(forms, parse_stack(stack)));
}

constexpr const char* conv =
    "conv2d:16:kernel=7, pool2d:2, conv2d:32:kernel=3, pool2d:grid=3, power_norm, "
    "pca:20:eigen_power=-0.25, l2_norm, nystroem:40";
constexpr const char* dense = "dense:30, dense:20, dense:10:activation=linear";

}  // namespace

TEST_CASE("Nothing that is named changes nothing") {
    CHECK(over(conv, {}) == conv);
    CHECK(over(dense, {}) == dense);
    for (const char* stack :
         {"dense:20, conv2d:4:kernel=1", "whiten, dense:5, pool2d:1, dense:7, pca:3, dense:2"}) {
        CHECK(over(stack, {}) == stack);
    }
}

TEST_CASE("Convolutions take the place of all maps, each with its pooling") {
    CHECK(over(conv, {.convolutions = {"8@5"}, .code_size = 0}) == "conv2d:8, pool2d:2");
    CHECK(over(conv, {.convolutions = {"8@3:pool=3/2:max:activation_rate=0.3", "9@2:grid=2:power_norm"},
                      .code_size = 4}) ==
          "conv2d:8:kernel=3:activation_rate=0.3, pool2d:3:stride=2:mode=maximum, conv2d:9:kernel=2, "
          "pool2d:grid=2, power_norm, pca:4:eigen_power=-0.25, l2_norm, nystroem:40");
    CHECK(over(dense, {.convolutions = {"8@3:slow_offset=2"}, .layers = {5}}) ==
          "conv2d:8:kernel=3:slow_offset=2, l2_norm, pool2d:2, dense:5");
}

TEST_CASE("Dense layers are stretched over other numbers of units") {
    CHECK(over(dense, {.layers = {6, 3}}) == "dense:6, dense:3:activation=linear");
    CHECK(over(dense, {.layers = {9, 8, 7, 6}}) == "dense:9, dense:8, dense:7, dense:6:activation=linear");
    CHECK(over(dense, {.layers = {6}}) == "dense:6");
    CHECK(over(conv, {.layers = {6}}) ==
          "conv2d:16:kernel=7, pool2d:2, conv2d:32:kernel=3, pool2d:grid=3, dense:6, "
          "pca:20:eigen_power=-0.25, l2_norm, nystroem:40");
}

TEST_CASE("Fields of dense layers are named once for all or once each") {
    CHECK(over(dense, {.activations = {Activation::tanh}, .tied = true}) ==
          "dense:30:activation=tanh:tied, dense:20:activation=tanh:tied, dense:10:activation=tanh:tied");
    CHECK(over(dense, {.layers = {4, 3},
                       .activations = {Activation::relu, Activation::silu},
                       .output = Activation::sigmoid,
                       .epochs = {5, 6},
                       .corruption_level = {0.25, 0.5}}) ==
          "dense:4:activation=relu:output=sigmoid:epochs=5:corruption_level=0.25, "
          "dense:3:epochs=6:corruption_level=0.5");
}

TEST_CASE("Fields are changed wherever their layers are") {
    CHECK(over("dense:5, conv2d:8:kernel=1, dense:7", {.epochs = {1, 2}, .patches = 5000}) ==
          "dense:5:epochs=1, conv2d:8:kernel=1:patches=5000, dense:7:epochs=2");
}

TEST_CASE("Layers that are not dense stay where they are when units are named") {
    CHECK(over("pca:20, dense:5", {.layers = {9, 8}}) == "pca:20, dense:9, dense:8");
    CHECK(over("dense:5, pca:4, dense:3", {.layers = {9, 8}}) == "dense:9, pca:4, dense:8");
    CHECK(over("conv2d:4, pool2d:2, l2_norm, dense:5, pca:2", {.layers = {7}}) ==
          "conv2d:4, pool2d:2, l2_norm, dense:7, pca:2");
    CHECK(over("pca:9", {.epochs = {3}}) == "pca:9");
    CHECK(over("conv2d:4:slow_offset=1, conv2d:4", {.patch_epochs = 3}) ==
          "conv2d:4:slow_offset=1, conv2d:4:epochs=3");
    CHECK(over("pca:9, nystroem:30, l2_norm, nystroem:40", {.nystroem = 50}) ==
          "pca:9, nystroem:30, l2_norm, nystroem:50");
}

TEST_CASE("The code, its power normalisation and landmarks are put on, changed and taken off") {
    CHECK(over(dense, {.code_size = 8}) ==
          "dense:30, dense:20, dense:10:activation=linear, pca:8:eigen_power=-0.25, l2_norm");
    CHECK(over("conv2d:4, pool2d:2, power_norm, pca:9, nystroem:30", {.power_norm = false, .nystroem = 0}) ==
          "conv2d:4, pool2d:2, pca:9");
    CHECK(over("conv2d:4, pool2d:2, pca:9", {.code_size = 7, .power_norm = true, .nystroem = 12}) ==
          "conv2d:4, pool2d:2, power_norm, pca:7, nystroem:12");
    CHECK(over(dense, {.components = 8}) == "dense:30, dense:20, dense:8:activation=linear");
    CHECK(over("dense:30, pca:9", {.components = 8}) == "dense:30, pca:8");
    CHECK(over("conv2d:4, pool2d:2", {.components = 8}) ==
          "conv2d:4, pool2d:2, pca:8:eigen_power=-0.25, l2_norm");
    CHECK(over(conv, {.patches = 5000, .patch_epochs = 3}).find("conv2d:32:kernel=3:patches=5000:epochs=3") !=
          std::string::npos);
}

TEST_CASE("Codes are made to be the same for mirror images or turns, above all maps and below the code") {
    const char* stack = "conv2d:4, pool2d:2, power_norm, pca:9, l2_norm";
    CHECK(over(stack, {.invariance = "rotate90"}) ==
          "conv2d:4, pool2d:2, power_norm, group_pool:rotate90, pca:9, l2_norm");
    CHECK(over("conv2d:4, pool2d:2, group_pool:rotate90, pca:9", {.invariance = "mirror"}) ==
          "conv2d:4, pool2d:2, group_pool, pca:9");
    CHECK(over("conv2d:4, group_pool, pca:9", {.invariance = "none"}) == "conv2d:4, pca:9");
    // It stays where it belongs, whatever else is changed.
    const char* turned = "conv2d:4, pool2d:2, group_pool:rotate90, pca:9, l2_norm";
    CHECK(over(turned, {}) == turned);
    CHECK(over(turned, {.code_size = 0}) == "conv2d:4, pool2d:2, group_pool:rotate90");
    CHECK(over(turned, {.layers = {20}}) ==
          "conv2d:4, pool2d:2, group_pool:rotate90, dense:20, pca:9, l2_norm");
    CHECK(over(turned, {.power_norm = true}) ==
          "conv2d:4, pool2d:2, power_norm, group_pool:rotate90, pca:9, l2_norm");
    CHECK(over(turned, {.convolutions = {"6@3:pool=2"}}) ==
          "conv2d:6:kernel=3, pool2d:2, group_pool:rotate90, pca:9, l2_norm");
    CHECK(over("conv2d:4, pool2d:2", {.code_size = 5, .invariance = "dihedral"}) ==
          "conv2d:4, pool2d:2, group_pool:dihedral, pca:5:eigen_power=-0.25, l2_norm");
}

TEST_CASE("What does not fit the stack is refused by its name") {
    const auto refused = [](const char* stack, const ShortForms& forms, const char* expected) {
        CHECK_THROWS_WITH(over(stack, forms), test::contains(expected));
    };
    refused(conv, {.activations = {Activation::relu}}, "activations: a stack without dense found");
    refused(dense, {.activations = {Activation::relu, Activation::relu}},
            "activations: 2 values found, 1 or 3 expected");
    refused(dense, {.patches = 5000}, "patches: a stack without conv2d found");
    refused(dense, {.power_norm = true}, "power_norm: no pca on top of the convolutions");
    refused("pca:20, dense:5", {.power_norm = true}, "power_norm: no pca on top of the convolutions");
    refused("dense:5, pca:4, dense:3", {.layers = {9}}, "layers: 1 values found, 2 expected");
    refused(dense, {.invariance = "mirror"}, "invariance: a stack without convolutions found");
    refused(conv, {.invariance = "turns"}, "group: turns found, one of mirror, rotate90, dihedral");
    refused(dense, {.layers = {0}}, "units: 0 found");
    refused(dense, {.convolutions = {"12"}}, "convolutions: \"12\" found, UNITS@KERNEL expected");
    refused(dense, {.convolutions = {"12@5:share=1"}}, "convolutions: 12@5:share=1: stack: layer 1");
    refused(dense, {.convolutions = {"12@0"}}, "kernel: 0 found");
}

}  // namespace stackae
