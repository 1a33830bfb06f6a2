#include "train/read_pictures.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "stackae/error.hpp"

#include "base/hash.hpp"
#include "base/memory.hpp"

namespace stackae::training {

PicturesRead read_pictures(const ImageDataset& pictures, const Preprocessing& preprocessing,
                           const RunOptions& run, Stores& stores, LabelsSeen& labels,
                           TrainObserver& observer) {
    PicturesRead out{stores.make(pictures.size(), preprocessing.size()), false, {}};
    PictureReader reader(
        pictures, preprocessing,
        {.threads = static_cast<int>(run.threads), .memory = base::reading_memory(run.memory_limit)});
    PictureBatch batch;
    std::vector<float> first;
    bool alike = true;
    base::Hash values;
    std::int64_t rows = 0;
    std::int64_t seen = 0;
    while (!observer.stop() && reader.next(batch)) {
        out.samples.put(rows, batch.pictures.values());
        values.add(std::span<const float>(batch.pictures.values()));
        for (std::int64_t i = 0; alike && i < batch.pictures.rows(); ++i) {
            const auto row = batch.pictures.row(i);
            if (first.empty()) {
                first.assign(row.begin(), row.end());
            }
            alike = std::equal(first.begin(), first.end(), row.begin());
        }
        rows += batch.pictures.rows();
        seen += batch.pictures.rows() + std::ssize(batch.skipped);
        for (const std::int64_t index : batch.indices) {
            labels.add(pictures.entry(index));
        }
        for (const SkippedPicture& skipped : batch.skipped) {
            observer.on_skipped(skipped);
        }
        for (const PictureRemark& remark : batch.remarks) {
            observer.on_remark(remark);
        }
        observer.on_read(seen, pictures.size());
    }
    out.stopped = observer.stop();
    if (out.stopped) {
        return out;
    }
    if (rows == 0) {
        throw InvalidArgument(
            fmt::format("{}: no picture could be read, at least 1 expected", pictures.path()));
    }
    if (alike) {
        observer.on_alike(rows);
    }
    out.samples.truncate(rows);
    out.values = values.hex();
    return out;
}

}  // namespace stackae::training
