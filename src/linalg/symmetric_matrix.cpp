#include "linalg/symmetric_matrix.hpp"

#include <algorithm>

#include "base/parallel.hpp"
#include "linalg/gemm.hpp"
#include "linalg/tiled_product.hpp"

namespace stackae::linalg {
namespace {

constexpr std::int64_t line = 16;  // floats of a cache line, of which panels are multiples

struct Cut {
    std::int64_t panel;
    std::int64_t panels;
};

Cut cut(std::int64_t extent, std::int64_t max_panel) {
    const std::int64_t panels = (extent + max_panel - 1) / max_panel;
    const std::int64_t panel = (extent + panels - 1) / panels;
    return {(panel + line - 1) / line * line, panels};
}

}  // namespace

SymmetricMatrix::SymmetricMatrix(std::int64_t extent, std::int64_t max_panel, int threads)
    : threads_(threads) {
    const auto [panel, panels] = cut(extent, max_panel);
    panel_ = panel;
    values_ = Tensor({panels * panel, panels * panel});
}

std::int64_t SymmetricMatrix::bytes(std::int64_t extent, std::int64_t max_panel) {
    const auto [panel, panels] = cut(extent, max_panel);
    return panels * panel * panels * panel * static_cast<std::int64_t>(sizeof(float));
}

double SymmetricMatrix::trace() const {
    double sum = 0.0;
    for (std::int64_t i = 0; i < size(); ++i) {
        sum += double{row(i)[i]};
    }
    return sum;
}

void SymmetricMatrix::mirror() {
    mirror_upper(values_, threads_);
}

void SymmetricMatrix::multiply(const Tensor& columns, Tensor& to) const {
    base::parallel_for(panels(), threads_, [&] {
        return [&, gemm = OwnGemm(panel_, columns.columns(), size())](std::int64_t i) mutable {
            gemm.product.run(row(i * panel_), columns.data(), to.row(i * panel_).data());
        };
    });
}

}  // namespace stackae::linalg
