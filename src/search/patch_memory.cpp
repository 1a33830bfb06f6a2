#include "stackae/patch_memory.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "stackae/error.hpp"

#include "base/atomic_file.hpp"
#include "base/json.hpp"
#include "base/safetensors.hpp"
#include "model/json_reader.hpp"
#include "model/model_file.hpp"

namespace stackae {
namespace {

constexpr const char* kind = "patch memory";
constexpr int version = 1;
constexpr std::size_t max_json_depth = 3;
constexpr const char* prefix = "memory.";
constexpr double confidence = 0.95;

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
    const std::int64_t positions = memory.height > 0 && memory.width > 0 ? memory.positions() : 0;
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
    if (memory.rule.methods.empty() || !(memory.rule.share >= 0.0 && memory.rule.share <= 1.0) ||
        memory.good_scores.empty() || !std::is_sorted(memory.good_scores.begin(), memory.good_scores.end())) {
        return "no rule, or no scores of good pictures";
    }
    const auto positive = [](const Tensor& tensor) {
        return std::all_of(tensor.values().begin(), tensor.values().end(), [](float x) { return x > 0.0F; });
    };
    if (!positive(memory.position_spread) || !positive(memory.distance_deviations)) {
        return "deviations that are not above 0";
    }
    if (std::none_of(memory.region.values().begin(), memory.region.values().end(),
                     [](float x) { return x > 0.0F; })) {
        return "a region without positions";
    }
    return {};
}

Json description(const PatchMemory& memory) {
    Json methods = Json::array();
    for (const AnomalyMethod method : memory.rule.methods) {
        methods.push_back(name(method));
    }
    Json planted = Json::array();
    for (const PlantedDefects& defects : memory.planted) {
        planted.push_back({{"kind", defects.kind}, {"planted", defects.planted}, {"auroc", defects.auroc}});
    }
    return {{"depth", memory.depth},
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
            {"planted", std::move(planted)}};
}

/// The probability of i among n where a share p is expected.
double binomial(double n, double i, double p) {
    return std::exp(std::lgamma(n + 1.0) - std::lgamma(i + 1.0) - std::lgamma(n - i + 1.0) + i * std::log(p) +
                    (n - i) * std::log1p(-p));
}

/// The share p of which as few as `above` among n are seen with a probability of 5 %: Σ over i ≤ above of
/// C(n, i) p^i (1 − p)^(n − i) = 0.05, by bisection.
double upper_share(std::ptrdiff_t n, std::ptrdiff_t above) {
    double low = 0.0;
    double high = 1.0;
    for (int step = 0; step < 60; ++step) {
        const double middle = 0.5 * (low + high);
        double as_few = 0.0;
        for (std::ptrdiff_t i = 0; i <= above; ++i) {
            as_few += binomial(static_cast<double>(n), static_cast<double>(i), middle);
        }
        (as_few > 1.0 - confidence ? low : high) = middle;
    }
    return high;
}

}  // namespace

Tensor PatchMemory::region_map() const {
    Tensor map({height, width});
    std::copy_n(region.data(), region.size(), map.data());
    return map;
}

AnomalyThreshold anomaly_threshold(const PatchMemory& memory, double false_alarm) {
    if (!(false_alarm > 0.0 && false_alarm < 1.0)) {
        throw InvalidArgument(
            fmt::format("false_alarm: {} found, a share above 0 and below 1 expected", false_alarm));
    }
    if (memory.good_scores.empty()) {
        throw InvalidArgument("anomaly_threshold: a memory without scores of good pictures");
    }
    const auto n = std::ssize(memory.good_scores);
    // As many above as are seen with a probability of 5 % at most where the share is `false_alarm`.
    std::ptrdiff_t above = 0;
    double as_few = binomial(static_cast<double>(n), 0.0, false_alarm);
    while (above + 1 < n) {
        as_few += binomial(static_cast<double>(n), static_cast<double>(above + 1), false_alarm);
        if (as_few > 1.0 - confidence) {
            break;
        }
        ++above;
    }
    return {memory.good_scores[static_cast<std::size_t>(n - 1 - above)], upper_share(n, above), n};
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
    content.set_kind(kind, version);
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
    base::Safetensors file = base::read_safetensors(path);
    file.check_kind(kind, version);
    const std::string where = path + ": patch memory";
    PatchMemory memory;
    visit_tensors(memory,
                  [&](const char* name, Tensor& tensor) { tensor = file.take(std::string(prefix) + name); });
    const Json text = base::parse_json(file.text("memory"), where, max_json_depth);
    memory.model = read_content(file);
    const JsonReader reader(text, where);
    reader.required("depth", memory.depth);
    reader.required("levels", memory.levels);
    reader.optional("stride", memory.stride);  // of early files: as it was then
    reader.required("height", memory.height);
    reader.required("width", memory.width);
    reader.required("pictures", memory.pictures);
    memory.preprocessing = memory.model.preprocessing;
    memory.preprocessing.resize = ResizeMode::squash;
    reader.required("picture_height", memory.preprocessing.height);
    reader.required("picture_width", memory.preprocessing.width);
    reader.required("by_position", memory.rule.by_position);
    reader.required("share", memory.rule.share);
    try {
        for (const Json& method : text.at("methods")) {
            memory.rule.methods.push_back(parse<AnomalyMethod>(method.get<std::string>()));
        }
        memory.good_scores = text.at("good_scores").get<std::vector<double>>();
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

JsonObject to_json(const PatchMemory& memory) {
    JsonObject object;
    object.set("pictures", memory.pictures)
        .set("picture_height", memory.preprocessing.height)
        .set("picture_width", memory.preprocessing.width)
        .set("grid_height", memory.height)
        .set("grid_width", memory.width)
        .set("stride", memory.stride)
        .set("codes", memory.codes.rows())
        .set("code_size", memory.dimension())
        .set("rule", to_text(memory.rule))
        .set("model_identity", memory.model.identity());
    std::vector<JsonObject> planted;
    for (const PlantedDefects& defects : memory.planted) {
        planted.push_back(JsonObject()
                              .set("kind", defects.kind)
                              .set("planted", defects.planted)
                              .set("auroc", defects.auroc));
    }
    return object.set("planted", planted);
}

}  // namespace stackae
