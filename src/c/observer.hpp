#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "stackae/inputs.hpp"
#include "stackae/json.hpp"
#include "stackae/model.hpp"
#include "stackae/stackae.h"
#include "stackae/train.hpp"

#include "c/call.hpp"

namespace stackae::c {

/// The caller's observer, or none.
class Listener {
public:
    explicit Listener(const stackae_observer* observer) : observer_(observer) {}

    void tell(stackae_event event, const JsonObject& object) const {
        if (observer_ != nullptr && observer_->on_event != nullptr) {
            observer_->on_event(observer_->context, event, object.text().c_str());
        }
    }
    void tell_skipped(const std::string& path, std::string_view status, std::string_view reason) const {
        tell(STACKAE_EVENT_SKIPPED,
             JsonObject().set("path", path).set("status", status).set("reason", reason));
    }
    void tell_remark(const std::string& path, std::string_view text) const {
        tell(STACKAE_EVENT_REMARK, JsonObject().set("path", path).set("text", text));
    }
    /// Once it has said stop it is not asked again.
    [[nodiscard]] bool stop() {
        stopped_ = stopped_ || (observer_ != nullptr && observer_->stop != nullptr &&
                                observer_->stop(observer_->context) != 0);
        return stopped_;
    }
    [[nodiscard]] bool stopped() const { return stopped_; }

private:
    const stackae_observer* observer_;
    bool stopped_ = false;
};

/// Does the work of a call that listens: whatever ends it after the observer has said stop, the call was
/// stopped.
template <class Watched, class Work>
void watched(const Watched& listener, const Work& work) {
    try {
        work();
    } catch (...) {
        if (!listener.stopped()) {
            throw;
        }
    }
    if (listener.stopped()) {
        throw Stopped();
    }
}

/// Of pictures that are read.
class ReadingListener : public InputObserver {
public:
    explicit ReadingListener(const stackae_observer* observer) : listener_(observer) {}

    void on_read(std::int64_t done, std::int64_t of) override {
        listener_.tell(STACKAE_EVENT_PROGRESS, JsonObject().set("done", done).set("of", of));
    }
    void on_remark(const ImageEntry& entry, std::string_view text) override {
        listener_.tell_remark(entry.path, text);
    }
    void on_skipped(const ImageEntry& entry, std::string_view status, std::string_view reason) override {
        ++skipped;
        listener_.tell_skipped(entry.path, status, reason);
    }
    bool stop() override { return listener_.stop(); }
    [[nodiscard]] bool stopped() const { return listener_.stopped(); }
    void tell_part(std::string_view part, std::int64_t done, std::int64_t of) const {
        listener_.tell(STACKAE_EVENT_PROGRESS,
                       JsonObject().set("part", part).set("done", done).set("of", of));
    }

    std::int64_t skipped = 0;

private:
    Listener listener_;
};

/// Of a training. pictures: that are learnt from, or none.
class TrainingListener : public TrainObserver {
public:
    TrainingListener(const stackae_observer* observer, const ImageDataset* pictures)
        : listener_(observer), pictures_(pictures) {}

    void on_read(std::int64_t done, std::int64_t of) override {
        listener_.tell(STACKAE_EVENT_PROGRESS, JsonObject().set("done", done).set("of", of));
    }
    void on_skipped(const SkippedPicture& picture) override {
        listener_.tell_skipped(path(picture.index), name(picture.status), picture.reason);
    }
    void on_remark(const PictureRemark& remark) override {
        listener_.tell_remark(path(remark.index), remark.text);
    }
    void on_resumed(const CheckpointInfo& checkpoint) override {
        listener_.tell(STACKAE_EVENT_RESUMED,
                       JsonObject().set("stage", checkpoint.stage).set("stages", checkpoint.stages));
    }
    void on_stage(const StageInfo& stage) override {
        listener_.tell(STACKAE_EVENT_STAGE, JsonObject()
                                                .set("stage", stage.name)
                                                .set("epochs", stage.epochs)
                                                .set("parameters", stage.parameters));
    }
    void on_progress(const StageProgress& progress) override {
        listener_.tell(STACKAE_EVENT_PROGRESS, JsonObject()
                                                   .set("epoch", progress.epoch)
                                                   .set("epochs", progress.epochs)
                                                   .set("done", progress.done)
                                                   .set("of", progress.of));
    }
    void on_epoch(const StageEpoch& epoch) override { listener_.tell(STACKAE_EVENT_EPOCH, to_json(epoch)); }
    bool stop() override { return listener_.stop(); }
    [[nodiscard]] bool stopped() const { return listener_.stopped(); }

private:
    [[nodiscard]] std::string path(std::int64_t index) const {
        return pictures_ != nullptr ? pictures_->entry(index).path : std::string();
    }

    Listener listener_;
    const ImageDataset* pictures_;
};

}  // namespace stackae::c
