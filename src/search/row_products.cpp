#include "search/row_products.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <optional>
#include <vector>

#include "nn/matrix_product.hpp"

namespace stackae::search {
namespace {

/// 64 to 1024 take as long, within a tenth, at 4000 columns.
constexpr std::int64_t most_block_rows = 256;
constexpr std::int64_t values_for_one_thread = 1 << 20;

/// A run of blocks, whose sums are added up in their order.
struct Strip {
    std::int64_t first_block;
    std::int64_t last_block;
    Tensor sums;          // f × width
    Tensor part;          // of one block
    Tensor coefficients;  // block × f
};

std::vector<Strip> make_strips(std::int64_t n, std::int64_t factors, std::int64_t width) {
    const std::int64_t blocks = RowProducts::block_count(n);
    const std::int64_t count = std::min(blocks, RowProducts::most_strips);
    std::vector<Strip> strips;
    for (std::int64_t i = 0; i < count; ++i) {
        strips.push_back({blocks * i / count, blocks * (i + 1) / count, Tensor({factors, width}),
                          Tensor({factors, width}), Tensor({RowProducts::block_rows(n), factors})});
    }
    return strips;
}

void add_up(const std::vector<Strip>& strips, Tensor& sums) {
    for (std::int64_t i = 0; i < sums.size(); ++i) {
        double sum = 0.0;
        for (const Strip& strip : strips) {
            sum += double{strip.sums.data()[i]};
        }
        sums.data()[i] = static_cast<float>(sum);
    }
}

}  // namespace

RowProducts::RowProducts(const Tensor& rows, std::int64_t n, int threads)
    : rows_(&rows), n_(n), threads_(threads) {}

std::int64_t RowProducts::block_count(std::int64_t n) {
    return (n + most_block_rows - 1) / most_block_rows;
}

std::int64_t RowProducts::block_rows(std::int64_t n) {
    return (n + block_count(n) - 1) / block_count(n);
}

int RowProducts::threads_for(std::int64_t values) const {
    return values < values_for_one_thread ? 1 : threads_;
}

void RowProducts::run(const Tensor* factors, Tensor* dots, const Weigh& weigh, Tensor& sums) const {
    const std::int64_t f = sums.rows();
    const std::int64_t block = block_rows(n_);
    std::vector<Strip> strips = make_strips(n_, f, width());
    const auto count = std::ssize(strips);
    const auto threads = static_cast<int>(std::min<std::int64_t>(threads_for(rows_->size() / 8 * f), count));
    std::exception_ptr failure;
#pragma omp parallel num_threads(threads)
    try {
        // oneDNN's scratch memory belongs to a thread, so the products are made where they are used.
        nn::Context context(1);
        std::optional<nn::MatrixProduct> in;
        if (factors != nullptr) {
            in.emplace(context, nn::ProductForm::transposed_b, block, f, width());
        }
        nn::MatrixProduct out(context, nn::ProductForm::transposed_a, f, width(), block);
#pragma omp for schedule(dynamic) nowait
        for (std::int64_t i = 0; i < count; ++i) {
            Strip& strip = strips[static_cast<std::size_t>(i)];
            for (std::int64_t at = strip.first_block; at < strip.last_block; ++at) {
                const std::int64_t first = at * block;
                const float* const rows = rows_->row(first).data();
                if (in) {
                    in->run(rows, factors->data(), dots->row(first).data());
                }
                std::fill_n(strip.coefficients.data(), strip.coefficients.size(), 0.0F);
                weigh(first, std::min(first + block, n_), strip.coefficients.data());
                out.run(strip.coefficients.data(), rows, strip.part.data());
                std::transform(strip.part.data(), strip.part.data() + strip.part.size(), strip.sums.data(),
                               strip.sums.data(), std::plus<>{});
            }
        }
    } catch (...) {
#pragma omp critical(stackae_row_products)
        failure = std::current_exception();
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
    add_up(strips, sums);
}

}  // namespace stackae::search
