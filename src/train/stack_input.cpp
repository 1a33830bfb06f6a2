#include "train/stack_input.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "stackae/error.hpp"

namespace stackae::training {
namespace {

constexpr std::int64_t chunk_bytes = std::int64_t{128} << 20;
constexpr auto float_bytes = static_cast<std::int64_t>(sizeof(float));

}  // namespace

std::int64_t chunk_of(std::int64_t columns) {
    return std::clamp<std::int64_t>(chunk_bytes / (columns * float_bytes), 8, 256);
}

SampleStore Stores::make(std::int64_t rows, std::int64_t columns) {
    const bool fits = held_ + rows * columns * float_bytes <= limit_;
    return {rows, columns, fits, folder_};
}

StackInput::StackInput(const base::RowSource& pictures, std::int64_t rows, Stores& stores, int threads)
    : pictures_(pictures), rows_(rows), stores_(stores), threads_(threads) {
    below({});
}

void StackInput::below(Layers layers) {
    const InputEvent event{InputEvent::Kind::below, layers.size(), {}};
    if (events_.empty() || events_.back().kind != event.kind || events_.back().depth != event.depth) {
        events_.push_back(event);
    }
    layers_ = std::move(layers);
    columns_ = layers_.empty() ? pictures_.columns() : layers_.back()->output_shape().size();
    made_.reset();
    if (!is_used(held_depth_)) {
        forget_all();
    }
    if (!is_used(some_depth_)) {
        forget_some();
    }
    chain_.emplace(layers_from(held_depth_), layers::Direction::encode, threads_);
}

bool StackInput::is_used(std::size_t depth) const {
    return depth <= layers_.size() && layers::chain_begin(layers_, depth, layers_.size()) == depth;
}

void StackInput::forget_all() {
    held_.reset();
    held_depth_ = 0;
}

void StackInput::forget_some() {
    some_.reset();
    some_rows_.clear();
    some_depth_ = 0;
}

Tensor StackInput::make(std::span<const std::int64_t> rows) {
    const base::RowSource& base = source();
    Tensor gathered({std::ssize(rows), base.columns()});
    base.gather(rows, gathered.data());
    return chain_->run(std::move(gathered));
}

Tensor StackInput::gather(std::span<const std::int64_t> rows) {
    if (!some_) {
        return make(rows);
    }
    raise_some();
    std::vector<std::int64_t> others;
    for (const std::int64_t row : rows) {
        if (!std::binary_search(some_rows_.begin(), some_rows_.end(), row)) {
            others.push_back(row);
        }
    }
    const Tensor made = others.empty() ? Tensor() : make(others);
    Tensor gathered({std::ssize(rows), columns_});
    std::int64_t next = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto found = std::lower_bound(some_rows_.begin(), some_rows_.end(), rows[i]);
        const bool is_there = found != some_rows_.end() && *found == rows[i];
        const float* from = is_there ? some_->row(found - some_rows_.begin()) : made.row(next++).data();
        std::copy_n(from, columns_, gathered.row(static_cast<std::int64_t>(i)).data());
    }
    return gathered;
}

void StackInput::gather_sparse(std::span<const std::int64_t> rows, base::SparseRows& sparse) {
    if (held_depth_ == layers_.size() && !some_) {
        held().gather_sparse(rows, sparse);
    } else {
        LayerInput::gather_sparse(rows, sparse);
    }
}

void StackInput::raise_some() {
    if (some_depth_ == layers_.size()) {
        return;
    }
    layers::Chain chain(layers_from(some_depth_), layers::Direction::encode, threads_);
    auto raised = std::make_unique<HeldRows>(stores_, some_->rows(), columns_);
    const std::int64_t count = std::min(chunk_of(some_->columns()), chunk());
    for (std::int64_t first = 0; first < some_->rows(); first += count) {
        Tensor rows({std::min(count, some_->rows() - first), some_->columns()});
        std::copy_n(some_->row(first), rows.size(), rows.data());
        raised->store().put(first, chain.run(std::move(rows)).values());
    }
    some_ = std::move(raised);
    some_depth_ = layers_.size();
    events_.push_back({InputEvent::Kind::raise, 0, {}});
}

bool StackInput::makes_anew() const {
    return pictures_.is_sparse() && !layers_.empty() &&
           std::none_of(layers_.begin(), layers_.end(),
                        [](const auto& layer) { return layer->is_trained(); });
}

void StackInput::MadeAnew::gather(std::span<const std::int64_t> indices, float* dst) const {
    const std::int64_t chunk = input_.chunk();
    for (std::int64_t done = 0; done < std::ssize(indices); done += chunk) {
        const Tensor made = input_.make(layers::next_rows(indices, done, chunk));
        dst = std::copy(made.values().begin(), made.values().end(), dst);
    }
}

bool StackInput::hold() {
    if (held_depth_ == layers_.size() || makes_anew()) {
        return false;
    }
    if (!made_) {
        made_ = std::make_unique<HeldRows>(stores_, rows_, columns_);
        done_ = 0;
    }
    std::vector<std::int64_t> rows(static_cast<std::size_t>(std::min(chunk(), rows_ - done_)));
    std::iota(rows.begin(), rows.end(), done_);
    made_->store().put(done_, gather(rows).values());
    done_ += std::ssize(rows);
    if (done_ == rows_) {
        forget_some();
        held_ = std::move(made_);
        held_depth_ = layers_.size();
        chain_.emplace(layers_from(held_depth_), layers::Direction::encode, threads_);
        events_.push_back({InputEvent::Kind::hold, 0, {}});
    }
    return true;
}

Tensor StackInput::pictures(std::span<const std::int64_t> rows) {
    Tensor gathered({std::ssize(rows), pictures_.columns()});
    pictures_.gather(rows, gathered.data());
    return gathered;
}

void StackInput::leave(std::vector<std::int64_t> rows, std::unique_ptr<layers::RowStore> store) {
    if (layers_.size() > held_depth_) {  // else all of them are held
        events_.push_back({InputEvent::Kind::leave, 0, rows});
        some_rows_ = std::move(rows);
        some_ = std::move(store);
        some_depth_ = layers_.size();
    }
}

bool StackInput::replay(const std::vector<InputEvent>& events,
                        const std::vector<std::shared_ptr<const Layer>>& layers,
                        const std::function<bool()>& stop) {
    events_.clear();
    for (const InputEvent& event : events) {
        switch (event.kind) {
            case InputEvent::Kind::below:
                if (event.depth > layers.size()) {
                    throw InvalidArgument(fmt::format("the input of {} layers found, at most {} expected",
                                                      event.depth, layers.size()));
                }
                below({layers.begin(), layers.begin() + static_cast<std::ptrdiff_t>(event.depth)});
                break;
            case InputEvent::Kind::hold:
                while (hold()) {
                    if (stop()) {
                        return false;
                    }
                }
                break;
            case InputEvent::Kind::leave: {
                for (std::size_t i = 0; i < event.rows.size(); ++i) {
                    if (event.rows[i] < 0 || event.rows[i] >= rows_ ||
                        (i > 0 && event.rows[i] <= event.rows[i - 1])) {
                        throw InvalidArgument(
                            fmt::format("picture {} of {} found, numbers in rising order expected",
                                        event.rows[i], rows_));
                    }
                }
                layers::StoreFiller filler(event.rows);
                while (!filler.is_full()) {
                    if (stop()) {
                        return false;
                    }
                    filler.step(*this);
                }
                filler.leave(*this);
                break;
            }
            case InputEvent::Kind::raise:
                if (some_) {
                    raise_some();
                }
                break;
        }
    }
    return true;
}

}  // namespace stackae::training
