#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "stackae/layer.hpp"

#include "layers/chain.hpp"
#include "layers/trainer.hpp"
#include "train/sample_store.hpp"

/// Where the layers of a stack that is trained get their input from, and where it is kept.
namespace stackae::training {

/// Where pictures and codes are kept: in memory as long as they fit, then in files.
class Stores {
public:
    /// limit: bytes in memory.
    Stores(std::int64_t limit, std::string folder) : limit_(limit), folder_(std::move(folder)) {}

    void set_limit(std::int64_t bytes) { limit_ = bytes; }

    SampleStore make(std::int64_t rows, std::int64_t columns);
    /// Of a store that stays, until it is dropped.
    void keep(const SampleStore& store) { held_ += store.in_memory() ? store.bytes() : 0; }
    void drop(const SampleStore& store) { held_ -= store.in_memory() ? store.bytes() : 0; }

private:
    std::int64_t limit_;
    std::string folder_;
    std::int64_t held_ = 0;
};

/// Rows that are held, by the run's limit in memory or in a file.
class HeldRows : public layers::RowStore {
public:
    HeldRows(Stores& stores, std::int64_t rows, std::int64_t columns)
        : stores_(stores), store_(stores.make(rows, columns)) {
        stores_.keep(store_);
    }
    ~HeldRows() override { stores_.drop(store_); }

    [[nodiscard]] std::int64_t rows() const override { return store_.rows(); }
    [[nodiscard]] std::int64_t columns() const override { return store_.columns(); }
    [[nodiscard]] float* row(std::int64_t i) override { return store_.row(i); }
    [[nodiscard]] SampleStore& store() { return store_; }

private:
    Stores& stores_;
    SampleStore store_;
};

/// Rows of so many values that are made at a time, so that they take 128 MiB about.
[[nodiscard]] std::int64_t chunk_of(std::int64_t columns);

/// What was asked of an input that changes what it makes later codes from, and with which rounding.
struct InputEvent {
    enum class Kind { below, hold, leave, raise };
    Kind kind = Kind::below;
    std::size_t depth = 0;           ///< of below
    std::vector<std::int64_t> rows;  ///< of leave
};

/// As many as there can be where so many layers or heads are learnt.
[[nodiscard]] constexpr std::size_t max_events(std::int64_t stages) {
    return 8 * static_cast<std::size_t>(stages) + 1;
}

/// The input of one layer after the other. What one of them has made of all pictures, or of those that a code
/// was found from, serves those above it.
class StackInput : public layers::LayerInput {
public:
    /// pictures: so many rows of values, pictures or users.
    StackInput(const base::RowSource& pictures, std::int64_t rows, Stores& stores, int threads);

    /// The layers below the one that sees this input.
    void below(Layers layers);

    [[nodiscard]] std::int64_t columns() const override { return columns_; }
    [[nodiscard]] std::int64_t chunk() const override { return chunk_of(columns_); }
    [[nodiscard]] Tensor gather(std::span<const std::int64_t> rows) override;
    void gather_sparse(std::span<const std::int64_t> rows, base::SparseRows& sparse) override;
    [[nodiscard]] bool hold() override;
    [[nodiscard]] const base::RowSource& held() const override {
        return makes_anew() ? made_anew_ : source();
    }
    [[nodiscard]] StageProgress holding() const override { return {0, 0, made_ ? done_ : 0, rows_}; }
    [[nodiscard]] Tensor pictures(std::span<const std::int64_t> rows) override;
    [[nodiscard]] std::unique_ptr<layers::RowStore> make_store(std::int64_t rows,
                                                               std::int64_t columns) override {
        return std::make_unique<HeldRows>(stores_, rows, columns);
    }
    void leave(std::vector<std::int64_t> rows, std::unique_ptr<layers::RowStore> store) override;
    [[nodiscard]] std::span<const std::int64_t> at_hand() const override { return some_rows_; }

    /// What was asked of it so far.
    [[nodiscard]] const std::vector<InputEvent>& events() const { return events_; }
    /// Does the same again, so that what it makes from then on is the same to the last bit. layers: all that
    /// are finished, bottom up. False where `stop` said so between. Throws InvalidArgument where the events
    /// are of other layers or pictures.
    [[nodiscard]] bool replay(const std::vector<InputEvent>& events,
                              const std::vector<std::shared_ptr<const Layer>>& layers,
                              const std::function<bool()>& stop);

private:
    /// What layers make of a table's rows, when it is asked for.
    class MadeAnew : public base::RowSource {
    public:
        explicit MadeAnew(StackInput& input) : input_(input) {}
        [[nodiscard]] std::int64_t columns() const override { return input_.columns(); }
        void gather(std::span<const std::int64_t> indices, float* dst) const override;

    private:
        StackInput& input_;
    };

    /// Whether rows are sparse and no layer has learnt to make anything else of them.
    [[nodiscard]] bool makes_anew() const;
    /// The pictures, or what is held of them.
    [[nodiscard]] const base::RowSource& source() const { return held_ ? held_->store() : pictures_; }
    [[nodiscard]] Layers layers_from(std::size_t depth) const {
        return {layers_.begin() + static_cast<std::ptrdiff_t>(depth), layers_.end()};
    }
    /// From what is held, through the layers.
    Tensor make(std::span<const std::int64_t> rows);
    /// Takes what was left of some rows through the layers above it.
    void raise_some();
    /// Whether what the lowest `depth` layers made serves the layer that sees this input.
    [[nodiscard]] bool is_used(std::size_t depth) const;
    void forget_all();
    void forget_some();

    const base::RowSource& pictures_;
    std::int64_t rows_;  ///< of pictures
    Stores& stores_;
    int threads_;
    Layers layers_;
    std::int64_t columns_ = 0;
    std::unique_ptr<HeldRows> held_;  ///< what the lowest held_depth_ layers make of all pictures
    std::size_t held_depth_ = 0;
    std::unique_ptr<HeldRows> made_;  ///< the same of all layers, the first done_ rows
    std::int64_t done_ = 0;
    std::optional<layers::Chain> chain_;  ///< of what is above what is held
    std::vector<std::int64_t> some_rows_;
    std::unique_ptr<layers::RowStore> some_;  ///< what the lowest some_depth_ layers make of them
    std::size_t some_depth_ = 0;
    std::vector<InputEvent> events_;
    MadeAnew made_anew_{*this};
};

}  // namespace stackae::training
