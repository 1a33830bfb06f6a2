#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "base/random.hpp"
#include "fuzz/checksum.hpp"
#include "fuzz/targets.hpp"
#include "support/temporary_folder.hpp"
#include "train/checkpoint.hpp"

namespace stackae::fuzz {
namespace {

using training::Checkpoint;
using training::InputEvent;

/// Every kind of trainer that keeps a state, and those that stand below and above it.
std::vector<TrainConfig> all_trainings() {
    std::vector<TrainConfig> trainings;
    for (const char* stack :
         {"dense:4, dense:3",
          "conv2d:3:kernel=3:patches=1000, pool2d:grid=2, power_norm, pca:3, l2_norm, nystroem:5",
          "conv2d:3:kernel=3:patches=1000:epochs=2, pool2d:2, conv2d:2:kernel=2:patches=1000, dense:2",
          "contrast_norm, whiten:6, dense:3, ridge_decoder:6:width=6"}) {
        TrainConfig& config = trainings.emplace_back();
        config.stack = parse_stack(stack);
        config.epochs = 2;
        config.batch_size = 9;
        config.validation = 0.2;
    }
    TrainConfig& dense = trainings.front();
    dense.fine_tune_epochs = 2;
    dense.corruption = Corruption::masking;
    dense.patience = 1;
    return trainings;
}

const std::vector<TrainConfig>& trainings() {
    static const std::vector<TrainConfig> all = all_trainings();
    return all;
}

class Watcher : public TrainObserver {
public:
    void on_stage(const StageInfo& /*stage*/) override { ++stages; }
    int stages = 0;
};

Model train_with(const TrainConfig& config, const std::string& checkpoint, bool resume,
                 TrainObserver& observer) {
    constexpr std::int64_t side = 6;
    Tensor pictures({20, side, side});
    const base::Random random(1, base::RandomStream::plan);
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        pictures.data()[i] = base::Random::uniform(random.block(static_cast<std::uint32_t>(i))[0]);
    }
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = side;
    preprocessing.channels = 1;
    RunOptions run;
    run.threads = 1;
    run.checkpoint = checkpoint;
    run.checkpoint_every = resume ? 1e6 : 0.0;
    run.resume = resume;
    return train(ImageDataset::from_tensor(std::move(pictures)), preprocessing, config, run, observer);
}

/// The training that a checkpoint is of; any, where it is of none of them.
const TrainConfig& training_of(const CheckpointInfo& checkpoint) {
    const std::string found = to_text(checkpoint.model.record.config.stack);
    const auto same = std::find_if(trainings().begin(), trainings().end(),
                                   [&](const TrainConfig& config) { return to_text(config.stack) == found; });
    return same == trainings().end() ? trainings().front() : *same;
}

/// Goes on with a checkpoint to the end. What is wrong with what it says is told with its file's name; where
/// layers that are finished hold nonsense a later stage may say so, or the model not be saved.
void take_up(const TrainConfig& config, const std::string& path) {
    Watcher watcher;
    const auto check = [&](const Error& error) {
        if (watcher.stages < 2 && std::string(error.what()).find(path) == std::string::npos) {
            fmt::print(stderr, "without the file's name: {}\n", error.what());
            std::abort();
        }
    };
    try {
        save(train_with(config, path, true, watcher), "/dev/null");
    } catch (const InvalidArgument& error) {
        check(error);
    } catch (const CorruptFile& error) {
        check(error);
    }
}

void run_file(Input input) {
    const test::TemporaryFolder folder("/dev/shm");
    const std::string path = folder / "model.ckpt";
    test::write_text(path, with_right_checksum(input));
    const CheckpointInfo info = load_checkpoint_info(path);
    take_up(training_of(info), path);
}

/// Checkpoints, as files and as what is in them.
struct Collected {
    std::vector<std::string> files;
    std::vector<Checkpoint> checkpoints;
};

/// Collects a training's, the first of each kind that there is: by its stage and by what its trainer keeps.
class Collector : public TrainObserver {
public:
    Collector(std::string path, Collected& found) : path_(std::move(path)), found_(found) {}

    void on_progress(const StageProgress& /*progress*/) override {
        Checkpoint now = training::read_checkpoint(path_);
        std::string what = fmt::format("{}", now.stage);
        for (const auto& [name, tensor] : now.trainer.tensors) {
            what += " " + name;
        }
        if (seen_.insert(what).second) {
            found_.files.push_back(test::read_text(path_));
            found_.checkpoints.push_back(std::move(now));
        }
    }

private:
    std::string path_;
    Collected& found_;
    std::set<std::string> seen_;
};

const Collected& collected() {
    static const Collected all = [] {
        Collected found;
        for (const TrainConfig& config : trainings()) {
            const test::TemporaryFolder folder("/dev/shm");
            Collector collector(folder / "model.ckpt", found);
            (void)train_with(config, folder / "model.ckpt", false, collector);
        }
        return found;
    }();
    return all;
}

/// What a fuzzer's bytes say to do, one after the other; zeros after their end.
class Script {
public:
    explicit Script(Input bytes) : bytes_(bytes) {}

    [[nodiscard]] bool ended() const { return bytes_.empty(); }
    unsigned next() {
        if (bytes_.empty()) {
            return 0;
        }
        const auto value = std::to_integer<unsigned>(bytes_.front());
        bytes_ = bytes_.subspan(1);
        return value;
    }
    std::size_t below(std::size_t bound) { return bound == 0 ? 0 : next() % bound; }
    std::int64_t number() {
        constexpr auto most = std::numeric_limits<std::int64_t>::max();
        constexpr std::array<std::int64_t, 12> picked{-1,
                                                      0,
                                                      1,
                                                      2,
                                                      10,
                                                      most,
                                                      -most - 1,
                                                      most - 1,
                                                      std::int64_t{1} << 32,
                                                      std::bit_cast<std::int64_t>(1e300),
                                                      0x7FF0000000000000,   // infinity
                                                      0x7FF8000000000000};  // no number
        const unsigned which = next();
        return which < picked.size() ? picked[which] : static_cast<std::int64_t>(next());
    }
    float value() {
        constexpr float infinity = std::numeric_limits<float>::infinity();
        constexpr std::array<float, 8> picked{0.0F,     -1.0F,     std::numeric_limits<float>::quiet_NaN(),
                                              infinity, -infinity, 3.4e+38F,
                                              1e-45F,   1e10F};
        return picked[below(picked.size())];
    }

private:
    Input bytes_;
};

template <class Map>
auto entry(Map& map, Script& script) {
    return std::next(map.begin(), static_cast<std::ptrdiff_t>(script.below(map.size())));
}

void change_tensor(Tensor& tensor, Script& script) {
    switch (script.below(4)) {
        case 0:
            tensor.data()[script.below(static_cast<std::size_t>(tensor.size()))] = script.value();
            break;
        case 1:
            std::fill(tensor.values().begin(), tensor.values().end(), script.value());
            break;
        case 2: {
            std::vector<std::int64_t> shape = tensor.shape();
            shape[script.below(shape.size())] = static_cast<std::int64_t>(script.below(40)) + 1;
            tensor = Tensor(shape);
            break;
        }
        default:
            std::for_each(tensor.values().begin(), tensor.values().end(),
                          [factor = script.value()](float& value) { value *= factor; });
    }
}

InputEvent made_event(Script& script) {
    InputEvent event{static_cast<InputEvent::Kind>(script.below(4)), script.below(9), {}};
    for (std::size_t rows = script.below(20), at = script.below(4); rows > 0; --rows) {
        event.rows.push_back(static_cast<std::int64_t>(at));
        at += script.below(3);
    }
    return event;
}

void change_events(std::vector<InputEvent>& events, Script& script) {
    const auto at = events.begin() + static_cast<std::ptrdiff_t>(script.below(events.size()));
    switch (events.empty() ? 0 : script.below(4)) {
        case 0:
            events.insert(at, made_event(script));
            break;
        case 1:
            events.erase(at);
            break;
        case 2:
            *at = made_event(script);
            break;
        default:
            events.insert(at, InputEvent(*at));
    }
}

void change_layers(Checkpoint& checkpoint, const Checkpoint& other, Script& script) {
    Model& model = checkpoint.model;
    switch (script.below(4)) {
        case 0:
            model.layers = other.model.layers;
            break;
        case 1:
            model.layers = Stack();
            break;
        case 2:
            model.reconstruction.head = script.below(2) == 0 ? Stack() : other.model.layers;
            break;
        default:
            model.record.history.clear();
    }
}

void change(Checkpoint& checkpoint, Script& script) {
    layers::TrainerState& trainer = checkpoint.trainer;
    const std::vector<Checkpoint>& all = collected().checkpoints;
    const Checkpoint& other = all[script.below(all.size())];
    switch (script.below(11)) {
        case 0:
            if (!trainer.numbers.empty()) {
                entry(trainer.numbers, script)->second = script.number();
            }
            break;
        case 1:
            if (!trainer.numbers.empty()) {
                trainer.numbers.erase(entry(trainer.numbers, script));
            }
            break;
        case 2:
            if (!trainer.tensors.empty()) {
                change_tensor(entry(trainer.tensors, script)->second, script);
            }
            break;
        case 3:
            if (!trainer.tensors.empty()) {
                trainer.tensors.erase(entry(trainer.tensors, script));
            }
            break;
        case 4:
            trainer = other.trainer;
            break;
        case 5:
            trainer.tensors = other.trainer.tensors;
            break;
        case 6:
            change_events(checkpoint.inputs, script);
            break;
        case 7:
            checkpoint.stage = script.number();
            break;
        case 8:
            checkpoint.finished_epochs = script.number();
            break;
        case 9:
            change_layers(checkpoint, other, script);
            break;
        default:
            checkpoint.patch_bytes = script.number();
    }
}

/// Of a whole checkpoint something else is made, as the bytes say, and then it is taken up.
void run_state(Input input) {
    Script script(input);
    const std::vector<Checkpoint>& all = collected().checkpoints;
    Checkpoint checkpoint = all[script.below(all.size())];
    while (!script.ended()) {
        change(checkpoint, script);
    }
    const test::TemporaryFolder folder("/dev/shm");
    const std::string path = folder / "model.ckpt";
    training::write_checkpoint(checkpoint, path);
    take_up(training_of(checkpoint), path);
}

std::vector<std::string> state_seeds() {
    std::vector<std::string> seeds;
    for (std::size_t i = 0; i < collected().checkpoints.size(); ++i) {
        seeds.emplace_back(1, static_cast<char>(i));
    }
    return seeds;
}

}  // namespace

std::vector<Target> checkpoints() {
    return {{"checkpoint", run_file, [] { return collected().files; }}, {"resume", run_state, state_seeds}};
}

}  // namespace stackae::fuzz
