#include "layers/contrast_norm.hpp"

#include "base/fields.hpp"
#include "base/rows.hpp"
#include "layers/op.hpp"

namespace stackae::layers {
namespace {

class ContrastOp : public Op {
public:
    ContrastOp(std::int64_t rows, std::int64_t size, double epsilon)
        : rows_(rows), size_(static_cast<std::size_t>(size)), epsilon_(epsilon) {}

    void run(const float* src, float* dst) override {
        for (std::int64_t i = 0; i < rows_; ++i, src += size_, dst += size_) {
            base::contrast_normalize({src, size_}, epsilon_, {dst, size_});
        }
    }

private:
    std::int64_t rows_;
    std::size_t size_;
    double epsilon_;
};

}  // namespace

void ContrastNorm::fields(base::FieldTable& table) {
    table.add("epsilon", epsilon, {0.0, 1e6, true}, "added to the variance");
}

std::unique_ptr<Op> ContrastNorm::encoder(const OpContext& context) const {
    return std::make_unique<ContrastOp>(context.rows, input_shape().size(), epsilon);
}

}  // namespace stackae::layers
