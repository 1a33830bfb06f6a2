#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "stackae/gallery.hpp"
#include "stackae/model.hpp"
#include "stackae/pipeline.hpp"
#include "stackae/stackae.h"

#include "c/call.hpp"
#include "c/handles.hpp"
#include "c/observer.hpp"
#include "c/options.hpp"
#include "c/pool.hpp"

using namespace stackae::c;
using stackae::Encoder;
using stackae::InputBatch;
using stackae::Tensor;

struct stackae_encoder {
    std::shared_ptr<const stackae::Model> model;
    stackae::EncodeOptions encode;
    std::int64_t memory;
    std::int64_t code_size;
    Pool<Encoder> encoders;

    [[nodiscard]] std::int64_t input_size() const { return model->preprocessing.size(); }
};

namespace {

/// Pictures, up to which an encoder that is made already is quicker than several that are made for them.
constexpr std::int64_t few = 64;

Tensor rows_of(const float* values, std::int64_t n, std::int64_t columns, const char* what) {
    check_at_least("rows", 0, n);
    return Tensor::view({n, columns}, n > 0 ? const_cast<float*>(&given(values, what)) : nullptr);
}

/// What is not a number until something else is written there.
Tensor unwritten(float* values, std::int64_t n, std::int64_t columns, const char* what) {
    Tensor rows = rows_of(values, n, columns, what);
    std::fill(rows.values().begin(), rows.values().end(), std::numeric_limits<float>::quiet_NaN());
    return rows;
}

/// Calls make(batch) for all pictures; its rows go where they belong.
template <class Make>
void read_all(const stackae_encoder& encoder, const stackae::Inputs& inputs, ReadingListener& listener,
              Tensor& all, const Make& make) {
    stackae::Manifest manifest(listener);
    stackae::InputReader reader(inputs, encoder.model->preprocessing, {.threads = encoder.encode.threads},
                                manifest);
    std::int64_t first = 0;
    for (InputBatch batch; reader.next(batch); first = batch.end) {
        batch.scatter(make(batch), first, all);
    }
}

void encode_many(const stackae_encoder& encoder, const stackae::Inputs& inputs, ReadingListener& listener,
                 Tensor& codes) {
    stackae::Manifest manifest(listener);
    std::int64_t first = 0;
    stackae::encode_inputs({.inputs = inputs, .model = *encoder.model, .encode = encoder.encode},
                           {.threads = encoder.encode.threads, .memory = encoder.memory}, manifest,
                           [&](const InputBatch& batch, const Tensor& some) {
                               batch.scatter(some, first, codes);
                               first = batch.end;
                           });
}

std::unique_ptr<stackae_encoder> made_of(const stackae_model& model, const EncoderSet& options) {
    const std::shared_ptr<const stackae::Model>& of = model.model;
    const stackae::EncodeOptions encode{.output = options.output,
                                        .l2_normalize = options.l2_normalize,
                                        .threads = static_cast<int>(options.threads)};
    return std::unique_ptr<stackae_encoder>(
        new stackae_encoder{of, encode, options.memory, of->code_size(encode.output),
                            Pool<Encoder>([of, encode] { return Encoder(*of, encode); })});
}

/// Does read(inputs, listener) of a call with an observer.
template <class Read>
stackae_status with_pictures(const stackae_encoder* encoder, const stackae_pictures* pictures,
                             const stackae_observer* observer, int64_t* skipped, char** message,
                             const Read& read) {
    return compute(message, encoder != nullptr ? encoder->encode.threads : 1, [&] {
        (void)given(encoder, "encoder");
        const stackae::Inputs inputs(given(pictures, "pictures").dataset.share());
        ReadingListener listener(observer);
        watched(listener, [&] { read(inputs, listener); });
        if (skipped != nullptr) {
            *skipped = listener.skipped;
        }
    });
}

/// Does work(encoder) of prepared rows: what it makes of the rows is copied to `to`.
template <class Work>
stackae_status with_rows(const stackae_encoder* encoder, char** message, float* to, const Work& work) {
    return compute(message, encoder != nullptr ? encoder->encode.threads : 1, [&] {
        given(encoder, "encoder").encoders.with([&](Encoder& one) {
            const Tensor made = work(one);
            if (!made.empty()) {
                std::copy_n(made.data(), made.size(), &given(to, "the result"));
            }
        });
    });
}

}  // namespace

stackae_status stackae_encoder_create(const stackae_model* model, const char* const* options,
                                      stackae_encoder** encoder, char** message) {
    return call(message, [&] {
        put(encoder, "encoder", made_of(given(model, "model"), read_options<EncoderSet>(options)));
    });
}

stackae_status stackae_encoder_create_for_gallery(const stackae_model* model, const stackae_gallery* gallery,
                                                  const char* const* options, stackae_encoder** encoder,
                                                  char** message) {
    return call(message, [&] {
        EncoderSet read;
        const auto named = read_options<GalleryEncoderSet>(options);
        read.threads = *named.threads;
        read.memory = *named.memory;
        const stackae::Gallery& like = given(gallery, "gallery").gallery;
        stackae::check_model(like, *given(model, "model").model);
        read.output = std::to_string(like.depth);
        read.l2_normalize = like.l2_normalize;
        put(encoder, "encoder", made_of(*model, read));
    });
}

int64_t stackae_encoder_code_size(const stackae_encoder* encoder) {
    return encoder != nullptr ? encoder->code_size : 0;
}

int64_t stackae_encoder_input_size(const stackae_encoder* encoder) {
    return encoder != nullptr ? encoder->input_size() : 0;
}

stackae_status stackae_encoder_encode(const stackae_encoder* encoder, const stackae_pictures* pictures,
                                      const stackae_observer* observer, float* codes, int64_t* skipped,
                                      char** message) {
    return with_pictures(
        encoder, pictures, observer, skipped, message, [&](const auto& inputs, auto& listener) {
            Tensor all = unwritten(codes, inputs.size(), encoder->code_size, "codes");
            if (inputs.size() > few) {
                encode_many(*encoder, inputs, listener, all);
                return;
            }
            encoder->encoders.with([&](Encoder& one) {
                read_all(*encoder, inputs, listener, all,
                         [&](const InputBatch& batch) { return one.encode(batch.pictures); });
            });
        });
}

stackae_status stackae_encoder_prepare(const stackae_encoder* encoder, const stackae_pictures* pictures,
                                       const stackae_observer* observer, float* rows, int64_t* skipped,
                                       char** message) {
    return with_pictures(
        encoder, pictures, observer, skipped, message, [&](const auto& inputs, auto& listener) {
            Tensor all = unwritten(rows, inputs.size(), encoder->input_size(), "rows");
            read_all(*encoder, inputs, listener, all,
                     [](const InputBatch& batch) -> const Tensor& { return batch.pictures; });
        });
}

stackae_status stackae_encoder_encode_rows(const stackae_encoder* encoder, const float* rows, int64_t n,
                                           float* codes, char** message) {
    return with_rows(encoder, message, codes, [&](Encoder& one) {
        return one.encode(rows_of(rows, n, encoder->input_size(), "rows"));
    });
}

stackae_status stackae_encoder_decode(const stackae_encoder* encoder, const float* codes, int64_t n,
                                      float* rows, char** message) {
    return with_rows(encoder, message, rows, [&](Encoder& one) {
        return one.decode(rows_of(codes, n, encoder->code_size, "codes"));
    });
}

stackae_status stackae_encoder_reconstruct(const stackae_encoder* encoder, const float* rows, int64_t n,
                                           float* rebuilt, char** message) {
    return with_rows(encoder, message, rebuilt, [&](Encoder& one) {
        return one.reconstruct(rows_of(rows, n, encoder->input_size(), "rows"));
    });
}

void stackae_encoder_free(stackae_encoder* encoder) {
    delete encoder;
}
