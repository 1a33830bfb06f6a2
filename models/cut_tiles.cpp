// Cuts the tiles that models/photos.stackae learns from: squares of 32 × 32 pixels out of photographs that
// are read at several sizes, so that a tile shows a whole object here and its edges and textures there.
// Nothing is random: the same photographs give the same bytes.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/output_files.hpp"

namespace {

using stackae::ImageDataset;
using stackae::Preprocessing;

constexpr int side = 32;  // of a tile, in pixels
/// Shorter sides that a photograph is read at, about a factor of √2 apart.
constexpr std::array<int, 7> sizes{40, 56, 80, 112, 160, 224, 320};
constexpr int most_along_shorter = 7;  // tiles of one size, evenly spaced
constexpr int most_along_longer = 10;
constexpr int least_step = 4;  // between neighbouring tiles, in pixels
constexpr double least_deviation =
    0.04;  // of a tile's values from the mean of their channel; below, it is flat

using Tile = std::array<std::uint8_t, std::size_t{side} * side * 3>;

/// Where tiles begin along a side: evenly from edge to edge.
std::vector<int> places(int length, int most) {
    const int count = std::clamp((length - side) / least_step + 1, 1, most);
    std::vector<int> found;
    for (int i = 0; i < count; ++i) {
        found.push_back(count == 1 ? (length - side) / 2 : (length - side) * i / (count - 1));
    }
    return found;
}

/// The tile at (x, y) of h × w × 3 values in [0, 1].
Tile cut(std::span<const float> pixels, int width, int x, int y) {
    Tile tile{};
    auto* value = tile.data();
    for (int row = y; row < y + side; ++row) {
        const auto begin = static_cast<std::size_t>((row * width + x) * 3);
        for (const float v : pixels.subspan(begin, std::size_t{side} * 3)) {
            *value++ = static_cast<std::uint8_t>(std::lround(255.0F * v));
        }
    }
    return tile;
}

/// Root mean square of the values' deviations from their channel's mean, as a share of 255.
double deviation(const Tile& tile) {
    constexpr double values_a_channel = double{side} * side;
    double squares = 0.0;
    for (std::size_t channel = 0; channel < 3; ++channel) {
        double sum = 0.0;
        double sum_of_squares = 0.0;
        for (std::size_t i = channel; i < tile.size(); i += 3) {
            const int value = tile[i];
            sum += value;
            sum_of_squares += value * value;
        }
        squares += sum_of_squares - sum * sum / values_a_channel;
    }
    return std::sqrt(std::max(0.0, squares) / (3.0 * values_a_channel)) / 255.0;
}

/// Appends the tiles of a photograph; those that are flat are counted alone.
void cut_photograph(const std::string& path, std::vector<Tile>& tiles, std::int64_t& flat) {
    const ImageDataset picture = ImageDataset::open(path);
    // Of one picture that is its own height and width, scaled down together.
    stackae::PreprocessingOptions colour;
    colour.channels = 3;
    Preprocessing reading = stackae::choose_preprocessing(picture, colour);
    reading.resize = stackae::ResizeMode::squash;
    const double scale = 1.0 / std::min(reading.height, reading.width);
    const double height = reading.height * scale;
    const double width = reading.width * scale;
    for (const int size : sizes) {
        reading.height = static_cast<int>(std::lround(size * height));
        reading.width = static_cast<int>(std::lround(size * width));
        stackae::PictureReader reader(picture, reading);
        stackae::PictureBatch batch;
        if (!reader.next(batch) || batch.pictures.rows() != 1) {
            throw std::runtime_error(path + ": one picture expected, none can be read");
        }
        const bool upright = reading.height > reading.width;
        for (const int y : places(reading.height, upright ? most_along_longer : most_along_shorter)) {
            for (const int x : places(reading.width, upright ? most_along_shorter : most_along_longer)) {
                const Tile tile = cut(batch.pictures.row(0), reading.width, x, y);
                if (deviation(tile) < least_deviation) {
                    ++flat;
                } else {
                    tiles.push_back(tile);
                }
            }
        }
    }
}

/// As n × 32 × 32 × 3 bytes in NumPy's format, version 1.0.
void write_npy(const std::string& path, const std::vector<Tile>& tiles) {
    constexpr std::size_t header_size = 128;
    std::string header = "\x93NUMPY";
    header += {'\x01', '\x00', static_cast<char>(header_size - 10), '\x00'};
    header += "{'descr': '|u1', 'fortran_order': False, 'shape': (" + std::to_string(tiles.size()) + ", " +
              std::to_string(side) + ", " + std::to_string(side) + ", 3), }";
    header.resize(header_size - 1, ' ');
    header += '\n';
    stackae::OutputFiles files;
    stackae::OutputFile file = files.add(path);
    file.write(header);
    for (const Tile& tile : tiles) {
        file.write(std::string(tile.begin(), tile.end()));
    }
    files.commit();
}

/// Of a list of paths, one a line; empty lines and those with # in front say nothing.
void cut_list(const std::string& list, const std::string& output) {
    std::ifstream lines(list);
    if (!lines) {
        throw std::runtime_error(list + ": cannot be read");
    }
    std::vector<Tile> tiles;
    std::int64_t flat = 0;
    int photographs = 0;
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty() && line.front() != '#') {
            cut_photograph(line, tiles, flat);
            ++photographs;
        }
    }
    write_npy(output, tiles);
    std::printf("%d photographs: %zu tiles, and %lld flat ones left out\n", photographs, tiles.size(),
                static_cast<long long>(flat));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("Usage: cut_tiles LIST TILES.npy\n", stderr);
        return 2;
    }
    try {
        cut_list(argv[1], argv[2]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cut_tiles: %s\n", error.what());
        return 1;
    }
    return 0;
}
