#include <fstream>
#include <string>

#include "stackae/train.hpp"

#include "golden/tiny_run.hpp"
#include "support/catch.hpp"

using namespace stackae;

namespace {

golden::Vector kept_trace() {
    std::ifstream file(STACKAE_GOLDEN_TRACE);
    std::string line;
    std::getline(file, line);
    golden::Vector trace;
    while (std::getline(file, line)) {
        trace.push_back(std::stod(line));
    }
    return trace;
}

}  // namespace

TEST_CASE("A tiny run follows its golden trace, epoch by epoch") {
    const golden::Vector expected = kept_trace();
    REQUIRE(expected.size() == 12);
    TrainObserver observer;
    RunOptions run;
    run.threads = GENERATE(1, 2);
    const Model model = train(ImageDataset::from_tensor(golden::pictures()), golden::preprocessing(),
                              golden::config(), run, observer);
    const auto& history = model.record.history;
    REQUIRE(history.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        INFO("epoch " << i);
        REQUIRE(history[i].train_loss.value() == Approx(expected[i]).epsilon(2e-5));
    }
}

TEST_CASE("The golden trace is what the naive trainer gives") {
    const golden::Vector expected = kept_trace();
    const golden::Vector trace = golden::naive_trace();
    REQUIRE(trace.size() == expected.size());
    for (std::size_t i = 0; i < trace.size(); ++i) {
        REQUIRE(trace[i] == Approx(expected[i]).epsilon(1e-7));
    }
}
