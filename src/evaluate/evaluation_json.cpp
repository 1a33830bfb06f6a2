#include <cmath>

#include "stackae/evaluate.hpp"

#include "base/json.hpp"

namespace stackae {
namespace {

void put(nlohmann::json& object, const char* key, const MeanStd& figure) {
    object[key] = figure.mean;
    // Of what was not measured neither is a number.
    object[std::string(key) + "_deviation"] = std::isnan(figure.mean) ? figure.mean : figure.deviation;
}

}  // namespace

JsonObject to_json(const Evaluation& result, const EvaluateOptions& options) {
    nlohmann::json out{{"train_pictures", result.train_pictures},
                       {"mirrored", result.mirrored},
                       {"test_pictures", result.test_pictures},
                       {"splits", result.splits},
                       {"labelled", result.labelled},
                       {"code_size", result.code_size},
                       {"groups", result.groups},
                       {"shared_groups", result.shared_groups}};
    put(out["reconstruction"], "sse_per_image", result.sse_per_image);
    auto& baselines = out["baselines"];
    put(baselines["mean"], "sse_per_image", result.mean_sse_per_image);
    put(baselines["pca"], "sse_per_image", result.pca_sse_per_image);
    baselines["pca"]["components"] = result.pca_components;
    baselines["channel_statistics"]["values"] = result.statistics;
    baselines["majority"]["k"] = result.majority_k;
    out["knn"] = {{"k", result.k},
                  {"k_asked", voters(options.vote, options.k)},
                  {"vote", name(result.vote)},
                  {"metric", name(result.metric)},
                  {"l2_normalize", options.l2_normalize},
                  {"accuracy", nullptr}};
    if (!result.labelled) {
        for (const char* key : {"knn_accuracy", "knn_accuracy_deviation"}) {
            baselines["raw"][key] = nullptr;
            baselines["pca"][key] = nullptr;
            baselines["channel_statistics"][key] = nullptr;
            baselines["majority"][key] = nullptr;
        }
        out["knn"]["accuracy_deviation"] = nullptr;
        if (options.linear) {
            out["linear"] = {{"accuracy", nullptr}, {"accuracy_deviation", nullptr}};
        }
        return base::json_object(out);
    }
    put(out["knn"], "accuracy", result.knn_accuracy);
    out["train_classes"] = result.train_classes;
    out["codes_alike"] = result.codes_alike;
    if (result.linear) {
        auto& linear = out["linear"];
        put(linear, "accuracy", result.linear->accuracy);
        linear["code_size"] = result.linear->code_size;
        linear["output"] = result.linear->output;
        linear["c"] = result.linear->c;
        linear["c_grid"] = result.linear->grid;
        linear["folds"] = result.linear->folds;
    }
    put(baselines["raw"], "knn_accuracy", result.raw_knn_accuracy);
    put(baselines["pca"], "knn_accuracy", result.pca_knn_accuracy);
    put(baselines["channel_statistics"], "knn_accuracy", result.statistics_knn_accuracy);
    put(baselines["majority"], "knn_accuracy", result.majority_accuracy);
    out["confusion"] = result.confusion;
    out["classes"] = nlohmann::json::array();
    for (const ClassMetrics& metrics : result.classes) {
        // nlohmann prints NaN as null
        out["classes"].push_back({{"name", metrics.name},
                                  {"pictures", metrics.pictures},
                                  {"precision", metrics.precision},
                                  {"recall", metrics.recall},
                                  {"f1", metrics.f1}});
    }
    return base::json_object(out);
}

}  // namespace stackae
