#include "linalg/normal_equations.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "base/parallel.hpp"
#include "linalg/gemm.hpp"
#include "linalg/onednn.hpp"
#include "linalg/ridge_solver.hpp"

namespace stackae::linalg {
namespace {

/// Tolerances of solve_ridge() for a class of half the rows. For a rare class, the right side is nearly all
/// bias and what tells the class apart is a small share of it, so that its tolerance is smaller. In the dual
/// form, the residual is that of u and not yet that of w.
constexpr double tolerance = 0.003;
constexpr double dual_tolerance = 0.0003;
constexpr std::int64_t max_classes = 64;   // solved together
constexpr std::int64_t block_rows = 1024;  // standardised at a time
constexpr std::int64_t max_primal_panel = 512;
constexpr std::int64_t max_dual_panel = 256;    // rows of all their values
constexpr std::int64_t max_eigenvectors = 512;  // for solve_ridge

std::size_t at(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

std::int64_t max_panel(bool dual) {
    return dual ? max_dual_panel : max_primal_panel;
}

/// Fewer rows than values.
bool is_dual(std::int64_t n, std::int64_t width) {
    return n < width;
}

using Tiles = std::vector<std::pair<std::int64_t, std::int64_t>>;  // row and column, in panels

/// The tiles of the upper half.
Tiles upper_tiles(std::int64_t panels) {
    Tiles tiles;
    for (std::int64_t i = 0; i < panels; ++i) {
        for (std::int64_t j = i; j < panels; ++j) {
            tiles.emplace_back(i, j);
        }
    }
    return tiles;
}

/// A block of rows, cut into panels of their columns: panel p holds rows × matrix.panel() values.
class ColumnPanels {
public:
    ColumnPanels(std::int64_t panel, std::int64_t panels) : values_({panels, block_rows * panel}) {}

    void fill(const StandardisedRows& from, std::span<const std::int64_t> rows, int threads) {
        const std::int64_t panels = values_.rows();
        const std::int64_t panel = values_.columns() / block_rows;
        std::fill_n(values_.data(), values_.size(), 0.0F);
        base::parallel_for(std::ssize(rows), threads, [&] {
            return [&, z = std::vector<float>(at(panels * panel))](std::int64_t i) mutable {
                from.copy(rows[at(i)], z.data());
                for (std::int64_t p = 0; p < panels; ++p) {
                    std::copy_n(z.data() + p * panel, panel, values_.row(p).data() + i * panel);
                }
            };
        });
    }

    [[nodiscard]] const float* panel(std::int64_t p) const { return values_.row(p).data(); }

private:
    Tensor values_;
};

/// Fills a panel with whole rows from `first` on, and with zeros after the last row.
void fill_rows(const StandardisedRows& from, std::span<const std::int64_t> rows, std::int64_t first,
               Tensor& to) {
    const std::int64_t count = std::clamp<std::int64_t>(std::ssize(rows) - first, 0, to.rows());
    for (std::int64_t i = 0; i < count; ++i) {
        from.copy(rows[at(first + i)], to.row(i).data());
    }
    std::fill(to.data() + count * to.columns(), to.data() + to.size(), 0.0F);
}

}  // namespace

NormalEquations::NormalEquations(const StandardisedRows& rows, std::span<const std::int64_t> labels,
                                 std::int64_t classes, int threads)
    : rows_(rows),
      labels_(labels),
      threads_(threads),
      dual_(is_dual(rows.rows.rows(), rows.width())),
      counts_(at(classes)) {
    if (!dual_) {
        matrix_ = SymmetricMatrix(rows.width(), max_panel(false), threads);
        sums_ = Tensor({classes, matrix_.size()});
    }
}

std::int64_t NormalEquations::count(std::int64_t of_class) const {
    return counts_[at(of_class)];
}

void NormalEquations::add(std::span<const std::int64_t> rows) {
    for (const std::int64_t row : rows) {
        added_.push_back(row);
        ++counts_[at(labels_[at(row)])];
    }
    eigen_.reset();
    if (!dual_) {
        add_products();
    }
}

/// Primal form: adds the products of the rows that were added last.
void NormalEquations::add_products() {
    const std::int64_t panel = matrix_.panel();
    const Tiles tiles = upper_tiles(matrix_.panels());
    ColumnPanels block(panel, matrix_.panels());
    while (known_ < added_.size()) {
        const auto rows = std::span<const std::int64_t>(added_).subspan(
            known_, std::min(added_.size() - known_, at(block_rows)));
        block.fill(rows_, rows, threads_);
        base::parallel_for(std::ssize(tiles), threads_, [&] {
            return [&, gemm = OwnGemm(panel, panel, block_rows, {.trans_a = true}),
                    part = Tensor({panel, panel})](std::int64_t tile) mutable {
                const auto [i, j] = tiles[at(tile)];
                gemm.product.run(block.panel(i), block.panel(j), part.data());
                for (std::int64_t k = 0; k < panel; ++k) {
                    float* const to = matrix_.row(i * panel + k) + j * panel;
                    std::transform(part.row(k).begin(), part.row(k).end(), to, to, std::plus<>{});
                }
            };
        });
        base::parallel_for(matrix_.panels(), threads_, [&] {
            return [&](std::int64_t p) {
                const float* z = block.panel(p);
                for (const std::int64_t row : rows) {
                    float* const sum = sums_.row(labels_[at(row)]).data() + p * panel;
                    std::transform(z, z + panel, sum, sum, std::plus<>{});
                    z += panel;
                }
            };
        });
        known_ += rows.size();
    }
    matrix_.mirror();
    total_.assign(at(matrix_.size()), 0.0);
    for (std::int64_t k = 0; k < sums_.rows(); ++k) {
        std::transform(total_.begin(), total_.end(), sums_.row(k).begin(), total_.begin(), std::plus<>{});
    }
}

void NormalEquations::prepare() {
    if (dual_ && known_ < added_.size()) {
        matrix_ = SymmetricMatrix();  // before another takes as much memory
        matrix_ = SymmetricMatrix(std::ssize(added_), max_panel(true), threads_);
        const std::int64_t size = matrix_.panel();
        Tensor panel({size, rows_.width()});
        for (std::int64_t i = 0; i < matrix_.panels(); ++i) {
            fill_rows(rows_, added_, i * size, panel);
            base::parallel_for(matrix_.panels() - i, threads_, [&] {
                return [&, gemm = OwnGemm(size, size, rows_.width(), {.trans_b = true}),
                        other = Tensor({size, rows_.width()}),
                        part = Tensor({size, size})](std::int64_t after) mutable {
                    const std::int64_t j = i + after;
                    fill_rows(rows_, added_, j * size, other);
                    gemm.product.run(panel.data(), other.data(), part.data());
                    for (std::int64_t k = 0; k < size; ++k) {
                        std::copy_n(part.row(k).data(), size, matrix_.row(i * size + k) + j * size);
                    }
                };
            });
        }
        matrix_.mirror();
        known_ = added_.size();
    }
    if (!eigen_ && matrix_.size() > max_direct) {
        eigen_ = top_eigenvectors(matrix_, max_eigenvectors);
    }
}

/// The right sides b of some classes, matrix_.size() × (last − first).
Tensor NormalEquations::right_sides(std::int64_t first, std::int64_t last) const {
    Tensor sides({matrix_.size(), last - first});
    if (dual_) {
        for (std::int64_t i = 0; i < std::ssize(added_); ++i) {
            for (std::int64_t k = first; k < last; ++k) {
                sides.row(i)[at(k - first)] = labels_[at(added_[at(i)])] == k ? 1.0F : -1.0F;
            }
        }
        return sides;
    }
    for (std::int64_t k = first; k < last; ++k) {
        const auto sum = sums_.row(k);
        for (std::int64_t j = 0; j < matrix_.size(); ++j) {
            sides.row(j)[at(k - first)] = static_cast<float>(2.0 * double{sum[at(j)]} - total_[at(j)]);
        }
    }
    return sides;
}

/// The weights w of solutions u, classes × matrix_.size().
Tensor NormalEquations::weights_of(const Tensor& solution) const {
    const std::int64_t classes = solution.rows();
    Tensor weights({classes, rows_.width()});
    if (!dual_) {
        for (std::int64_t k = 0; k < classes; ++k) {
            std::copy_n(solution.row(k).begin(), weights.columns(), weights.row(k).begin());
        }
        return weights;
    }
    // One thread, so that sums do not depend on how many there are.
    const base::ThreadScope scope(1);
    Context context(1);
    const std::int64_t size = matrix_.panel();
    Gemm product(context, classes, rows_.width(), size);
    Tensor panel({size, rows_.width()});
    Tensor some({classes, size});
    Tensor part({classes, rows_.width()});
    for (std::int64_t i = 0; i < matrix_.panels(); ++i) {
        fill_rows(rows_, added_, i * size, panel);
        for (std::int64_t k = 0; k < classes; ++k) {
            std::copy_n(solution.row(k).begin() + i * size, size, some.row(k).begin());
        }
        product.run(some.data(), panel.data(), part.data());
        std::transform(part.data(), part.data() + part.size(), weights.data(), weights.data(), std::plus<>{});
    }
    return weights;
}

Tensor NormalEquations::solve(double c) {
    prepare();
    const auto n = static_cast<double>(added_.size());
    const std::int64_t classes = std::ssize(counts_);
    Tensor solution({classes, matrix_.size()});
    for (std::int64_t first = 0; first < classes; first += max_classes) {
        const std::int64_t last = std::min(first + max_classes, classes);
        std::vector<double> tolerances;
        for (std::int64_t k = first; k < last; ++k) {
            const double share = std::clamp(static_cast<double>(count(k)), 1.0, std::max(1.0, n - 1.0)) / n;
            const double enough =
                (dual_ ? dual_tolerance : tolerance) * 2.0 * std::sqrt(share * (1.0 - share));
            tolerances.push_back(count(k) == 0 ? 1.0 : enough);  // 1: at once
        }
        const Tensor some = solve_ridge(matrix_, n / (2.0 * c), right_sides(first, last),
                                        eigen_ ? &*eigen_ : nullptr, tolerances);
        for (std::int64_t k = first; k < last; ++k) {
            for (std::int64_t j = 0; count(k) > 0 && j < matrix_.size(); ++j) {
                solution.row(k)[at(j)] = some.row(j)[at(k - first)];
            }
        }
    }
    return weights_of(solution);
}

std::int64_t NormalEquations::memory_bytes(std::int64_t n, std::int64_t width, std::int64_t classes,
                                           int threads) {
    const bool dual = is_dual(n, width);
    const std::int64_t extent = std::min(n, width);
    const std::int64_t block = dual ? (threads + 1) * max_dual_panel : block_rows;
    const std::int64_t vectors = 6 * max_classes + (extent > max_direct ? 5 * max_eigenvectors : 0);
    return SymmetricMatrix::bytes(extent, max_panel(dual)) +
           static_cast<std::int64_t>(sizeof(float)) *
               ((block + 2 * classes) * width + (vectors + classes) * extent);
}

}  // namespace stackae::linalg
