#include "layers/group_pool.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "stackae/error.hpp"

#include "base/enum_names.hpp"
#include "base/fields.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/op.hpp"

namespace stackae {

using layers::TransformGroup;

template <>
constexpr auto base::enum_names<TransformGroup> =
    base::names_of<TransformGroup>("group", {{TransformGroup::mirror, "mirror"},
                                             {TransformGroup::rotate90, "rotate90"},
                                             {TransformGroup::dihedral, "dihedral"}});
template const char* name(TransformGroup);
template TransformGroup parse(std::string_view);

namespace layers {
namespace {

constexpr int right_angles = 4;

/// Turned counterclockwise by so many right angles, of a square where their number is odd, then mirrored.
PictureTransform turned(int turns, bool mirrored) {
    return [turns, mirrored](const Shape& picture, const float* src, float* dst) {
        for (std::int64_t row = 0; row < picture.height; ++row) {
            for (std::int64_t column = 0; column < picture.width; ++column) {
                std::int64_t y = row;
                std::int64_t x = mirrored ? picture.width - 1 - column : column;
                for (int turn = 0; turn < turns; ++turn) {
                    y = std::exchange(x, picture.width - 1 - y);
                }
                dst = std::copy_n(src + (y * picture.width + x) * picture.channels, picture.channels, dst);
            }
        }
    };
}

std::unique_ptr<Op> make_copying(const OpContext& context, const Shape& shape) {
    return std::make_unique<RowOp>(context.rows, shape.size(), [](auto src, auto dst) {
        std::copy(src.begin(), src.end(), dst.begin());
    });
}

}  // namespace

void GroupPool::fields(base::FieldTable& table) {
    table.add("group", group, "transforms of the picture whose codes are pooled");
}

void GroupPool::check_picture(const Shape& picture) const {
    const auto refuse_picture = [&](const char* expected) {
        throw InvalidArgument(fmt::format("{}: pictures of {} x {} found, {} expected", kind_name,
                                          picture.height, picture.width, expected));
    };
    if (picture.height == 1 || picture.width == 1) {
        refuse_picture("2 rows and columns or more");
    }
    if (group != TransformGroup::mirror && picture.height != picture.width) {
        refuse_picture("square ones (such as --img-size 32), or mirror images alone (--invariance mirror),");
    }
}

ReceptiveField GroupPool::receptive_field() const {
    const auto all = [](std::int64_t positions) {
        return ReceptiveField::Side{.size = 2 * positions - 1, .stride = 1, .offset = 1 - positions};
    };
    return {all(input_shape().height), all(input_shape().width)};
}

std::vector<PictureTransform> GroupPool::transforms() const {
    std::vector<PictureTransform> all;
    for (int turns = 0; turns < (group == TransformGroup::mirror ? 1 : right_angles); ++turns) {
        all.push_back(turned(turns, false));
        if (group != TransformGroup::rotate90) {
            all.push_back(turned(turns, true));
        }
    }
    return all;
}

std::unique_ptr<Op> GroupPool::encoder(const OpContext& context) const {
    return make_copying(context, input_shape());
}

std::unique_ptr<Op> GroupPool::decoder(const OpContext& context) const {
    return make_copying(context, input_shape());
}

OnnxValue GroupPool::to_onnx(OnnxGraph& /*graph*/, const OnnxValue& input) const {
    return input;
}

OnnxValue GroupPool::decoder_to_onnx(OnnxGraph& /*graph*/, const OnnxValue& code) const {
    return code;
}

std::vector<OnnxValue> GroupPool::transforms_to_onnx(OnnxGraph& graph, const OnnxValue& picture) const {
    std::vector<OnnxValue> all;
    OnnxValue turned_picture = graph.as_map(picture);
    for (int turns = 0; turns < (group == TransformGroup::mirror ? 1 : right_angles); ++turns) {
        if (turns > 0) {
            turned_picture = graph.transpose_sides(graph.mirror(turned_picture));
        }
        all.push_back(turned_picture);
        if (group != TransformGroup::rotate90) {
            all.push_back(graph.mirror(turned_picture));
        }
    }
    return all;
}

}  // namespace layers
}  // namespace stackae
