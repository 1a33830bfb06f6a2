#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include "stackae/error.hpp"

#include "base/random.hpp"
#include "bench.hpp"

namespace stackae::bench {
namespace {

/// One picture, as often as it takes for a steady time.
std::vector<Row> latency(const Setup& setup) {
    constexpr int times = 10;
    const std::string picture = "sample_images/recognize/digit-2.png";
    const auto seconds = [&setup](const std::vector<std::string>& command) {
        double sum = 0.0;
        for (int i = 0; i < times; ++i) {
            sum += setup.runner->run(command).seconds;
        }
        return sum;
    };
    const Rounds rounds(setup.repeats, {[&] {
                                            return seconds({setup.program, "extract", "-q", picture});
                                        },
                                        [&] {
                                            return seconds({setup.reader, picture});
                                        }});
    Row row{"latency.extract", "`stackae extract` of a picture, its time over a bare OpenCV program's",
            rounds.faster(1, 0), "times"};
    row.peak_mib = setup.runner->run({setup.program, "extract", "-q", picture}).peak_mib;
    return {row};
}

/// IDX of n pictures, 28 × 28, written as they are made: blobs of light at random places.
void write_pictures(const std::string& path, std::uint32_t n) {
    std::ofstream file(path, std::ios::binary);
    const auto number = [&](std::uint32_t value) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            file.put(static_cast<char>(value >> static_cast<unsigned>(shift)));
        }
    };
    for (const std::uint32_t value : {0x803U, n, 28U, 28U}) {
        number(value);
    }
    std::vector<char> picture(784);
    for (std::uint32_t i = 0; i < n; ++i) {
        const auto bits = base::Random(0, base::RandomStream::plan, 9).block(i);
        const int y = static_cast<int>(bits[0] % 20);
        const int x = static_cast<int>(bits[1] % 20);
        const int size = 4 + static_cast<int>(bits[2] % 5);
        std::fill(picture.begin(), picture.end(), '\0');
        for (int dy = 0; dy < size && y + dy < 28; ++dy) {
            for (int dx = 0; dx < size && x + dx < 28; ++dx) {
                picture[static_cast<std::size_t>((y + dy) * 28 + x + dx)] =
                    static_cast<char>(128 + bits[3] % 127);
            }
        }
        file.write(picture.data(), static_cast<std::streamsize>(picture.size()));
    }
    file.close();
    if (!file) {
        throw Error(path + ": could not be written");
    }
}

struct Trained {
    double pictures_a_second;
    double peak_mib;
};

/// One epoch of the unrolled net; the rate by the training log.
Trained train(const Setup& setup, const std::string& pictures, double n) {
    const std::string log = setup.folder + "/log";
    std::remove(log.c_str());
    std::vector<std::string> command = {
        setup.program, "train", pictures, "-o", setup.folder + "/grown.stackae", "--log", log};
    const std::string options = fmt::format(
        "--layers 1000,500,250,30 --activations silu,silu,silu,linear --epochs 0 --fine-tune 1 --batch-size "
        "256 "
        "--threads {} --quiet",
        setup.threads);
    std::istringstream words(options);
    std::copy(std::istream_iterator<std::string>(words), {}, std::back_inserter(command));
    const Ended ended = setup.runner->run(command);
    std::ifstream file(log);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    static const std::regex seconds("\"seconds\": *([0-9.]+)");
    std::smatch found;
    if (!std::regex_search(text, found, seconds)) {
        throw Error(log + ": no seconds of an epoch found");
    }
    return {(n - std::min(10'000.0, 0.05 * n)) / std::stod(found[1]), ended.peak_mib};  // some are held out
}

std::vector<Row> growth(const Setup& setup) {
    constexpr std::uint32_t few = 60'000;
    constexpr std::uint32_t many = 1'000'000;
    const std::string small = setup.folder + "/small-images-idx3-ubyte";
    const std::string large = setup.folder + "/large-images-idx3-ubyte";
    write_pictures(small, few);
    write_pictures(large, many);
    const double before = train(setup, small, few).pictures_a_second;
    const Trained grown = train(setup, large, many);
    const double after = train(setup, small, few).pictures_a_second;
    std::remove(large.c_str());
    Row row{"growth.million", "an epoch of 1,000,000 pictures, its rate over that of 60,000",
            2.0 * grown.pictures_a_second / (before + after), "times"};
    row.peak_mib = grown.peak_mib;
    return {row};
}

}  // namespace

std::vector<Rows> process_rows() {
    return {{{"latency.extract"}, latency}, {{"growth.million"}, growth}};
}

}  // namespace stackae::bench
