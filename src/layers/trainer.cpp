#include "layers/trainer.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "stackae/error.hpp"

#include "base/random.hpp"
#include "base/rows.hpp"
#include "layers/tensors.hpp"

namespace stackae::layers {

PlanContext TrainContext::plan() const {
    return {.config = config,
            .name = name,
            .stage = stage,
            .of_pictures = of_pictures,
            .lowest = lowest,
            .made_anew = false,
            .suited_output = suited_output,
            .train = std::ssize(train),
            .validation = std::ssize(validation),
            .at_hand = std::ssize(input.at_hand()),
            .patch_bytes = patch_bytes,
            .threads = context.threads(),
            .input_floats = 0.0,
            .input_chunk = input.chunk(),
            .input_entries = 0.0};
}

void LayerInput::gather_sparse(std::span<const std::int64_t> rows, base::SparseRows& sparse) {
    for (std::int64_t done = 0; done < std::ssize(rows);) {
        const auto some = next_rows(rows, done, chunk());
        sparse.append(gather(some));
        done += std::ssize(some);
    }
}

void TrainerState::put(const std::string& name, const Tensor& tensor) {
    if (!tensor.empty()) {
        tensors[name] = tensor;
    }
}

const Tensor* TrainerState::find(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
        return nullptr;
    }
    if (found->second.shape() != shape) {
        throw InvalidArgument(fmt::format("{}: a tensor of {} found, {} expected", name,
                                          fmt::join(found->second.shape(), " x "), fmt::join(shape, " x ")));
    }
    if (!base::all_finite(found->second.values())) {
        throw InvalidArgument(fmt::format("{}: a value that is not a finite number found", name));
    }
    return &found->second;
}

const Tensor& TrainerState::tensor(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const Tensor* const found = find(name, shape);
    if (found == nullptr) {
        throw InvalidArgument(name + ": missing");
    }
    return *found;
}

std::int64_t TrainerState::number(const std::string& name) const {
    const auto found = numbers.find(name);
    if (found == numbers.end()) {
        throw InvalidArgument(name + ": missing");
    }
    return found->second;
}

std::int64_t TrainerState::number(const std::string& name, std::int64_t min, std::int64_t max) const {
    const std::int64_t found = number(name);
    if (found < min || found > max) {
        throw InvalidArgument(fmt::format("{}: {} found, {} to {} expected", name, found, min, max));
    }
    return found;
}

void save_tensors(const Layer& layer, TrainerState& state) {
    for (const auto& row : tensors_of(layer)) {
        state.put(row.name, *row.tensor);
    }
}

void load_tensors(const TrainerState& state, Layer& layer) {
    TensorTable table;
    layer.tensors(table);
    for (const auto& row : table) {
        *row.tensor = state.tensor(row.name, row.shape);
    }
    layer.check();
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

bool StoreFiller::step(LayerInput& input) {
    if (!store_) {
        store_ = input.make_store(std::ssize(rows_), input.columns());
    }
    const Tensor made = input.gather(next_rows(rows_, done_, input.chunk()));
    std::copy_n(made.data(), made.size(), store_->row(done_));
    done_ += made.rows();
    return !is_full();
}

}  // namespace stackae::layers
