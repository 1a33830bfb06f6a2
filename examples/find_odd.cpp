// Tells which pictures are odd beside good ones: find_odd GOOD PICTURES...
#include <cstdio>
#include <exception>
#include <stackae/inputs.hpp>
#include <stackae/memorize.hpp>
#include <stackae/patch_memory.hpp>
#include <string>
#include <vector>

int main(int argc, char** argv) try {
    if (argc < 3) {
        std::fputs("Usage: find_odd GOOD PICTURES...\n", stderr);
        return 2;
    }
    stackae::InputObserver nobody;
    stackae::Manifest of_good(nobody);
    const stackae::PatchMemory memory =
        stackae::memorize(stackae::Inputs(std::vector<std::string>{argv[1]}), {}, of_good);
    const stackae::AnomalyThreshold threshold = stackae::anomaly_threshold(memory, 0.05);

    const stackae::Inputs pictures(std::vector<std::string>(argv + 2, argv + argc));
    stackae::Manifest manifest(nobody);
    stackae::InputReader reader(pictures, memory.preprocessing, {.batch_size = 8}, manifest);
    stackae::AnomalyScorer scorer(memory);
    for (stackae::InputBatch batch; reader.next(batch);) {
        const std::vector<stackae::AnomalyScore> scores = scorer.score(batch.pictures);
        for (std::size_t i = 0; i < scores.size(); ++i) {
            std::printf("%s: %.3f, %s\n", batch.entries[i].path.c_str(), scores[i].score,
                        scores[i].score > threshold.threshold ? "odd" : "good");
        }
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "find_odd: %s\n", error.what());
    return 1;
}
