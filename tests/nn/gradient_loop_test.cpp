#include "nn/gradient_loop.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "base/parallel.hpp"
#include "support/catch.hpp"
#include "support/members.hpp"
#include "support/reference.hpp"

using namespace stackae;

namespace {

constexpr std::int64_t inputs = 12;

class TensorRows final : public base::RowSource {
public:
    explicit TensorRows(Tensor rows) : rows_(std::move(rows)) {}
    [[nodiscard]] std::int64_t columns() const override { return rows_.columns(); }
    void gather(std::span<const std::int64_t> indices, float* dst) const override {
        for (const std::int64_t index : indices) {
            const auto row = rows_.row(index);
            dst = std::copy(row.begin(), row.end(), dst);
        }
    }

private:
    Tensor rows_;
};

nn::GradientLoopConfig config_of(OptimizerKind optimizer) {
    nn::GradientLoopConfig config;
    config.name = "test";
    config.seed = 7;
    config.stream = 2;
    config.epochs = 3;
    config.batch_size = 15;
    config.optimizer.kind = optimizer;
    config.optimizer.learning_rate = 0.02;
    config.loss = LossKind::cross_entropy;
    config.sparsity = {0, 0.2, 0.1, 0.0};
    config.corrupt = [](std::span<const std::int64_t> rows, std::uint32_t epoch, std::span<float> values) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto hit = (static_cast<std::size_t>(rows[i]) + epoch) % inputs;
            values[i * inputs + hit] = 0.0F;
        }
    };
    return config;
}

std::vector<std::int64_t> range(std::int64_t first, std::size_t count) {
    std::vector<std::int64_t> rows(count);
    std::iota(rows.begin(), rows.end(), first);
    return rows;
}

/// A loop over 31 rows, so that batches are of 15, 15 and 1, with 9 rows held out.
struct Run {
    TensorRows source{reference::uniform({40, inputs}, 0.0F, 1.0F, 5)};
    std::vector<std::int64_t> train = range(0, 31);
    std::vector<std::int64_t> validation = range(31, 9);
    linalg::Context context{1};
    nn::Parameters parameters{{{inputs, 6, Activation::sigmoid, -1}, {6, inputs, Activation::sigmoid, -1}}};
    nn::GradientLoop loop;
    std::vector<nn::EpochMetrics> history;

    Run(const nn::GradientLoopConfig& config, base::Communicator& communicator)
        : loop(context, parameters, {source, train, validation}, config, communicator) {
        parameters.initialize(0, 3, 0);
        parameters.initialize(1, 3, 0);
    }

    void finish() {
        for (bool more = true; more;) {
            const bool learning = loop.learns_next();
            more = loop.step();
            if (!learning && loop.metrics().epoch > 0) {
                history.push_back(loop.metrics());
            }
        }
        loop.use_best();
    }
};

std::vector<float> values_of(const Run& run) {
    const auto values = run.parameters.values().values();
    return {values.begin(), values.end()};
}

/// What a checkpoint would keep.
struct Saved {
    std::map<std::string, std::int64_t> counts;
    std::map<std::string, double> numbers;
    std::map<std::string, Tensor> tensors;

    void operator()(const char* key, std::int64_t& value) { counts[key] = value; }
    void operator()(const char* key, double& value) { numbers[key] = value; }
    void operator()(const char* key, Tensor& value) { tensors[key] = value; }
};

struct Restored {
    Saved saved;
    void operator()(const char* key, std::int64_t& value) const { value = saved.counts.at(key); }
    void operator()(const char* key, double& value) const { value = saved.numbers.at(key); }
    void operator()(const char* key, Tensor& value) const { value = saved.tensors.at(key); }
};

}  // namespace

TEST_CASE("Two members that share batches end with the same weights, and one member's up to rounding") {
    const nn::GradientLoopConfig config = config_of(OptimizerKind::adam);
    base::OneMember one;
    Run alone(config, one);
    alone.finish();
    std::vector<std::vector<float>> values(2);
    std::vector<std::vector<nn::EpochMetrics>> histories(2);
    test::Members(2).run([&](base::Communicator& member) {
        const base::ThreadScope scope(1);
        Run part(config, member);
        part.finish();
        const auto rank = static_cast<std::size_t>(member.rank());
        values[rank] = values_of(part);
        histories[rank] = part.history;
    });
    CHECK(values[0] == values[1]);
    const std::vector<float> expected = values_of(alone);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        REQUIRE(values[0][i] == Approx(expected[i]).margin(1e-4));
    }
    REQUIRE(alone.history.size() == 3);
    for (std::size_t epoch = 0; epoch < 3; ++epoch) {
        CHECK(histories[0][epoch].train_loss == histories[1][epoch].train_loss);
        CHECK(histories[0][epoch].train_loss == Approx(alone.history[epoch].train_loss).epsilon(1e-5));
        CHECK(histories[0][epoch].validation_loss ==
              Approx(alone.history[epoch].validation_loss).epsilon(1e-5));
    }
}

TEST_CASE("A loop goes on, bit for bit, where another was stopped") {
    const nn::GradientLoopConfig config = config_of(GENERATE(OptimizerKind::sgd, OptimizerKind::adam));
    base::OneMember one;
    Run whole(config, one);
    whole.finish();
    const int steps = GENERATE(0, 1, 3, 4, 5, 11, 13);  // 1 + 3 · (3 batches and a measurement) in all
    Run stopped(config, one);
    for (int i = 0; i < steps; ++i) {
        stopped.loop.step();
    }
    Saved saved;
    stopped.loop.state().visit(saved);
    Run resumed(config, one);
    resumed.parameters.values() = stopped.parameters.values();
    resumed.loop.state().visit(Restored{saved});
    CHECK(resumed.loop.progress().done == stopped.loop.progress().done);
    resumed.finish();
    CHECK(values_of(resumed) == values_of(whole));
    if (steps < 13) {
        CHECK(resumed.history.back().train_loss == whole.history.back().train_loss);
        CHECK(resumed.history.back().validation_loss == whole.history.back().validation_loss);
    }
}

TEST_CASE("A loop tells how far it is, batch by batch") {
    base::OneMember one;
    Run run(config_of(OptimizerKind::adam), one);
    std::vector<std::int64_t> done;
    for (bool more = true; more;) {
        const bool learning = run.loop.learns_next();
        more = run.loop.step();
        if (learning) {
            const nn::GradientLoop::Progress progress = run.loop.progress();
            CHECK(progress.epoch == 1 + std::ssize(done) / 3);
            CHECK(progress.epochs == 3);
            CHECK(progress.rows == 31);
            done.push_back(progress.done);
        }
    }
    CHECK(done == std::vector<std::int64_t>{15, 30, 31, 15, 30, 31, 15, 30, 31});
    CHECK(run.loop.metrics().epoch == 3);
    CHECK_FALSE(run.loop.step());
}

TEST_CASE("A loop ends when its patience does, with the best weights") {
    nn::GradientLoopConfig config = config_of(OptimizerKind::adam);
    config.epochs = 50;
    config.patience = 2;
    config.optimizer.learning_rate = 0.3;
    config.schedule.kind = ScheduleKind::constant;
    base::OneMember one;
    Run run(config, one);
    run.finish();
    const auto best =
        std::min_element(run.history.begin(), run.history.end(),
                         [](const auto& a, const auto& b) { return a.validation_loss < b.validation_loss; });
    REQUIRE(std::ssize(run.history) < 50);
    CHECK(run.history.end() - best == 3);
    CHECK(std::equal(run.parameters.values().values().begin(), run.parameters.values().values().end(),
                     run.loop.state().best.values().begin()));
    CHECK(run.loop.state().best_loss == best->validation_loss);
}
