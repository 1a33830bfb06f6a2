#include "stackae/gallery.hpp"

namespace stackae {

std::map<std::string, std::int64_t> count_names(const Gallery& gallery) {
    std::map<std::string, std::int64_t> counts;
    for (const std::string& name : gallery.names) {
        ++counts[name];
    }
    return counts;
}

JsonObject to_json(const Gallery& gallery) {
    JsonObject names;
    for (const auto& [name, count] : count_names(gallery)) {
        names.set(name, count);
    }
    JsonObject object;
    object.set("pictures", gallery.size())
        .set("names", names)
        .set("model_path", gallery.model_path)
        .set("model_identity", gallery.model_identity)
        .set("depth", gallery.depth)
        .set("code_size", gallery.codes.columns())
        .set("l2_normalize", gallery.l2_normalize)
        .set("metric", name(gallery.metric))
        .set("threshold", nullptr)
        .set("false_accept_rate", gallery.false_accept_rate)
        .set("rate_known", gallery.rate_known)
        .set("calibrated_on", calibration_size(gallery));
    return gallery.threshold ? object.set("threshold", *gallery.threshold) : object;
}

JsonObject to_json(const Recognition& recognition) {
    std::vector<JsonObject> nearest;
    for (const Candidate& candidate : recognition.top) {
        nearest.push_back(JsonObject()
                              .set("name", candidate.name)
                              .set("distance", candidate.distance)
                              .set("path", candidate.path));
    }
    return JsonObject()
        .set("name", recognition.name)
        .set("distance", recognition.distance)
        .set("known", recognition.known)
        .set("nearest", nearest);
}

}  // namespace stackae
