#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "stackae/layer.hpp"
#include "stackae/stage.hpp"
#include "stackae/tensor.hpp"
#include "stackae/train_config.hpp"

#include "base/communicator.hpp"
#include "base/row_source.hpp"
#include "layers/cost.hpp"
#include "linalg/onednn.hpp"
#include "nn/gradient_loop.hpp"

namespace stackae::layers {

/// n rows of d floats, in memory or in a temporary file that is mapped.
class RowStore {
public:
    RowStore() = default;
    RowStore(const RowStore&) = delete;
    RowStore& operator=(const RowStore&) = delete;
    virtual ~RowStore() = default;

    [[nodiscard]] virtual std::int64_t rows() const = 0;
    [[nodiscard]] virtual std::int64_t columns() const = 0;
    [[nodiscard]] virtual float* row(std::int64_t i) = 0;
};

/// What a layer sees of the pictures: each row through the layers below it.
class LayerInput {
public:
    LayerInput() = default;
    LayerInput(const LayerInput&) = delete;
    LayerInput& operator=(const LayerInput&) = delete;
    virtual ~LayerInput() = default;

    [[nodiscard]] virtual std::int64_t columns() const = 0;
    /// Rows that are best asked for at a time, by the memory that they take.
    [[nodiscard]] virtual std::int64_t chunk() const = 0;
    /// Of the pictures of those numbers; rows.size() × columns().
    [[nodiscard]] virtual Tensor gather(std::span<const std::int64_t> rows) = 0;
    /// The same without zeros, behind what is in `sparse`; a table's rows are never made dense for it.
    virtual void gather_sparse(std::span<const std::int64_t> rows, base::SparseRows& sparse);
    /// Works out some more of the input of all pictures, for trainers that go over it again and again. False:
    /// all is there, or it is a table's, which is sparse, and no layer below learns: then held() makes rows
    /// when they are asked for.
    [[nodiscard]] virtual bool hold() = 0;
    /// Of all pictures, once hold() said so.
    [[nodiscard]] virtual const base::RowSource& held() const = 0;
    [[nodiscard]] virtual StageProgress holding() const = 0;
    /// The pictures themselves, as the lowest layer sees them.
    [[nodiscard]] virtual Tensor pictures(std::span<const std::int64_t> rows) = 0;
    /// Room for what is learnt from.
    [[nodiscard]] virtual std::unique_ptr<RowStore> make_store(std::int64_t rows, std::int64_t columns) = 0;
    /// Gives back a store of what gather() gave of those pictures, as it was: layers above need not make it
    /// anew.
    virtual void leave(std::vector<std::int64_t> /*rows*/, std::unique_ptr<RowStore> /*store*/) {}
    /// Pictures of which a layer below left its input, in rising order; empty: none did.
    [[nodiscard]] virtual std::span<const std::int64_t> at_hand() const { return {}; }
};

/// What a trainer works with. It says nothing about the layer.
struct TrainContext {
    linalg::Context& context;
    base::Communicator& communicator;
    const TrainConfig& config;
    LayerInput& input;
    std::span<const std::int64_t> train;            ///< pictures that are learnt from, in rising order
    std::span<const std::int64_t> validation;       ///< pictures that were held out
    std::uint32_t stage = 0;                        ///< of random numbers, and of the layer from the bottom
    std::string name;                               ///< of the stage; messages begin with it
    bool of_pictures = false;                       ///< the input is the pictures as they are
    bool lowest = false;                            ///< nothing below learns
    Activation suited_output = Activation::linear;  ///< of a decoder that rebuilds the input
    nn::RowsTransform augment;                      ///< moves the input at random; empty: nothing
    /// Corrupts the input to a level; empty: there is no corruption.
    std::function<nn::RowsTransform(double level)> corruption;
    std::int64_t patch_bytes = 0;  ///< of samples that are learnt from, at most
    std::function<void(const StageEpoch&)> on_epoch = [](const StageEpoch& /*epoch*/) {};

    /// What it says of the stage, without the pictures.
    [[nodiscard]] PlanContext plan() const;
};

/// Values and numbers of a trainer that is under way, for a checkpoint. What is read of it is not to be
/// trusted.
struct TrainerState {
    std::map<std::string, Tensor> tensors;  ///< none is empty
    std::map<std::string, std::int64_t> numbers;

    void put(const std::string& name, const Tensor& tensor);
    /// Null where there is none. Throws InvalidArgument that names it where its shape is another, or a value
    /// is no finite number.
    [[nodiscard]] const Tensor* find(const std::string& name, const std::vector<std::int64_t>& shape) const;
    /// Throw InvalidArgument that names what is missing or does not fit.
    [[nodiscard]] const Tensor& tensor(const std::string& name, const std::vector<std::int64_t>& shape) const;
    [[nodiscard]] std::int64_t number(const std::string& name) const;
    [[nodiscard]] std::int64_t number(const std::string& name, std::int64_t min, std::int64_t max) const;
};

/// All of a layer's tensors, and back into one whose fields give them the shapes that they had, which throws
/// InvalidArgument.
void save_tensors(const Layer& layer, TrainerState& state);
void load_tensors(const TrainerState& state, Layer& layer);

/// How a kind learns. One driver runs every kind: step() until there is no further one, then finish().
class LayerTrainer {
public:
    LayerTrainer() = default;
    LayerTrainer(const LayerTrainer&) = delete;
    LayerTrainer& operator=(const LayerTrainer&) = delete;
    virtual ~LayerTrainer() = default;

    /// Some of the work: a batch, a chunk of pictures, one solve. False: done. Throws Divergence,
    /// InvalidArgument, IoError.
    virtual bool step(TrainContext& context) = 0;
    [[nodiscard]] virtual StageProgress progress() const = 0;
    /// The layer with what it learnt. Before the last step: as far as it came, or null where that is nothing
    /// that could be used.
    [[nodiscard]] virtual std::shared_ptr<const Layer> finish() = 0;

    /// A trainer that load_state() gives a state, before its first step, goes on exactly as the one that
    /// saved it would have. One that saves nothing begins anew, and gives the same layer; an empty state is
    /// not loaded. Throws InvalidArgument, also later in step(), where the state is none of this trainer's.
    virtual void save_state(TrainerState& /*state*/) {}
    virtual void load_state(const TrainerState& /*state*/) {}
};

/// At most `count` of the rows, by chance, in rising order. use: tells apart what one stage samples for.
[[nodiscard]] std::vector<std::int64_t> sample_rows(std::span<const std::int64_t> rows, std::int64_t count,
                                                    const TrainContext& context, std::uint32_t use);

/// The next rows of some, at most so many, where `done` of them are behind.
[[nodiscard]] inline std::span<const std::int64_t> next_rows(std::span<const std::int64_t> rows,
                                                             std::int64_t done, std::int64_t most) {
    const auto begin = static_cast<std::size_t>(done);
    return rows.subspan(begin, std::min(static_cast<std::size_t>(most), rows.size() - begin));
}

/// Fills a store with the input of some rows, chunk by chunk: a part of a trainer that needs them all at
/// once.
class StoreFiller {
public:
    explicit StoreFiller(std::vector<std::int64_t> rows) : rows_(std::move(rows)) {}

    /// One chunk; false where all are there.
    bool step(LayerInput& input);
    [[nodiscard]] bool is_full() const { return done_ == std::ssize(rows_); }
    [[nodiscard]] StageProgress progress() const { return {0, 0, done_, std::ssize(rows_)}; }
    [[nodiscard]] RowStore& store() { return *store_; }
    /// Gives the store to the layers above; its rows must be as they were.
    void leave(LayerInput& input) { input.leave(std::move(rows_), std::move(store_)); }

private:
    std::vector<std::int64_t> rows_;
    std::unique_ptr<RowStore> store_;
    std::int64_t done_ = 0;
};

}  // namespace stackae::layers
