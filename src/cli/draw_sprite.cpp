#include "cli/draw_sprite.hpp"

#include "stackae/error.hpp"

#include "cli/interrupt.hpp"

namespace stackae::cli {
namespace {

/// What cannot be read has been told of.
class Silent : public InputObserver {
public:
    bool stop() override { return interrupted(); }
};

}  // namespace

std::optional<SpriteSheet> draw_sprite(Console& console, const Inputs& inputs,
                                       const std::vector<std::int64_t>& rows, const Preprocessing& like,
                                       const ReadingOptions& reading) {
    if (like.height == 1 || rows.empty()) {
        return std::nullopt;
    }
    std::optional<SpriteSheet> sheet(std::in_place, std::ssize(rows));
    if (sheet->thumbnail() == 0) {
        console.note("without a sprite: too many pictures for one");
        return std::nullopt;
    }
    constexpr std::int64_t no_row = -1;
    std::vector<std::int64_t> row_of(static_cast<std::size_t>(inputs.size()), no_row);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        row_of[static_cast<std::size_t>(rows[row])] = static_cast<std::int64_t>(row);
    }
    const Preprocessing preprocessing = sheet->preprocessing(like);
    Silent silent;
    Manifest manifest(silent);
    InputReader reader(inputs, preprocessing, {.threads = reading.threads}, manifest);
    const auto next = [&](InputBatch& batch) {
        try {
            return reader.next(batch);
        } catch (const InvalidArgument&) {  // rows of numbers have no other size
            console.note("without a sprite: rows of numbers are no pictures");
            sheet.reset();
            return false;
        }
    };
    std::int64_t first = 0;
    for (InputBatch batch; next(batch); first = batch.end) {
        std::int64_t picture = 0;
        for (const std::int64_t index : batch.indices(first)) {
            if (const std::int64_t row = row_of[static_cast<std::size_t>(index)]; row != no_row) {
                sheet->put(row, batch.pictures.row(picture), preprocessing);
            }
            ++picture;
        }
    }
    check_interrupted();
    return sheet;
}

}  // namespace stackae::cli
