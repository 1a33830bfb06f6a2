#include <algorithm>
#include <optional>

#include "stackae/model.hpp"

#include "base/memory.hpp"
#include "base/rows.hpp"
#include "layers/chain.hpp"
#include "linalg/onednn.hpp"
#include "model/among_others.hpp"
#include "model/finite.hpp"

namespace stackae {
namespace {

using encoding::check_finite;
using layers::Chain;
using layers::Direction;

}  // namespace

struct Encoder::State {
    State(const Model& model, const EncodeOptions& options)
        : layers(model.layers),
          reconstruction(model.reconstruction),
          depth(model.depth_of(options.output)),
          code_size(model.code_size(options.output)),
          l2_normalize(options.l2_normalize),
          threads(options.threads),
          to_code(layers.layers(0, depth), Direction::encode, threads) {}

    /// From a code at some depth to the picture: down to the head's depth, and through the head.
    Chain& from(std::size_t top, std::optional<Chain>& made, std::optional<Chain>& head) {
        if (!made) {
            const bool by_head = !reconstruction.head.empty() && top >= reconstruction.depth;
            made.emplace(layers.layers(by_head ? reconstruction.depth : 0, top), Direction::decode, threads);
            if (by_head) {
                head.emplace(reconstruction.head.layers(), Direction::encode, threads);
            }
        }
        return *made;
    }

    template <class Body>
    Tensor run(const char* what, const Body& body) {
        return linalg::run_on_backend(what, threads, body);
    }

    Stack layers;
    Reconstruction reconstruction;
    std::size_t depth;
    std::int64_t code_size;
    bool l2_normalize;
    int threads;
    Chain to_code;
    std::optional<Chain> decoder, decoder_head;
    std::optional<Chain> to_rebuilt, rebuilder, rebuilder_head;
};

Encoder::Encoder(const Model& model, const EncodeOptions& options)
    : state_(linalg::run_on_backend("encoder", options.threads,
                                    [&] { return std::make_unique<State>(model, options); })) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

Tensor Encoder::encode(const Tensor& pictures) {
    Tensor codes = state_->run("encode", [&] { return state_->to_code.run(pictures); });
    check_finite("encode: the code of picture", codes);
    for (std::int64_t i = 0; state_->l2_normalize && i < codes.rows(); ++i) {
        base::l2_normalize(codes.row(i), codes.row(i));
    }
    return codes;
}

Tensor Encoder::decode(const Tensor& codes) {
    State& s = *state_;
    Tensor pictures = s.run("decode", [&] {
        Tensor below = s.from(s.depth, s.decoder, s.decoder_head).run(codes);
        return s.decoder_head ? s.decoder_head->run(std::move(below)) : below;
    });
    check_finite("decode: the picture of code", pictures);
    return pictures;
}

Tensor Encoder::reconstruct(const Tensor& pictures) {
    if (pictures.rows() == 1) {
        return encoding::among_others(pictures, [this](const Tensor& rows) { return reconstruct(rows); });
    }
    State& s = *state_;
    const std::size_t depth = s.reconstruction.depth;
    Tensor rebuilt = s.run("reconstruct", [&] {
        if (!s.to_rebuilt) {
            s.to_rebuilt.emplace(s.layers.layers(0, depth), Direction::encode, s.threads);
        }
        Tensor below = s.from(depth, s.rebuilder, s.rebuilder_head).run(s.to_rebuilt->run(pictures));
        return s.rebuilder_head ? s.rebuilder_head->run(std::move(below)) : below;
    });
    check_finite("reconstruct: the rebuilt picture", rebuilt);
    return rebuilt;
}

std::int64_t Encoder::code_size() const {
    return state_->code_size;
}

std::int64_t encoding_bytes(const Model& model, std::string_view output, int threads, std::int64_t n) {
    const Chain chain(model.layers.layers(0, model.depth_of(output)), Direction::encode, threads);
    // The pictures stay while codes of codes are made.
    const double pictures = static_cast<double>(n) * static_cast<double>(model.input_shape().size());
    return base::whole_bytes(static_cast<double>(sizeof(float)) * (pictures + chain.working_floats(n)));
}

}  // namespace stackae
