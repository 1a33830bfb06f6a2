#include "layers/trainer.hpp"

#include <algorithm>

#include "base/random.hpp"

namespace stackae::layers {

PlanContext TrainContext::plan() const {
    return {.config = config,
            .name = name,
            .stage = stage,
            .of_pictures = of_pictures,
            .suited_output = suited_output,
            .train = std::ssize(train),
            .validation = std::ssize(validation),
            .at_hand = std::ssize(input.at_hand()),
            .patch_bytes = patch_bytes,
            .threads = context.threads(),
            .input_floats = 0.0,
            .input_chunk = input.chunk()};
}

std::vector<std::int64_t> sample_rows(std::span<const std::int64_t> rows, std::int64_t count,
                                      const TrainContext& context, std::uint32_t use) {
    std::vector<std::int64_t> some(rows.begin(), rows.end());
    if (std::ssize(some) > count) {
        base::shuffle(some,
                      base::Random(context.config.seed, base::RandomStream::patches, context.stage, use));
        some.resize(static_cast<std::size_t>(count));
        std::sort(some.begin(), some.end());
    }
    return some;
}

bool StoreFiller::step(TrainContext& context) {
    if (!store_) {
        store_ = context.input.make_store(std::ssize(rows_), context.input.columns());
    }
    const Tensor made = context.input.gather(next_rows(rows_, done_, context.input.chunk()));
    std::copy_n(made.data(), made.size(), store_->row(done_));
    done_ += made.rows();
    return !is_full();
}

}  // namespace stackae::layers
