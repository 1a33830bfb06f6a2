#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stackae/gallery.hpp"
#include "stackae/stackae.h"

#include "c/call.hpp"
#include "c/handles.hpp"
#include "c/options.hpp"
#include "c/pool.hpp"

using namespace stackae::c;
using stackae::Gallery;
using stackae::Recognition;
using stackae::Recognizer;
using stackae::Tensor;

struct stackae_recognizer {
    std::shared_ptr<const Gallery> gallery;
    int threads;
    Pool<Recognizer> recognizers;
};

struct stackae_recognitions {
    std::vector<Recognition> found;  ///< whose texts the others lead to
    std::vector<std::vector<stackae_candidate>> candidates;
    std::vector<stackae_recognition> all;
};

namespace {

Tensor codes_of(const float* codes, std::int64_t n, std::int64_t d) {
    check_at_least("codes", 1, n);
    check_at_least("values of a code", 1, d);
    return Tensor::view({n, d}, const_cast<float*>(&given(codes, "codes")));
}

/// A gallery of the same kind, without entries.
Gallery empty_like(const Gallery& gallery) {
    Gallery empty;
    empty.model_identity = gallery.model_identity;
    empty.model_path = gallery.model_path;
    empty.depth = gallery.depth;
    empty.l2_normalize = gallery.l2_normalize;
    empty.metric = gallery.metric;
    return empty;
}

std::unique_ptr<stackae_recognitions> made_of(std::vector<Recognition> found) {
    auto made = std::make_unique<stackae_recognitions>();
    made->found = std::move(found);
    for (const Recognition& one : made->found) {
        std::vector<stackae_candidate> candidates;
        for (const stackae::Candidate& each : one.top) {
            candidates.push_back({each.name.c_str(), each.path.c_str(), each.distance});
        }
        made->candidates.push_back(std::move(candidates));
        const auto& kept = made->candidates.back();
        made->all.push_back(
            {one.name.c_str(), one.distance, one.known ? 1 : 0, std::ssize(kept), kept.data()});
    }
    return made;
}

}  // namespace

stackae_status stackae_gallery_create(const stackae_model* model, const char* const* options,
                                      stackae_gallery** gallery, char** message) {
    return call(message, [&] {
        const auto read = read_options<GallerySet>(options);
        Gallery made;
        made.model_identity = model != nullptr ? model->model->identity() : "none";
        if (model == nullptr && !(*read.output).empty()) {
            throw stackae::InvalidArgument(
                fmt::format("output: \"{}\" found, none expected without a model", *read.output));
        }
        made.depth = model != nullptr ? model->model->depth_of(*read.output) : 1;
        const std::int64_t code_size = model != nullptr ? model->model->code_size(*read.output) : 0;
        made.l2_normalize = read.l2_normalize;
        made.metric = stackae::parse<stackae::Metric>(*read.metric);
        put(gallery, "gallery",
            std::unique_ptr<stackae_gallery>(new stackae_gallery{std::move(made), code_size}));
    });
}

stackae_status stackae_gallery_load(const char* path, stackae_gallery** gallery, char** message) {
    return call(message, [&] {
        put(gallery, "gallery",
            std::unique_ptr<stackae_gallery>(
                new stackae_gallery{stackae::load_gallery(&given(path, "path"))}));
    });
}

stackae_status stackae_gallery_save(const stackae_gallery* gallery, const char* path, char** message) {
    return call(message, [&] { stackae::save(given(gallery, "gallery").gallery, &given(path, "path")); });
}

stackae_status stackae_gallery_add(stackae_gallery* gallery, const float* codes, int64_t n, int64_t d,
                                   const char* const* names, const char* const* paths, char** message) {
    return call(message, [&] {
        Gallery& to = given(gallery, "gallery").gallery;
        if (gallery->code_size != 0 && d != gallery->code_size) {
            throw stackae::InvalidArgument(fmt::format(
                "codes of {} values found, {} expected as the model makes them", d, gallery->code_size));
        }
        Gallery more = empty_like(to);
        more.codes = Tensor(codes_of(codes, n, d));
        if (paths == nullptr) {
            more.paths = stackae::row_paths(to, n);
        }
        for (std::int64_t i = 0; i < n; ++i) {
            more.names.emplace_back(&given((&given(names, "names"))[i], "a name"));
            if (paths != nullptr) {
                more.paths.emplace_back(&given(paths[i], "a path"));
            }
        }
        stackae::append(to, more);
    });
}

stackae_status stackae_gallery_remove(stackae_gallery* gallery, const char* name, int64_t* removed,
                                      char** message) {
    return call(message, [&] {
        const std::int64_t count = stackae::remove(given(gallery, "gallery").gallery, &given(name, "name"));
        if (removed != nullptr) {
            *removed = count;
        }
    });
}

stackae_status stackae_gallery_calibrate(stackae_gallery* gallery, double false_accept_rate, int threads,
                                         char** message) {
    return compute(message, threads, [&] {
        stackae::calibrate(given(gallery, "gallery").gallery, false_accept_rate, threads);
    });
}

int64_t stackae_gallery_size(const stackae_gallery* gallery) {
    return gallery != nullptr ? gallery->gallery.size() : 0;
}

stackae_status stackae_gallery_describe(const stackae_gallery* gallery, char** json, char** message) {
    return call(message,
                [&] { put_text(json, "json", stackae::to_json(given(gallery, "gallery").gallery).text()); });
}

stackae_status stackae_gallery_check_model(const stackae_gallery* gallery, const stackae_model* model,
                                           char** message) {
    return call(message, [&] {
        stackae::check_model(given(gallery, "gallery").gallery, *given(model, "model").model);
    });
}

void stackae_gallery_free(stackae_gallery* gallery) {
    delete gallery;
}

stackae_status stackae_recognizer_create(const stackae_gallery* gallery, const char* const* options,
                                         stackae_recognizer** recognizer, char** message) {
    return call(message, [&] {
        const auto read = read_options<RecognizerSet>(options);
        const auto of = std::make_shared<const Gallery>(given(gallery, "gallery").gallery);
        const stackae::RecognizeOptions recognize{
            .vote = stackae::parse<stackae::Vote>(*read.vote),
            .k = read.k,
            .top = read.top,
            .metric = parsed<stackae::Metric>(read.metric, stackae::parse<stackae::Metric>),
            .threshold = read.threshold,
            .threads = static_cast<int>(read.threads)};
        auto made = std::unique_ptr<stackae_recognizer>(new stackae_recognizer{
            of, recognize.threads, Pool<Recognizer>([of, recognize] { return Recognizer(*of, recognize); })});
        // The first is made at once: what cannot be is told here.
        const stackae::SignalGuard guard(recognize.threads);
        made->recognizers.with([](Recognizer& /*one*/) {});
        put(recognizer, "recognizer", std::move(made));
    });
}

stackae_status stackae_recognizer_recognize(const stackae_recognizer* recognizer, const float* codes,
                                            int64_t n, int64_t d, stackae_recognitions** recognitions,
                                            char** message) {
    return compute(message, recognizer != nullptr ? recognizer->threads : 1, [&] {
        given(recognizer, "recognizer").recognizers.with([&](Recognizer& one) {
            put(recognitions, "recognitions", made_of(one.recognize(codes_of(codes, n, d))));
        });
    });
}

void stackae_recognizer_free(stackae_recognizer* recognizer) {
    delete recognizer;
}

int64_t stackae_recognitions_count(const stackae_recognitions* recognitions) {
    return recognitions != nullptr ? std::ssize(recognitions->all) : 0;
}

const stackae_recognition* stackae_recognitions_at(const stackae_recognitions* recognitions, int64_t i) {
    return i >= 0 && i < stackae_recognitions_count(recognitions)
               ? &recognitions->all[static_cast<std::size_t>(i)]
               : nullptr;
}

void stackae_recognitions_free(stackae_recognitions* recognitions) {
    delete recognitions;
}
