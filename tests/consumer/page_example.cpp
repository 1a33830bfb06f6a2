#include <cstdio>
#include <exception>
#include <stackae/gallery.hpp>
#include <stackae/image_dataset.hpp>
#include <stackae/model.hpp>
#include <string>

// Names each picture of a folder, list or file: example MODEL GALLERY PICTURES
int main(int argc, char** argv) try {
    if (argc != 4) {
        std::fputs("Usage: example MODEL GALLERY PICTURES\n", stderr);
        return 2;
    }
    const stackae::Model model = stackae::load_model(argv[1]);
    const stackae::Gallery gallery = stackae::load_gallery(argv[2]);
    stackae::check_model(gallery, model);

    const stackae::ImageDataset pictures = stackae::ImageDataset::open(argv[3]);
    stackae::PictureReader reader(pictures, model.preprocessing);
    stackae::Encoder encoder(model,
                             {.output = std::to_string(gallery.depth), .l2_normalize = gallery.l2_normalize});
    stackae::Recognizer recognizer(gallery);

    stackae::PictureBatch batch;
    while (reader.next(batch)) {
        const auto names = recognizer.recognize(encoder.encode(batch.pictures));
        for (std::size_t row = 0; row < names.size(); ++row) {
            const stackae::ImageEntry entry = pictures.entry(batch.indices[row]);
            std::printf("%s,%s,%g\n", entry.path.c_str(), names[row].name.c_str(), names[row].distance);
        }
        for (const stackae::SkippedPicture& skipped : batch.skipped) {
            std::fprintf(stderr, "%s: %s\n", pictures.entry(skipped.index).path.c_str(),
                         skipped.reason.c_str());
        }
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "example: %s\n", error.what());
    return 1;
}
