#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
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

/// Rows that a trainer holds, by the run's limit in memory or in a file.
class HeldRows : public layers::RowStore {
public:
    explicit HeldRows(SampleStore store) : store_(std::move(store)) {}
    [[nodiscard]] std::int64_t rows() const override { return store_.rows(); }
    [[nodiscard]] std::int64_t columns() const override { return store_.columns(); }
    [[nodiscard]] float* row(std::int64_t i) override { return store_.row(i); }

private:
    SampleStore store_;
};

/// Where pictures and codes are kept: in memory as long as they fit, then in files.
class Stores {
public:
    Stores(std::int64_t limit, std::string folder) : limit_(limit), folder_(std::move(folder)) {}

    SampleStore make(std::int64_t rows, std::int64_t columns) {
        const bool fits = held_ + bytes_of(rows, columns) <= limit_;
        return {rows, columns, fits, folder_};
    }
    /// Of a store that stays, until it is dropped.
    void keep(const SampleStore& store) { held_ += store.in_memory() ? store.bytes() : 0; }
    void drop(const SampleStore& store) { held_ -= store.in_memory() ? store.bytes() : 0; }

private:
    static std::int64_t bytes_of(std::int64_t rows, std::int64_t columns) {
        return rows * columns * static_cast<std::int64_t>(sizeof(float));
    }

    std::int64_t limit_;
    std::string folder_;
    std::int64_t held_ = 0;
};

inline constexpr std::int64_t chunk_bytes = std::int64_t{128} << 20;  ///< of maps made at a time

/// The input of one layer after the other. What one of them has made of all pictures serves those above it.
class StackInput : public layers::LayerInput {
public:
    StackInput(const SampleStore& pictures, Stores& stores, int threads)
        : pictures_(pictures), stores_(stores), threads_(threads) {
        below({});
    }

    /// The layers below the one that sees this input.
    void below(std::vector<std::shared_ptr<const Layer>> layers) {
        layers_ = std::move(layers);
        columns_ = layers_.empty() ? pictures_.columns() : layers_.back()->output_shape().size();
        if (held_ && held_depth_ > layers_.size()) {
            forget();
        }
        remake();
    }
    /// What was made by layers that have changed since.
    void forget() {
        if (held_) {
            stores_.drop(*held_);
        }
        held_.reset();
        held_depth_ = 0;
        made_.reset();
    }

    [[nodiscard]] std::int64_t columns() const override { return columns_; }
    [[nodiscard]] std::int64_t chunk() const override {
        return std::clamp<std::int64_t>(chunk_bytes / (columns_ * static_cast<std::int64_t>(sizeof(float))),
                                        8, 256);
    }
    [[nodiscard]] Tensor gather(std::span<const std::int64_t> rows) override {
        const SampleStore& base = held_ ? *held_ : pictures_;
        Tensor gathered({std::ssize(rows), base.columns()});
        base.gather(rows, gathered.data());
        return chain_->run(std::move(gathered));
    }
    [[nodiscard]] bool hold() override {
        if (held_depth_ == layers_.size()) {
            return false;
        }
        if (!made_) {
            made_.emplace(stores_.make(pictures_.rows(), columns_));
            done_ = 0;
        }
        std::vector<std::int64_t> rows(static_cast<std::size_t>(std::min(chunk(), pictures_.rows() - done_)));
        std::iota(rows.begin(), rows.end(), done_);
        made_->put(done_, gather(rows).values());
        done_ += std::ssize(rows);
        if (done_ == pictures_.rows()) {
            SampleStore made = std::move(*made_);
            forget();
            held_.emplace(std::move(made));
            held_depth_ = layers_.size();
            stores_.keep(*held_);
            remake();
        }
        return true;
    }
    [[nodiscard]] const base::RowSource& held() const override { return held_ ? *held_ : pictures_; }
    [[nodiscard]] StageProgress holding() const override {
        return {0, 0, made_ ? done_ : 0, pictures_.rows()};
    }
    [[nodiscard]] Tensor pictures(std::span<const std::int64_t> rows) override {
        Tensor gathered({std::ssize(rows), pictures_.columns()});
        pictures_.gather(rows, gathered.data());
        return gathered;
    }
    [[nodiscard]] std::unique_ptr<layers::RowStore> make_store(std::int64_t rows,
                                                               std::int64_t columns) override {
        return std::make_unique<HeldRows>(stores_.make(rows, columns));
    }

private:
    void remake() {
        const auto from = layers_.begin() + static_cast<std::ptrdiff_t>(held_depth_);
        chain_.emplace(std::vector<std::shared_ptr<const Layer>>(from, layers_.end()),
                       layers::Direction::encode, threads_);
    }

    const SampleStore& pictures_;
    Stores& stores_;
    int threads_;
    std::vector<std::shared_ptr<const Layer>> layers_;
    std::int64_t columns_ = 0;
    std::optional<SampleStore> held_;  ///< what the lowest held_depth_ layers make of all pictures
    std::size_t held_depth_ = 0;
    std::optional<SampleStore> made_;  ///< the same of all layers, the first done_ rows
    std::int64_t done_ = 0;
    std::optional<layers::Chain> chain_;  ///< of what is above what is held
};

}  // namespace stackae::training
