#include "support/members.hpp"

#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "base/threads.hpp"
#include "layers/chain.hpp"
#include "layers/trainer.hpp"
#include "linalg/onednn.hpp"
#include "support/catch.hpp"
#include "train/stack_input.hpp"
#include "train/training.hpp"

using namespace stackae;
using namespace stackae::test;

namespace {

/// The layers of a stack, each learnt from what those below make of all pictures.
Layers trained_by(base::Communicator& member, const Tensor& pictures, const Stack& stack) {
    const base::ThreadScope scope(1);
    linalg::Context backend(1);
    training::SampleStore samples(pictures.rows(), pictures.columns(), true);
    samples.put(0, pictures.values());
    training::Stores stores(std::int64_t{1} << 30, {});
    training::StackInput input(samples, samples.rows(), stores, 1);
    std::vector<std::int64_t> rows(static_cast<std::size_t>(pictures.rows()));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    TrainConfig config;
    Layers layers;
    Shape below{12, 12, 1};
    for (std::size_t i = 0; i < stack.size(); ++i) {
        std::unique_ptr<Layer> layer = stack[i].clone();
        layer->bind(below);
        input.below(layers);
        layers::TrainContext context{.context = backend,
                                     .communicator = member,
                                     .config = config,
                                     .input = input,
                                     .train = rows,
                                     .validation = {},
                                     .stage = static_cast<std::uint32_t>(i),
                                     .name = "a layer",
                                     .augment = {},
                                     .corruption = {},
                                     .patch_bytes = std::int64_t{1} << 30};
        std::shared_ptr<const Layer> made = std::move(layer);
        if (const auto trainer = made->trainer(context)) {
            while (trainer->step(context)) {
            }
            made = trainer->finish();
        }
        below = made->output_shape();
        layers.push_back(std::move(made));
    }
    return layers;
}

Tensor coded(const Layers& layers, const Tensor& pictures) {
    return layers::Chain(layers, layers::Direction::encode, 1).run(as_rows(pictures));
}

}  // namespace

TEST_CASE("Two members that learn together have the same layers, and one member's up to rounding") {
    const Stack stack = parse_stack(GENERATE(
        "conv2d:16:patches=3000, pool2d:grid=2, pca:4", "conv2d:8:slow_offset=1:patches=3000", "whiten:10",
        "pca:5, ridge_decoder:12:width=12", "pca:5:std_shrinkage=0.3, nystroem:20", "dense:20"));
    CAPTURE(to_text(stack));
    const Tensor pictures = strokes(201);
    base::OneMember one;
    const Tensor alone = coded(trained_by(one, pictures, stack), pictures);
    std::vector<Tensor> together(2);
    Members(2).run([&](base::Communicator& member) {
        together[static_cast<std::size_t>(member.rank())] =
            coded(trained_by(member, pictures, stack), pictures);
    });
    CHECK(same_values(together[0], together[1]));
    // Axes have no sign, so lengths are compared.
    for (std::int64_t i = 0; i < pictures.rows(); ++i) {
        const auto squares = [i](const Tensor& codes) {
            return std::inner_product(codes.row(i).begin(), codes.row(i).end(), codes.row(i).begin(), 0.0);
        };
        REQUIRE(squares(together[0]) == Approx(squares(alone)).epsilon(0.01).margin(1e-3));
    }
}
