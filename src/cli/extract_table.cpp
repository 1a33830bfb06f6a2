#include "cli/extract_table.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <utility>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/table_encoder.hpp"

#include "cli/command.hpp"
#include "cli/encode.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_locator.hpp"
#include "cli/output.hpp"

namespace stackae::cli {
namespace {

constexpr const char* less = "a lower --layer may take less, a larger --memory allows more";

/// Throws UsageError where there is no table, neither an input nor in the model.
Model open(Console& console, const TableExtraction& wanted) {
    if (!wanted.input.empty() || wanted.items) {
        return open_table_model(console, wanted.model);
    }
    if (wanted.model.empty()) {
        throw UsageError("extract needs an INPUT: a picture, a folder, a list, IDX or .npy");
    }
    NamedModel named = *named_model(console, wanted.model);
    if (named.model.table.items.empty()) {
        throw UsageError(
            fmt::format("extract needs an INPUT: a picture, a folder, a list, IDX or .npy; {}: a model of "
                        "pictures found; one of a table needs none",
                        named.path));
    }
    return std::move(named.model);
}

/// ids: of the rows that `features` gives, some at a time.
template <class Features>
void write_rows(FeatureWriters& writers, Progress& progress, const std::vector<std::string>& ids,
                std::int64_t batch, const Features& features) {
    const std::int64_t all = std::ssize(ids);
    for (std::int64_t first = 0; first < all; first += batch) {
        check_interrupted();
        const std::int64_t count = std::min(batch, all - first);
        const Tensor some = features(first, count);
        std::vector<FeatureRow> rows;
        std::vector<float> kept;
        for (std::int64_t i = 0; i < count; ++i) {
            const std::string& id = ids[static_cast<std::size_t>(first + i)];
            if (!id.empty()) {  // else forgotten
                rows.push_back({id, std::nullopt});
                kept.insert(kept.end(), some.row(i).begin(), some.row(i).end());
            }
        }
        Tensor codes({std::ssize(rows), some.columns()});
        std::copy(kept.begin(), kept.end(), codes.data());
        writers.write(rows, codes);
        progress.update(first + count);
    }
}

}  // namespace

int extract_table(Console& console, const TableExtraction& wanted) {
    if (wanted.items && !wanted.input.empty()) {
        throw UsageError("--items are the model's: no INPUT expected with it");
    }
    const Model model = open(console, wanted);
    check_layer(model, wanted.encode.output);
    EncodeOptions encode = wanted.encode;
    encode.threads = wanted.reading.threads;
    TableEncoder encoder(model, encode);
    check_outputs({{"the model", wanted.model}, {"the input", wanted.input}},
                  wanted.targets.written(false, false));
    wanted.reading.check(wanted.items ? encoder.item_bytes() : encoder.user_bytes(), "for the decoder's rows",
                         less);
    std::optional<Interactions> others;
    if (!wanted.input.empty()) {
        others.emplace(wanted.tables.read_for(console, wanted.input, model.table));
    }
    const Interactions& table = others ? *others : model.table;
    const std::vector<std::string>& ids = wanted.items ? table.items : table.users;
    catch_interrupts();
    OutputFiles set(stop_waiting);
    const RowKind kind = wanted.items ? RowKind::item : RowKind::user;
    const std::int64_t columns = encoder.code_size();
    FeatureWriters writers(wanted.targets, set, {.columns = columns, .kind = kind});
    Progress progress(console, name(kind), std::ssize(ids), wanted.items ? "items" : "users");
    write_rows(writers, progress, ids, encoder.batch_size(), [&](std::int64_t first, std::int64_t count) {
        return wanted.items ? encoder.items(first, count) : encoder.users(table, first, count);
    });
    writers.finish();
    set.commit();
    if (writers.has_files()) {
        console.note(writers.said(std::ssize(ids)));
    }
    return exit_code::done;
}

}  // namespace stackae::cli
