#include <algorithm>
#include <memory>
#include <optional>
#include <pybind11/stl.h>
#include <string>
#include <utility>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/fit_table.hpp"
#include "stackae/interactions_file.hpp"
#include "stackae/recommend.hpp"
#include "stackae/table_encoder.hpp"

#include "python/arrays.hpp"
#include "python/bind.hpp"
#include "python/settings.hpp"
#include "python/signals.hpp"

namespace stackae::python {
namespace py = pybind11;
namespace {

using Numbers = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;
using SharedTable = std::shared_ptr<Interactions>;

/// Entries by the numbers of users and items.
SharedTable table_of(const std::vector<std::string>& users, const std::vector<std::string>& items,
                     const Numbers& of_users, const Numbers& of_items, const FloatArray& values,
                     const std::string& mode) {
    std::vector<Rating> entries(static_cast<std::size_t>(values.size()));
    for (std::size_t i = 0; i < entries.size(); ++i) {
        entries[i] = {of_users.data()[i], of_items.data()[i], values.data()[i]};
    }
    return std::make_shared<Interactions>(make_interactions(users, items, entries, parse<ValueMode>(mode)));
}

/// Ends where Python has a signal to handle.
class Quiet : public TrainObserver {
public:
    bool stop() override {
        if (signals.arrived()) {
            throw Stopped();
        }
        return false;
    }
    Signals signals;
};

std::shared_ptr<Model> learn_table(const Interactions& table, const TrainRecipe& recipe,
                                   const Settings& run_settings) {
    const RunOptions run = run_of(run_settings);
    Quiet observer;
    std::optional<Model> model;
    run_released(observer.signals, static_cast<int>(run.threads), [&] {
        const TrainConfig config =
            config_of(recipe, table, run, observer, [&](std::int64_t /*tried*/) { (void)observer.stop(); });
        model = train(table, config, run, observer);
    });
    return std::make_shared<Model>(std::move(*model));
}

/// Of users [0, n): item numbers and scores, top of each, −1 where there are fewer.
py::tuple recommend(const Model& model, const Interactions& users, std::int64_t top, bool include_known,
                    int threads) {
    const std::int64_t n = users.user_count();
    Tensor scores({n, top});
    py::array_t<std::int32_t> items({n, top});
    std::int32_t* const numbers = items.mutable_data();
    {
        const Released released(threads);
        std::fill_n(numbers, n * top, -1);
        Recommender recommender(model, {.top = top, .include_known = include_known, .threads = threads});
        for (std::int64_t first = 0; first < n; first += recommender.batch_size()) {
            const std::int64_t count = std::min(recommender.batch_size(), n - first);
            const std::vector<Recommendations> found = recommender.recommend(users, first, count);
            for (std::int64_t i = 0; i < count; ++i) {
                const auto& all = found[static_cast<std::size_t>(i)].items;
                for (std::size_t k = 0; k < all.size(); ++k) {
                    const auto at = static_cast<std::int64_t>(k);
                    numbers[(first + i) * top + at] = all[k].found.item;
                    scores.row(first + i)[k] = all[k].found.score;
                }
            }
        }
    }
    return py::make_tuple(items, array_of(std::move(scores)));
}

py::array scores_of(const Model& model, const Interactions& users, int threads) {
    Tensor scores;
    {
        const Released released(threads);
        scores = Recommender(model, {.threads = threads}).scores(users, 0, users.user_count());
    }
    return array_of(std::move(scores));
}

py::array features(const Model& model, const Interactions* users, int threads) {
    Tensor made;
    {
        const Released released(threads);
        TableEncoder encoder(model, {.threads = threads});
        made = users != nullptr ? encoder.users(*users, 0, users->user_count())
                                : encoder.items(0, model.table.item_count());
    }
    return array_of(std::move(made));
}

}  // namespace

void bind_recommenders(py::module_& module) {
    py::class_<Interactions, SharedTable>(module, "Interactions")
        .def(py::init(&table_of), py::arg("users"), py::arg("items"), py::arg("of_users"),
             py::arg("of_items"), py::arg("values"), py::arg("mode"))
        .def_static(
            "read",
            [](const std::string& path, const std::string& mode) {
                TableReport report;
                return std::make_shared<Interactions>(
                    read_interactions(path, {.value = parse<ValueMode>(mode)}, report));
            },
            py::arg("path"), py::arg("mode"), py::call_guard<Released>())
        .def("with_items",
             [](const Interactions& table, const std::vector<std::string>& items) {
                 return std::make_shared<Interactions>(with_items(table, items));
             })
        .def("rows",
             [](const Interactions& table, const std::vector<std::int64_t>& users) {
                 auto some = std::make_shared<Interactions>();
                 some->items = table.items;
                 some->value_mode = table.value_mode;
                 for (const std::int64_t user : users) {
                     some->users.push_back(table.users.at(static_cast<std::size_t>(user)));
                     const auto columns = table.items_of(user);
                     const auto values = table.values_of(user);
                     some->columns.insert(some->columns.end(), columns.begin(), columns.end());
                     some->values.insert(some->values.end(), values.begin(), values.end());
                     some->offsets.push_back(std::ssize(some->columns));
                 }
                 return some;
             })
        .def_property_readonly("value_mode", [](const Interactions& table) { return name(table.value_mode); })
        .def_readonly("users", &Interactions::users)
        .def_readonly("items", &Interactions::items)
        .def("__len__", &Interactions::user_count);
    module.def("train_table", &learn_table, py::arg("table"), py::arg("recipe"), py::arg("run"));
    module.def("suited_value", [](const std::string& preset, const Settings& options) {
        TrainConfig config = table_base(preset);
        for (const auto& [option, value] : options) {
            config.set(option, value);
        }
        return name(suited_value(config));
    });
    module.def("model_table", [](const Model& model) { return std::make_shared<Interactions>(model.table); });
    module.def("recommend", &recommend, py::arg("model"), py::arg("users"), py::arg("top"),
               py::arg("include_known"), py::arg("threads"));
    module.def("scores", &scores_of, py::arg("model"), py::arg("users"), py::arg("threads"));
    module.def("table_features", &features, py::arg("model"), py::arg("users"), py::arg("threads"));
    module.def("similar_items", [](const Model& model, const std::string& item, std::int64_t top) {
        std::vector<std::pair<std::string, float>> alike;
        for (const ScoredItem& one : similar_items(model, item_number(model.table, item), top)) {
            alike.emplace_back(model.table.items[static_cast<std::size_t>(one.item)], one.score);
        }
        return alike;
    });
}

}  // namespace stackae::python
