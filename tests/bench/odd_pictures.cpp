// How well odd pictures are told, beside a memory of raw patches and beside the error of reconstruction:
// odd_pictures GOOD TEST_GOOD TEST_ODD [SPLITS]
//
// Prints areas under the ROC: of `score` with its defaults, of the reconstruction error that stands beside
// it, and of a memory of 10,000 raw patches (16 x 16 pixels, every 8; a picture's score is its largest
// distance to the nearest one). With SPLITS, GOOD and TEST_GOOD are put together and parted anew so many
// times, to learn from as many pictures as GOOD has and to try on the others, and it prints in how many the
// share of false alarms is within what the threshold promised.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <numeric>
#include <string>
#include <vector>

#include "stackae/evaluate_anomalies.hpp"
#include "stackae/inputs.hpp"
#include "stackae/memorize.hpp"
#include "stackae/neighbours.hpp"
#include "stackae/patch_memory.hpp"

#include "base/random.hpp"

using namespace stackae;

namespace {

constexpr std::int64_t patch = 16;
constexpr std::int64_t step = 8;
constexpr std::int64_t kept = 10'000;

std::vector<Tensor> patches(const ImageDataset& pictures, const Preprocessing& preprocessing) {
    const std::int64_t c = preprocessing.channels;
    std::vector<Tensor> out;
    PictureReader reader(pictures, preprocessing);
    for (PictureBatch batch; reader.next(batch);) {
        for (std::int64_t i = 0; i < batch.pictures.rows(); ++i) {
            const float* picture = batch.pictures.row(i).data();
            const std::int64_t down = (preprocessing.height - patch) / step + 1;
            const std::int64_t across = (preprocessing.width - patch) / step + 1;
            Tensor rows({down * across, patch * patch * c});
            for (std::int64_t p = 0; p < rows.rows(); ++p) {
                for (std::int64_t y = 0; y < patch; ++y) {
                    const float* from =
                        picture + ((p / across * step + y) * preprocessing.width + p % across * step) * c;
                    std::copy_n(from, patch * c, rows.row(p).data() + y * patch * c);
                }
            }
            out.push_back(std::move(rows));
        }
    }
    return out;
}

std::vector<double> raw_scores(NeighbourIndex& memory, const std::vector<Tensor>& pictures) {
    std::vector<double> scores;
    for (const Tensor& picture : pictures) {
        const Neighbours nearest = memory.search(picture, 1);
        scores.push_back(double{*std::max_element(nearest.distances.begin(), nearest.distances.end())});
    }
    return scores;
}

double area(const std::vector<double>& good, const std::vector<double>& odd) {
    double wins = 0.0;
    for (const double o : odd) {
        for (const double g : good) {
            wins += o > g ? 1.0 : o == g ? 0.5 : 0.0;
        }
    }
    return wins / static_cast<double>(good.size() * odd.size());
}

double raw_area(const ImageDataset& good, const ImageDataset& test_good, const ImageDataset& test_odd,
                const Preprocessing& preprocessing) {
    const std::vector<Tensor> learnt = patches(good, preprocessing);
    std::vector<std::pair<std::size_t, std::int64_t>> all;
    for (std::size_t i = 0; i < learnt.size(); ++i) {
        for (std::int64_t p = 0; p < learnt[i].rows(); ++p) {
            all.emplace_back(i, p);
        }
    }
    base::shuffle(all, base::Random(0, base::RandomStream::patches));
    all.resize(std::min(all.size(), static_cast<std::size_t>(kept)));
    Tensor codes({static_cast<std::int64_t>(all.size()), learnt.front().columns()});
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto row = learnt[all[i].first].row(all[i].second);
        std::copy(row.begin(), row.end(), codes.row(static_cast<std::int64_t>(i)).begin());
    }
    NeighbourIndex memory(codes, Metric::l2);
    return area(raw_scores(memory, patches(test_good, preprocessing)),
                raw_scores(memory, patches(test_odd, preprocessing)));
}

PatchMemory learn(ImageDataset good) {
    InputObserver nobody;
    Manifest manifest(nobody);
    return memorize(Inputs(std::move(good)), {}, manifest);
}

void try_splits(const std::string& good, const std::string& test_good, int splits) {
    const Inputs all({good, test_good});
    const std::int64_t learnt_from = Inputs({good}).size();
    std::vector<ImageEntry> entries;
    for (std::int64_t i = 0; i < all.size(); ++i) {
        entries.push_back(all.entry(i));
    }
    int held = 0;
    for (int split = 0; split < splits; ++split) {
        base::shuffle(entries, base::Random(static_cast<std::uint64_t>(split), base::RandomStream::splits));
        const auto middle = entries.begin() + learnt_from;
        const PatchMemory memory = learn(ImageDataset::from_entries("good", {entries.begin(), middle}));
        const AnomalyThreshold threshold = anomaly_threshold(memory, 0.01);
        const ImageDataset rest = ImageDataset::from_entries("rest", {middle, entries.end()});
        AnomalyScorer scorer(memory);
        PictureReader reader(rest, memory.preprocessing);
        std::int64_t alarms = 0;
        std::int64_t pictures = 0;
        for (PictureBatch batch; reader.next(batch);) {
            for (const AnomalyScore& score : scorer.score(batch.pictures)) {
                alarms += score.score > threshold.threshold ? 1 : 0;
                ++pictures;
            }
        }
        const double share = static_cast<double>(alarms) / static_cast<double>(pictures);
        held += share <= threshold.promised ? 1 : 0;
        std::printf("split %d: %.4f promised, %.4f of %lld found\n", split, threshold.promised, share,
                    static_cast<long long>(pictures));
        std::fflush(stdout);
    }
    std::printf("the promise held in %d of %d splits\n", held, splits);
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 4 && argc != 5) {
        std::fputs("Usage: odd_pictures GOOD TEST_GOOD TEST_ODD [SPLITS]\n", stderr);
        return 2;
    }
    if (argc == 5) {
        try_splits(argv[1], argv[2], std::atoi(argv[4]));
        return 0;
    }
    const ImageDataset test_good = ImageDataset::open(argv[2]);
    const ImageDataset test_odd = ImageDataset::open(argv[3]);
    const auto begun = std::chrono::steady_clock::now();
    const PatchMemory memory = learn(ImageDataset::open(argv[1]));
    const std::chrono::duration<double> learning = std::chrono::steady_clock::now() - begun;
    const AnomalyEvaluation result = evaluate_anomalies(memory, test_good, test_odd);
    const double raw = raw_area(ImageDataset::open(argv[1]), test_good, test_odd, memory.preprocessing);
    std::printf(
        "score %.4f, reconstruction %.4f, raw patches %.4f; %lld good and %lld odd, learnt from %lld in %.0f "
        "s\n",
        result.auroc, result.reconstruction_auroc, raw, static_cast<long long>(result.good),
        static_cast<long long>(result.odd), static_cast<long long>(memory.pictures), learning.count());
    std::printf("by %s\n", to_text(memory.rule).c_str());
    // The time of a picture, in batches as `score` has them, reading apart.
    AnomalyScorer scorer(memory);
    PictureReader reader(test_good, memory.preprocessing, {.batch_size = 8});
    PictureBatch batch;
    reader.next(batch);
    static_cast<void>(scorer.score(batch.pictures));
    constexpr int rounds = 10;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) {
        static_cast<void>(scorer.score(batch.pictures));
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    std::printf("%.0f ms a picture of %d x %d pixels, memory of %lld codes\n",
                1000.0 * taken.count() / static_cast<double>(rounds * batch.pictures.rows()),
                memory.preprocessing.width, memory.preprocessing.height,
                static_cast<long long>(memory.codes.rows()));
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "odd_pictures: %s\n", error.what());
    return 1;
}
