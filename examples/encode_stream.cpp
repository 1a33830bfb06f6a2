// Encodes frames as they come, of 8 bits gray, row by row and without a header, and prints a line of numbers
// for each: some_camera | encode_stream MODEL HEIGHT WIDTH
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stackae/image_dataset.hpp>
#include <stackae/model.hpp>
#include <vector>

namespace {

/// The next frames that standard input has, at most so many: n × height × width in [0, 1].
stackae::Tensor read_frames(std::int64_t most, std::int64_t height, std::int64_t width) {
    const auto frame = static_cast<std::size_t>(height * width);
    std::vector<unsigned char> bytes(static_cast<std::size_t>(most) * frame);
    const std::size_t whole = std::fread(bytes.data(), 1, bytes.size(), stdin) / frame;
    stackae::Tensor frames({static_cast<std::int64_t>(whole), height, width});
    std::transform(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(whole * frame), frames.data(),
                   [](unsigned char value) { return static_cast<float>(value) / 255.0F; });
    return frames;
}

}  // namespace

int main(int argc, char** argv) try {
    const std::int64_t height = argc == 4 ? std::atoi(argv[2]) : 0;
    const std::int64_t width = argc == 4 ? std::atoi(argv[3]) : 0;
    if (height < 1 || width < 1) {
        std::fputs("Usage: encode_stream MODEL HEIGHT WIDTH <FRAMES\n", stderr);
        return 2;
    }
    constexpr std::int64_t frames_a_time = 64;
    const stackae::Model model = stackae::load_model(argv[1]);
    stackae::Encoder encoder(model);
    for (;;) {
        stackae::Tensor frames = read_frames(frames_a_time, height, width);
        if (frames.empty()) {
            return 0;
        }
        // The reader brings frames to what the model has learnt from: its size, its contrast.
        const stackae::ImageDataset pictures = stackae::ImageDataset::from_tensor(std::move(frames));
        stackae::PictureReader reader(pictures, model.preprocessing);
        stackae::PictureBatch batch;
        while (reader.next(batch)) {
            const stackae::Tensor codes = encoder.encode(batch.pictures);
            for (std::int64_t row = 0; row < codes.rows(); ++row) {
                for (const float value : codes.row(row)) {
                    std::printf("%g ", static_cast<double>(value));
                }
                std::printf("\n");
            }
        }
    }
} catch (const std::exception& error) {
    std::fprintf(stderr, "encode_stream: %s\n", error.what());
    return 1;
}
