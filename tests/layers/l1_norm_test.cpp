#include "layers/l1_norm.hpp"

#include <cmath>
#include <fstream>
#include <iterator>
#include <string>

#include "base/fields.hpp"
#include "layers/chain.hpp"
#include "layers/sample.hpp"
#include "support/catch.hpp"

namespace stackae {

TEST_CASE("The kind of layer that the guide adds gives shares that sum to 1") {
    auto layer = std::make_shared<layers::L1Norm>();
    base::FieldTable table;
    layer->fields(table);
    table.front().parse("0.001");
    layer->bind({2, 3, 4});
    CHECK_NOTHROW(layer->check());
    CHECK(layer->output_shape() == Shape{2, 3, 4});
    const Tensor rows = test::random_rows(300, 24, 3);
    const Tensor shares = layers::Chain({layer}, layers::Direction::encode, 2).run(rows);
    for (std::int64_t i = 0; i < shares.size(); i += 4) {
        double sum = 0.0;
        for (std::int64_t c = i; c < i + 4; ++c) {
            sum += std::abs(double{shares.data()[c]});
            CHECK((shares.data()[c] < 0.0F) == (rows.data()[c] < 0.0F));
        }
        CHECK(sum == Approx(1.0).margin(0.05));
    }
}

TEST_CASE("The table of kinds in the docs names every kind there is") {
    std::ifstream file(STACKAE_DOCS "/stacks.md");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (const LayerKind& kind : layer_kinds()) {
        CAPTURE(kind.name);
        CHECK(text.find("| `" + kind.name + "` | ") != std::string::npos);
    }
}

}  // namespace stackae
