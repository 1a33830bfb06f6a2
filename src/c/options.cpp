#include "c/options.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/json.hpp"
#include "stackae/stackae.h"
#include "stackae/train_config.hpp"

#include "c/call.hpp"

namespace stackae::c {
namespace {

bool has(const OptionSet& set, std::string_view name) {
    const std::vector<OptionInfo> all = set.describe();
    return std::any_of(all.begin(), all.end(), [&](const OptionInfo& one) { return one.name == name; });
}

std::vector<OptionInfo> described(const std::vector<const OptionSet*>& sets) {
    std::vector<OptionInfo> all;
    for (const OptionSet* const set : sets) {
        for (OptionInfo& one : set->describe()) {
            all.push_back(std::move(one));
        }
    }
    return all;
}

void set_one(std::string_view text, const std::vector<OptionSet*>& sets, const OptionSet* other,
             std::map<std::string, std::string>* to) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) {
        throw InvalidArgument(fmt::format("options: \"{}\" found, NAME=VALUE expected", text));
    }
    const std::string_view name = text.substr(0, equals);
    const std::string_view value = text.substr(equals + 1);
    for (OptionSet* const set : sets) {
        if (has(*set, name)) {
            set->set(name, value);
            return;
        }
    }
    if (other != nullptr && has(*other, name)) {
        (*to)[std::string(name)] = value;
        return;
    }
    std::vector<std::string> names;
    std::vector<const OptionSet*> all(sets.begin(), sets.end());
    if (other != nullptr) {
        all.push_back(other);
    }
    for (const OptionInfo& one : described(all)) {
        names.push_back(one.name);
    }
    throw InvalidArgument(
        fmt::format("options: \"{}\" found, one of {} expected", name, fmt::join(names, ", ")));
}

std::vector<OptionInfo> options_of(std::string_view function) {
    const TrainConfig config;
    const RunOptions run;
    const RecipeSet recipe;
    const PreprocessingSet preprocessing;
    const EncoderSet encoder;
    const GalleryEncoderSet gallery_encoder;
    const GallerySet gallery;
    const RecognizerSet recognizer;
    const PatchMemorySet patch_memory;
    const ScorerSet scorer;
    const TableSet table;
    const RecommenderSet recommender;
    const OnnxSet onnx;
    const std::map<std::string_view, std::vector<const OptionSet*>> all{
        {"train", {&recipe, &preprocessing, &config, &run}},
        {"train_table", {&recipe, &config, &run}},
        {"fine_tune", {&config, &run}},
        {"encoder", {&encoder}},
        {"gallery_encoder", {&gallery_encoder}},
        {"gallery", {&gallery}},
        {"recognizer", {&recognizer}},
        {"patch_memory", {&patch_memory}},
        {"scorer", {&scorer}},
        {"table", {&table}},
        {"recommender", {&recommender}},
        {"onnx", {&onnx}},
    };
    const auto found = all.find(function);
    if (found == all.end()) {
        std::vector<std::string_view> names;
        for (const auto& each : all) {
            names.push_back(each.first);
        }
        throw InvalidArgument(
            fmt::format("options: \"{}\" found, one of {} expected", function, fmt::join(names, ", ")));
    }
    return described(found->second);
}

}  // namespace

void set_all(const char* const* texts, std::initializer_list<OptionSet*> sets, const OptionSet* other,
             std::map<std::string, std::string>* to) {
    for (; texts != nullptr && *texts != nullptr; ++texts) {
        set_one(*texts, sets, other, to);
    }
}

}  // namespace stackae::c

stackae_status stackae_describe_options(const char* of, char** json, char** message) {
    return stackae::c::call(message, [&] {
        std::vector<stackae::JsonObject> all;
        for (const stackae::OptionInfo& one : stackae::c::options_of(&stackae::c::given(of, "of"))) {
            all.push_back(stackae::JsonObject()
                              .set("name", one.name)
                              .set("expected", one.expected)
                              .set("value", one.value)
                              .set("help", one.help));
        }
        stackae::c::put_text(json, "json", stackae::json_text(all));
    });
}
