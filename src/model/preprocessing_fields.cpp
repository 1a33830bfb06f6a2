#include "model/preprocessing_fields.hpp"

#include "stackae/preprocessing.hpp"

namespace stackae {

void add_fields(Preprocessing& preprocessing, base::FieldTable& table) {
    table.add("channels", preprocessing.channels, {1, 3}, "1: gray, 3: RGB");
    table.add("height", preprocessing.height, {1, Preprocessing::max_side}, "pixels");
    table.add("width", preprocessing.width, {1, Preprocessing::max_row}, "pixels");
    table.add("resize", preprocessing.resize,
              "how pictures of another shape are brought to height and width");
    table.add("background", preprocessing.background, {0.0, 1.0},
              "gray level behind transparency and in borders");
    table.add("contrast", preprocessing.contrast, "whether each picture's contrast is normalised");
    table.add("contrast_epsilon", preprocessing.contrast_epsilon, {0.0, 1e6, true}, "added to its variance");
}

base::FieldTable fields_of(const Preprocessing& preprocessing) {
    base::FieldTable table;
    add_fields(const_cast<Preprocessing&>(preprocessing), table);  // nobody sets anything by its rows
    return table;
}

}  // namespace stackae
