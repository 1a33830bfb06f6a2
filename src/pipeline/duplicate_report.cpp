#include <vector>

#include "stackae/duplicates.hpp"

#include "base/enum_names.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<CopyKind> =
    base::names_of<CopyKind>("kind of copy", {{CopyKind::kept, "kept"},
                                              {CopyKind::exact, "exact"},
                                              {CopyKind::same, "same"},
                                              {CopyKind::near, "near"},
                                              {CopyKind::transformed, "transformed"}});
template const char* name(CopyKind);
template CopyKind parse(std::string_view);

template <>
constexpr auto base::enum_names<KeepRule> = base::names_of<KeepRule>("what to keep",
                                                                     {{KeepRule::largest, "largest"},
                                                                      {KeepRule::oldest, "oldest"},
                                                                      {KeepRule::first, "first"}});
template const char* name(KeepRule);
template KeepRule parse(std::string_view);

JsonObject to_json(const DuplicateReport& report) {
    std::vector<JsonObject> groups;
    for (const std::vector<Duplicate>& group : report.groups) {
        std::vector<JsonObject> members;
        for (const Duplicate& member : group) {
            JsonObject object;
            object.set("path", member.entry.path)
                .set("keep", member.keep)
                .set("kind", name(member.kind))
                .set("distance", member.distance);
            members.push_back(object.set("reference", member.reference));
        }
        groups.push_back(JsonObject().set("pictures", members));
    }
    std::vector<JsonObject> planted;
    for (const PlantedCopies& copies : report.planted) {
        planted.push_back(
            JsonObject().set("kind", copies.kind).set("planted", copies.planted).set("found", copies.found));
    }
    return JsonObject()
        .set("groups", groups)
        .set("planted", planted)
        .set("pictures", report.pictures)
        .set("near_threshold", report.near_threshold)
        .set("transformed_threshold", report.transformed_threshold)
        .set("false_pairs", report.false_pairs);
}

}  // namespace stackae
