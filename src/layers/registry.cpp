#include "layers/registry.hpp"

#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "stackae/error.hpp"

#include "base/fields.hpp"
#include "layers/contrast_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/edlae.hpp"
#include "layers/elsa.hpp"
#include "layers/group_pool.hpp"
#include "layers/l2_norm.hpp"
#include "layers/nystroem.hpp"
#include "layers/pca.hpp"
#include "layers/pool2d.hpp"
#include "layers/power_norm.hpp"
#include "layers/ridge_decoder.hpp"
#include "layers/whiten.hpp"

namespace stackae {
namespace layers {
namespace {

struct Entry {
    const char* type;
    const char* summary;
    const char* papers;
    std::unique_ptr<Layer> (*make)();
};

template <class Kind>
constexpr Entry entry() {
    return {Kind::kind_name, Kind::summary, Kind::papers,
            [] { return std::unique_ptr<Layer>(std::make_unique<Kind>()); }};
}

/// Every kind there is, one line each.
constexpr std::array registry{
    entry<Conv2d>(),        //
    entry<Pool2d>(),        //
    entry<GroupPool>(),     //
    entry<Dense>(),         //
    entry<Pca>(),           //
    entry<Whiten>(),        //
    entry<Nystroem>(),      //
    entry<PowerNorm>(),     //
    entry<L2Norm>(),        //
    entry<ContrastNorm>(),  //
    entry<RidgeDecoder>(),  //
    entry<Edlae>(),         //
    entry<Elsa>(),          //
};

}  // namespace

std::unique_ptr<Layer> make_layer(std::string_view type) {
    std::array<std::string_view, registry.size()> names;
    for (std::size_t i = 0; i < registry.size(); ++i) {
        if (type == registry[i].type) {
            return registry[i].make();
        }
        names[i] = registry[i].type;
    }
    throw InvalidArgument(fmt::format("\"{}\" found, one of {} expected", type, fmt::join(names, ", ")));
}

}  // namespace layers

namespace {

/// The value where none is given; empty where one has to be.
std::string standard_of(const base::Field& field) {
    try {
        field.check();
        return field.text();
    } catch (const InvalidArgument&) {
        return "";
    }
}

}  // namespace

std::vector<LayerKind> layer_kinds() {
    std::vector<LayerKind> kinds;
    for (const layers::Entry& entry : layers::registry) {
        LayerKind& kind = kinds.emplace_back(LayerKind{entry.type, entry.summary, entry.papers, {}});
        const std::unique_ptr<Layer> layer = entry.make();
        base::FieldTable table;
        layer->fields(table);
        for (const auto& field : table) {
            kind.fields.push_back({field->name(), field->expected(), standard_of(*field), field->help()});
        }
    }
    return kinds;
}

}  // namespace stackae
