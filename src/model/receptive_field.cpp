#include "model/receptive_field.hpp"

namespace stackae {

ReceptiveField receptive_field(const Stack& layers, std::size_t depth) {
    ReceptiveField pixels;
    const auto widen = [](ReceptiveField::Side& below, const ReceptiveField::Side& layer) {
        below.size += (layer.size - 1) * below.stride;
        below.offset += layer.offset * below.stride;
        below.stride *= layer.stride;
    };
    for (std::size_t i = 0; i < depth; ++i) {
        const ReceptiveField field = layers[i].receptive_field();
        widen(pixels.down, field.down);
        widen(pixels.across, field.across);
    }
    return pixels;
}

}  // namespace stackae
