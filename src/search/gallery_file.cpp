#include "search/gallery_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "stackae/error.hpp"

#include "core/json.hpp"
#include "core/safetensors.hpp"
#include "model/json_reader.hpp"
#include "search/gallery_check.hpp"

namespace stackae {
namespace {

constexpr const char* kind = "gallery";
constexpr int version = 1;
constexpr std::size_t max_depth = 2;  ///< the object, and its lists of names and paths

}  // namespace

void save(const Gallery& gallery, const std::string& path) {
    core::AtomicFile file(path);
    search::save(gallery, file);
    file.commit();
}

void search::save(const Gallery& gallery, core::AtomicFile& file) {
    search::check(gallery, fmt::format("{}: cannot write the gallery", file.path()));
    nlohmann::json description{{"model_identity", gallery.model_identity},
                               {"model_path", gallery.model_path},
                               {"layer", gallery.layer},
                               {"l2_normalize", gallery.l2_normalize},
                               {"metric", name(gallery.metric)},
                               {"names", gallery.names},
                               {"paths", gallery.paths},
                               {"threshold", nullptr},
                               {"false_accept", gallery.false_accept}};
    if (gallery.threshold) {
        description["threshold"] = *gallery.threshold;  // an infinite one is printed as null: the same
    }
    if (!gallery.rate_known) {
        description["rate_known"] = false;
    }
    core::Safetensors content;
    content.set_kind(kind, version);
    content.metadata["gallery"] = core::print_json(description);
    core::write_safetensors(content.metadata, {{"codes", &gallery.codes}}, file);
}

Gallery load_gallery(const std::string& path) {
    core::Safetensors file = core::read_safetensors(path);
    file.check_kind(kind, version);
    const std::string where = fmt::format("{}: gallery", path);
    const nlohmann::json description = core::parse_json(file.text("gallery"), where, max_depth);
    const JsonReader reader(description, where);
    Gallery gallery;
    std::string metric;
    reader.required("model_identity", gallery.model_identity);
    reader.required("model_path", gallery.model_path);
    reader.required("layer", gallery.layer);
    reader.required("l2_normalize", gallery.l2_normalize);
    reader.required("metric", metric);
    reader.required("names", gallery.names);
    reader.required("paths", gallery.paths);
    reader.required("threshold", gallery.threshold);
    reader.required("false_accept", gallery.false_accept);
    reader.optional("rate_known", gallery.rate_known);
    try {
        gallery.metric = parse_metric(metric);
    } catch (const InvalidArgument& error) {
        throw CorruptFile(fmt::format("{}: {}", where, error.what()));
    }
    gallery.codes = file.take("codes", {-1, -1});
    if (const std::string wrong = search::fault(gallery); !wrong.empty()) {
        throw CorruptFile(fmt::format("{}: {}", where, wrong));
    }
    return gallery;
}

}  // namespace stackae
