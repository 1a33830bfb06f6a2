#include <fmt/format.h>

#include "stackae/train.hpp"

#include "base/fields.hpp"
#include "model/model_json.hpp"

namespace stackae {

std::string training_difference(const Model& standing, std::string_view kept,
                                const Preprocessing& preprocessing, const TrainConfig& config,
                                const std::string& data) {
    const auto differs = [kept](std::string_view what, std::string_view found, std::string_view before) {
        return fmt::format("{}: {} found, {} in the {}", what, found, before, kept);
    };
    const TrainingRecord& record = standing.record;
    if (data != record.data) {  // first: what is chosen by the pictures differs then, too
        return differs("pictures", "others by name or label", "those");
    }
    if (to_text(config.stack) != to_text(record.config.stack)) {
        return differs("stack", to_text(config.stack), to_text(record.config.stack));
    }
    const std::vector<OptionInfo> found = config.describe();
    const std::vector<OptionInfo> before = record.config.describe();
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i].value != before[i].value) {
            return differs(found[i].name, found[i].value, before[i].value);
        }
    }
    const base::FieldTable fields = fields_of(preprocessing);
    const base::FieldTable fields_before = fields_of(standing.preprocessing);
    for (const auto& field : fields) {
        const std::string was = fields_before.find(field->name())->text();
        if (field->text() != was) {
            return differs(field->name(), field->text(), was);
        }
    }
    if (preprocessing.mean != standing.preprocessing.mean ||
        preprocessing.deviation != standing.preprocessing.deviation) {
        return differs("pictures", "others", "those whose mean and deviation are");
    }
    return "";
}

}  // namespace stackae
