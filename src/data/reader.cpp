#include <algorithm>
#include <condition_variable>
#include <exception>
#include <fmt/format.h>
#include <mutex>
#include <new>
#include <thread>

#include "stackae/error.hpp"

#include "base/threads.hpp"
#include "data/image/preprocess.hpp"
#include "data/read.hpp"

namespace stackae {

namespace {

/// Preprocessing of height 1 was made from rows of numbers; a picture brought to it would be a smear.
void check_geometry(const Preprocessing& preprocessing, const data::Picture& picture) {
    const cv::Size size = picture.size();
    if (preprocessing.height == 1 && preprocessing.width > 1 && size.height != 1) {
        data::unsupported(fmt::format("picture of {} × {} pixels found; a row of {} × 1 expected", size.width,
                                      size.height, preprocessing.width));
    }
}

}  // namespace

void data::check_rows(const ImageDataset::Source& source, const Preprocessing& preprocessing) {
    const std::int64_t length = source.row_length();
    if (length > 0 && length != preprocessing.size()) {
        throw InvalidArgument(fmt::format("{}: rows of {} values found, {} ({} × {} × {}) expected",
                                          source.path(), length, preprocessing.size(), preprocessing.height,
                                          preprocessing.width, preprocessing.channels));
    }
}

data::ReadOutcome data::read_picture(const ImageDataset::Source& source, std::int64_t i,
                                     const Preprocessing& preprocessing, std::span<float> out) {
    try {
        std::string remark;
        with_picture(source, i, &preprocessing, [&](const Picture& picture) {
            check_geometry(preprocessing, picture);
            preprocess(preprocessing, picture, out);
            remark = picture.remark;
        });
        return {std::nullopt, remark};
    } catch (const BadPicture& bad) {
        return {SkippedPicture{i, bad.status(), bad.what()}, ""};
    } catch (const std::bad_alloc&) {
        return {SkippedPicture{i, PictureStatus::out_of_memory,
                               "more memory needed to read it than the system gives"},
                ""};
    } catch (const cv::Exception& error) {
        const bool short_of_memory = error.code == cv::Error::StsNoMem;  // its text says how much was needed
        return {SkippedPicture{i, short_of_memory ? PictureStatus::out_of_memory : PictureStatus::corrupt,
                               fmt::format("OpenCV: {}", error.err)},
                ""};
    }
}

/// A ring of slots, one a batch. Workers take the next few entries of the foremost batch that is not
/// wholly given out; the caller takes batches out in order.
struct PictureReader::State {
    struct Slot {
        Tensor pictures;
        std::vector<SkippedPicture> skipped;
        std::vector<PictureRemark> remarks;
        std::int64_t left = 0;  ///< entries not yet read
    };
    struct Task {
        Slot* slot;
        std::int64_t first;  ///< entry
        std::int64_t count;
        std::int64_t row;  ///< of the first entry, in the slot
    };

    State(const ImageDataset& pictures, const Preprocessing& preprocessing_, const ReadOptions& options)
        : source(pictures.source()),
          preprocessing(preprocessing_),
          entries(pictures.size()),
          slots(
              static_cast<std::size_t>(std::clamp<std::int64_t>(fitting(options), 1, options.batches_ahead))),
          batch_size(std::max<std::int64_t>(
              1, std::min({options.batch_size, entries, fitting(options) / std::ssize(slots)}))) {}

    /// Prepared pictures that fit the memory.
    [[nodiscard]] std::int64_t fitting(const ReadOptions& options) const {
        return options.memory / (preprocessing.size() * static_cast<std::int64_t>(sizeof(float)));
    }
    void start(int threads);
    void work();
    bool take(Task& task);
    void read(const Task& task);
    [[nodiscard]] std::int64_t begin_of(std::int64_t batch) const {
        return std::min(entries, batch * batch_size);
    }
    Slot& slot_of(std::int64_t batch) { return slots[static_cast<std::size_t>(batch) % slots.size()]; }
    void prepare(Slot& slot, std::int64_t count) const;
    void deliver(Slot& slot, std::int64_t first, PictureBatch& batch) const;

    const ImageDataset::Source& source;
    const Preprocessing preprocessing;
    const std::int64_t entries;
    std::vector<Slot> slots;
    const std::int64_t batch_size;
    std::int64_t task_size = 1;

    std::mutex mutex;
    std::condition_variable room;   ///< a slot became free, or stop
    std::condition_variable ready;  ///< a batch became whole, or a worker failed
    std::int64_t taken = 0;         ///< entries given to workers
    std::int64_t delivered = 0;     ///< batches given to the caller
    bool stop = false;
    std::exception_ptr failure;
    std::vector<std::jthread> threads;  ///< the last member, and so joined before the others go
};

void PictureReader::State::prepare(Slot& slot, std::int64_t count) const {
    if (slot.pictures.rows() != count || slot.pictures.columns() != preprocessing.size()) {
        slot.pictures = Tensor({count, preprocessing.size()});
    }
    slot.skipped.clear();
    slot.remarks.clear();
    slot.left = count;
}

bool PictureReader::State::take(Task& task) {
    std::unique_lock lock(mutex);
    const auto free = [&] {
        return taken / batch_size - delivered < static_cast<std::int64_t>(slots.size());
    };
    room.wait(lock, [&] { return stop || failure || taken == entries || free(); });
    if (stop || failure || taken == entries) {
        return false;
    }
    const std::int64_t batch = taken / batch_size;
    const std::int64_t begin = begin_of(batch);
    const std::int64_t end = begin_of(batch + 1);
    Slot& slot = slot_of(batch);
    if (taken == begin) {
        prepare(slot, end - begin);
    }
    task = {&slot, taken, std::min(task_size, end - taken), taken - begin};
    taken += task.count;
    return true;
}

void PictureReader::State::read(const Task& task) {
    std::vector<SkippedPicture> skipped;
    std::vector<PictureRemark> remarks;
    for (std::int64_t i = 0; i < task.count; ++i) {
        data::ReadOutcome outcome =
            data::read_picture(source, task.first + i, preprocessing, task.slot->pictures.row(task.row + i));
        if (outcome.skipped) {
            skipped.push_back(std::move(*outcome.skipped));
        } else if (!outcome.remark.empty()) {
            remarks.push_back({task.first + i, std::move(outcome.remark)});
        }
    }
    const std::lock_guard lock(mutex);
    std::move(skipped.begin(), skipped.end(), std::back_inserter(task.slot->skipped));
    std::move(remarks.begin(), remarks.end(), std::back_inserter(task.slot->remarks));
    task.slot->left -= task.count;
    if (task.slot->left == 0) {
        ready.notify_one();
    }
}

void PictureReader::State::work() {
    try {
        for (Task task{}; take(task);) {
            read(task);
        }
    } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
        ready.notify_one();
        room.notify_all();
    }
}

void PictureReader::State::start(int count) {
    task_size = std::clamp<std::int64_t>(batch_size / (std::int64_t{count} * 4), 1, 64);
    const std::int64_t tasks = (entries + task_size - 1) / task_size;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(count, tasks); ++i) {
        try {
            threads.emplace_back([this] { work(); });
        } catch (const std::exception& error) {
            if (threads.empty()) {
                throw BackendError(fmt::format("reading pictures: cannot start a thread: {}", error.what()));
            }
            return;  // fewer will do
        }
    }
}

/// Hands a whole batch over; rows of bad pictures are closed up.
void PictureReader::State::deliver(Slot& slot, std::int64_t first, PictureBatch& batch) const {
    const auto earlier = [](const auto& a, const auto& b) { return a.index < b.index; };
    std::sort(slot.skipped.begin(), slot.skipped.end(), earlier);
    std::sort(slot.remarks.begin(), slot.remarks.end(), earlier);
    const std::int64_t count = slot.pictures.rows();
    batch.indices.clear();
    auto bad = slot.skipped.begin();
    for (std::int64_t i = 0; i < count; ++i) {
        if (bad != slot.skipped.end() && bad->index == first + i) {
            ++bad;
        } else {
            batch.indices.push_back(first + i);
        }
    }
    if (slot.skipped.empty()) {
        std::swap(batch.pictures, slot.pictures);  // the caller's old batch is filled next
    } else {
        Tensor rows({static_cast<std::int64_t>(batch.indices.size()), preprocessing.size()});
        for (std::size_t i = 0; i < batch.indices.size(); ++i) {
            const auto from = slot.pictures.row(batch.indices[i] - first);
            std::copy(from.begin(), from.end(), rows.row(static_cast<std::int64_t>(i)).begin());
        }
        batch.pictures = std::move(rows);
    }
    std::swap(batch.skipped, slot.skipped);
    std::swap(batch.remarks, slot.remarks);
}

PictureReader::PictureReader(const ImageDataset& pictures, const Preprocessing& preprocessing,
                             const ReadOptions& options) {
    validate(preprocessing);
    if (options.batch_size < 1 || options.batches_ahead < 1 || options.memory < 1) {
        throw InvalidArgument(fmt::format(
            "reading pictures: batches of {}, {} ahead, in {} bytes found; 1 or more of each expected",
            options.batch_size, options.batches_ahead, options.memory));
    }
    data::check_rows(pictures.source(), preprocessing);
    const int threads = base::resolve_threads(options.threads);
    state_ = std::make_unique<State>(pictures, preprocessing, options);
    if (state_->entries > 1) {  // one picture is read by the caller: no thread is worth its start
        state_->start(threads);
    }
}

PictureReader::~PictureReader() {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
    state_->room.notify_all();
}

bool PictureReader::next(PictureBatch& batch) {
    State& state = *state_;
    const std::int64_t first = state.begin_of(state.delivered);
    if (first == state.entries) {
        return false;
    }
    if (state.threads.empty()) {
        for (State::Task task{}; state.taken < state.begin_of(state.delivered + 1) && state.take(task);) {
            state.read(task);
        }
    }
    std::unique_lock lock(state.mutex);
    State::Slot& slot = state.slot_of(state.delivered);
    state.ready.wait(lock, [&] { return state.failure || (state.taken > first && slot.left == 0); });
    if (state.failure) {
        std::rethrow_exception(state.failure);
    }
    state.deliver(slot, first, batch);
    ++state.delivered;
    state.room.notify_all();
    return true;
}

}  // namespace stackae
