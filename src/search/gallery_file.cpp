#include "search/gallery_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "stackae/error.hpp"

#include "base/atomic_file.hpp"
#include "base/file_lock.hpp"
#include "base/json.hpp"
#include "base/safetensors.hpp"
#include "model/json_reader.hpp"
#include "model/model_file.hpp"
#include "search/gallery_check.hpp"

namespace stackae {
namespace {

constexpr const char* kind = "gallery";
/// 1 and 2 were of models of a version that is not read any more.
constexpr int version = 3;
constexpr std::size_t max_json_depth = 1;

}  // namespace

void save(const Gallery& gallery, const std::string& path) {
    OutputFiles files;
    OutputFile file = files.add(path);
    save(gallery, file);
    file.commit();
}

void save(const Gallery& gallery, const OutputFile& file) {
    search::check(gallery, fmt::format("{}: cannot write the gallery", file.file().path()));
    nlohmann::json description{{"model_identity", gallery.model_identity},
                               {"model_path", gallery.model_path},
                               {"depth", gallery.depth},
                               {"l2_normalize", gallery.l2_normalize},
                               {"metric", name(gallery.metric)},
                               {"pictures", gallery.size()},
                               {"threshold", nullptr},
                               {"false_accept_rate", gallery.false_accept_rate}};
    if (gallery.threshold) {
        description["threshold"] = *gallery.threshold;  // an infinite one is printed as null: the same
    }
    if (!gallery.rate_known) {
        description["rate_known"] = false;
    }
    base::Safetensors content;
    content.set_kind(kind, version);
    content.metadata["gallery"] = base::print_json(description);
    const std::string names = base::pack_texts(gallery.names);
    const std::string paths = base::pack_texts(gallery.paths);
    base::write_safetensors(content.metadata,
                            {{"codes", &gallery.codes}, {"names", &names}, {"paths", &paths}}, file.file());
}

Gallery load_gallery(const std::string& path) {
    return search::read_gallery(base::read_safetensors(path));
}

std::variant<Model, Gallery> load_model_or_gallery(const std::string& path) {
    base::Safetensors file = base::read_safetensors(path);
    const auto found = file.metadata.find("kind");
    if (found != file.metadata.end() && found->second == kind) {
        return search::read_gallery(std::move(file));
    }
    return read_model(std::move(file));
}

Gallery search::read_gallery(base::Safetensors file) {
    const std::string path = file.path;
    file.check_kind(kind, version);
    if (std::stoi(file.text("version")) < version) {
        throw CorruptFile(
            fmt::format("{}: a gallery of version {} found, {} expected: enroll its pictures again", path,
                        file.text("version"), version));
    }
    const std::string where = fmt::format("{}: gallery", path);
    const nlohmann::json description = base::parse_json(file.text("gallery"), where, max_json_depth);
    const JsonReader reader(description, where);
    Gallery gallery;
    std::string metric;
    std::size_t pictures = 0;
    reader.required("model_identity", gallery.model_identity);
    reader.required("model_path", gallery.model_path);
    reader.required("depth", gallery.depth);
    reader.required("l2_normalize", gallery.l2_normalize);
    reader.required("metric", metric);
    reader.required("pictures", pictures);
    gallery.names = file.texts("names", pictures);
    gallery.paths = file.texts("paths", pictures);
    reader.required("threshold", gallery.threshold);
    reader.required("false_accept_rate", gallery.false_accept_rate);
    reader.optional("rate_known", gallery.rate_known);
    try {
        gallery.metric = parse<Metric>(metric);
    } catch (const InvalidArgument& error) {
        throw CorruptFile(fmt::format("{}: {}", where, error.what()));
    }
    gallery.codes = file.take("codes", {-1, -1});
    if (const std::string wrong = search::fault(gallery); !wrong.empty()) {
        throw CorruptFile(fmt::format("{}: {}", where, wrong));
    }
    return gallery;
}

GalleryLock::GalleryLock(const std::string& path, const std::function<void(double seconds)>& waiting)
    : lock_(std::make_unique<base::FileLock>(path, waiting)) {}
GalleryLock::GalleryLock(GalleryLock&&) noexcept = default;
GalleryLock& GalleryLock::operator=(GalleryLock&&) noexcept = default;
GalleryLock::~GalleryLock() = default;

bool GalleryLock::supported() const {
    return !lock_->unsupported();
}

}  // namespace stackae
