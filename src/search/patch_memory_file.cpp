#include "search/patch_memory_file.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

#include "stackae/error.hpp"

#include "base/atomic_file.hpp"
#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/rows.hpp"
#include "model/json_reader.hpp"
#include "model/model_file.hpp"

namespace stackae {
namespace {

constexpr const char* kind = "patch memory";
constexpr int version = 2;                ///< of memories whose rule has tiles
constexpr int version_without_tiles = 1;  ///< which readers of that version read rightly
constexpr std::size_t max_json_depth = 3;
constexpr const char* prefix = "memory.";

using Json = nlohmann::json;

/// Tensors by the names that they have in the file.
template <class Memory, class Visit>
void visit_tensors(Memory& memory, const Visit& visit) {
    visit("scale", memory.scale);
    visit("mean", memory.mean);
    visit("components", memory.components);
    visit("variances", memory.variances);
    visit("codes", memory.codes);
    visit("position_means", memory.position_means);
    visit("position_whitening", memory.position_whitening);
    visit("position_spread", memory.position_spread);
    visit("distance_means", memory.distance_means);
    visit("distance_deviations", memory.distance_deviations);
    visit("region", memory.region);
}

/// What is wrong with a memory; empty: nothing.
std::string fault(const PatchMemory& memory) {
    const auto is_side = [](std::int64_t side) { return side > 0 && side <= Preprocessing::max_side; };
    const std::int64_t positions = is_side(memory.height) && is_side(memory.width) ? memory.positions() : 0;
    const std::int64_t d = memory.components.rows();
    const std::int64_t descriptor = memory.components.columns();
    constexpr auto methods = static_cast<std::int64_t>(anomaly_methods);
    using Extents = std::vector<std::int64_t>;
    const auto is = [](const Tensor& tensor, const Extents& shape) { return tensor.shape() == shape; };
    if (positions < 1 || memory.levels < 1 || memory.depth < 1 || memory.depth > memory.model.layers.size()) {
        return fmt::format("a grid of {} × {} positions, {} sizes and layer {} of {}", memory.height,
                           memory.width, memory.levels, memory.depth, memory.model.layers.size());
    }
    if (d < 1 || !is(memory.scale, {descriptor}) || !is(memory.mean, {descriptor}) ||
        !is(memory.variances, {d}) || memory.codes.rows() < 1 || memory.codes.columns() != d ||
        !is(memory.position_means, {positions, d}) || !is(memory.position_whitening, {d, d}) ||
        !is(memory.position_spread, {positions}) || !is(memory.distance_means, {methods, positions}) ||
        !is(memory.distance_deviations, {methods, positions}) || !is(memory.region, {positions})) {
        return "tensors that do not fit one another";
    }
    if (memory.stride < 0 || memory.stride > Preprocessing::max_side || memory.pictures < 1) {
        return fmt::format("positions {} pixels apart, {} good pictures", memory.stride, memory.pictures);
    }
    const std::set<AnomalyMethod> methods_of(memory.rule.methods.begin(), memory.rule.methods.end());
    if (methods_of.size() != memory.rule.methods.size() || memory.rule.methods.empty() ||
        !(memory.rule.share >= 0.0 && memory.rule.share <= 1.0) || memory.rule.tile < 0 ||
        memory.good_scores.empty() || !std::is_sorted(memory.good_scores.begin(), memory.good_scores.end())) {
        return "no rule, or no scores of good pictures";
    }
    bool finite = true;
    visit_tensors(memory, [&](const char* /*name*/, const Tensor& tensor) {
        finite = finite && base::all_finite(tensor.values());
    });
    if (!finite) {
        return "values that are not finite";
    }
    const auto positive = [](const Tensor& tensor) {
        return std::all_of(tensor.values().begin(), tensor.values().end(), [](float x) { return x > 0.0F; });
    };
    if (!positive(memory.position_spread) || !positive(memory.distance_deviations)) {
        return "deviations that are not above 0";
    }
    const auto regions = memory.region.values();
    if (std::any_of(regions.begin(), regions.end(), [](float x) { return x != 0.0F && x != 1.0F; }) ||
        std::find(regions.begin(), regions.end(), 1.0F) == regions.end()) {
        return "a region without positions, or of other values than 0 and 1";
    }
    for (const PlantedDefects& defects : memory.planted) {
        if (defects.planted < 0 || !(defects.auroc >= 0.0 && defects.auroc <= 1.0)) {
            return fmt::format("an area under the ROC of {} of {} planted defects", defects.auroc,
                               defects.planted);
        }
    }
    return {};
}

Json description(const PatchMemory& memory) {
    Json methods = Json::array();
    for (const AnomalyMethod method : memory.rule.methods) {
        methods.push_back(name(method));
    }
    Json oddest = Json::array();
    for (const GoodPicture& picture : memory.oddest_good) {
        oddest.push_back({{"path", picture.path}, {"score", picture.score}});
    }
    Json planted = Json::array();
    for (const PlantedDefects& defects : memory.planted) {
        planted.push_back({{"kind", defects.kind}, {"planted", defects.planted}, {"auroc", defects.auroc}});
    }
    Json text = {{"depth", memory.depth},
                 {"levels", memory.levels},
                 {"stride", memory.stride},
                 {"height", memory.height},
                 {"width", memory.width},
                 {"pictures", memory.pictures},
                 {"picture_height", memory.preprocessing.height},
                 {"picture_width", memory.preprocessing.width},
                 {"methods", std::move(methods)},
                 {"by_position", memory.rule.by_position},
                 {"share", memory.rule.share},
                 {"good_scores", memory.good_scores},
                 {"oddest_good", std::move(oddest)},
                 {"planted", std::move(planted)}};
    if (memory.rule.tile > 0) {
        text["tile"] = memory.rule.tile;
    }
    return text;
}

}  // namespace

std::string PatchMemory::identity() const {
    base::Hash hash;
    hash.add(std::string_view(model.identity()));
    hash.add(std::string_view(base::print_json(description(*this))));
    visit_tensors(*this, [&](const char* /*name*/, const Tensor& tensor) { hash.add(tensor.values()); });
    return hash.hex();
}

void save(const PatchMemory& memory, const std::string& path) {
    OutputFiles files;
    OutputFile file = files.add(path);
    save(memory, file);
    file.commit();
}

void save(const PatchMemory& memory, const OutputFile& file) {
    if (const std::string wrong = fault(memory); !wrong.empty()) {
        throw InvalidArgument(
            fmt::format("{}: cannot write the memory: {} found", file.file().path(), wrong));
    }
    base::Safetensors content;
    content.set_kind(kind, memory.rule.tile > 0 ? version : version_without_tiles);
    const ModelContent model(memory.model);
    content.metadata["model"] = model.description();
    content.metadata["memory"] = base::print_json(description(memory));
    // The pictures' preprocessing is that of the model, but for their size, and that they are squashed.
    base::TensorReferences tensors = model.tensors();
    visit_tensors(memory, [&](const char* name, const Tensor& tensor) {
        tensors.emplace_back(std::string(prefix) + name, &tensor);
    });
    base::write_safetensors(content.metadata, tensors, file.file());
}

PatchMemory load_patch_memory(const std::string& path) {
    return search::read_patch_memory(base::read_safetensors(path));
}

PatchMemory search::read_patch_memory(base::Safetensors file) {
    file.check_kind(kind, version);
    const std::string where = file.path + ": patch memory";
    PatchMemory memory;
    visit_tensors(memory,
                  [&](const char* name, Tensor& tensor) { tensor = file.take(std::string(prefix) + name); });
    const Json text = base::parse_json(file.text("memory"), where, max_json_depth);
    memory.model = read_content(file);
    const JsonReader reader(text, where);
    reader.required("depth", memory.depth);
    reader.required("levels", memory.levels);
    reader.optional("stride", memory.stride);
    reader.required("height", memory.height);
    reader.required("width", memory.width);
    reader.required("pictures", memory.pictures);
    memory.preprocessing = memory.model.preprocessing;
    memory.preprocessing.resize = ResizeMode::squash;
    reader.required("picture_height", memory.preprocessing.height);
    reader.required("picture_width", memory.preprocessing.width);
    reader.required("by_position", memory.rule.by_position);
    reader.required("share", memory.rule.share);
    reader.optional("tile", memory.rule.tile);
    try {
        for (const Json& method : text.at("methods")) {
            memory.rule.methods.push_back(parse<AnomalyMethod>(method.get<std::string>()));
        }
        memory.good_scores = text.at("good_scores").get<std::vector<double>>();
        for (const Json& picture : text.value("oddest_good", Json::array())) {
            memory.oddest_good.push_back(
                {picture.at("path").get<std::string>(), picture.at("score").get<double>()});
        }
        for (const Json& planted : text.at("planted")) {
            memory.planted.push_back({planted.at("kind").get<std::string>(),
                                      planted.at("planted").get<std::int64_t>(),
                                      planted.at("auroc").get<double>()});
        }
        memory.model.layers.check(memory.model.input_shape());
        validate(memory.preprocessing);
    } catch (const Json::exception& error) {
        throw CorruptFile(fmt::format("{}: {}", where, error.what()));
    } catch (const InvalidArgument& error) {
        throw CorruptFile(fmt::format("{}: {}", where, error.what()));
    }
    if (const std::string wrong = fault(memory); !wrong.empty()) {
        throw CorruptFile(fmt::format("{}: {} found", where, wrong));
    }
    return memory;
}

}  // namespace stackae
