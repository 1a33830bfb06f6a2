#include "model/recipe_fields.hpp"

#include "stackae/recipe.hpp"

namespace stackae {

void add_fields(Recipe& recipe, base::FieldTable& table) {
    table.add("channels", recipe.channels, {1, 3}, "1: gray, 3: RGB");
    table.add("height", recipe.height, {1, Recipe::max_side}, "pixels");
    table.add("width", recipe.width, {1, Recipe::max_row}, "pixels");
    table.add("resize", recipe.resize, "how pictures of another shape are brought to height and width");
    table.add("background", recipe.background, {0.0, 1.0}, "gray level behind transparency and in borders");
    table.add("contrast", recipe.contrast, "whether each picture's contrast is normalised");
    table.add("contrast_epsilon", recipe.contrast_epsilon, {0.0, 1e6, true}, "added to its variance");
}

base::FieldTable fields_of(const Recipe& recipe) {
    base::FieldTable table;
    add_fields(const_cast<Recipe&>(recipe), table);  // nobody sets anything by its rows
    return table;
}

}  // namespace stackae
