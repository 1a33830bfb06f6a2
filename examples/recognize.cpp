// Remembers the pictures of one folder, a folder a name, and names those of another:
// recognize MODEL KNOWN PICTURES
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stackae/gallery.hpp>
#include <stackae/image_dataset.hpp>
#include <stackae/model.hpp>
#include <string>
#include <vector>

namespace {

/// Codes of all pictures that can be read, and the numbers of these pictures.
struct Encoded {
    std::vector<std::int64_t> entries;
    stackae::Tensor codes;  ///< entries.size() × code size
};

Encoded encode(const stackae::ImageDataset& pictures, const stackae::Model& model) {
    stackae::Encoder encoder(model);
    stackae::PictureReader reader(pictures, model.preprocessing);
    stackae::PictureBatch batch;
    Encoded encoded;
    std::vector<float> values;
    while (reader.next(batch)) {
        const stackae::Tensor codes = encoder.encode(batch.pictures);
        values.insert(values.end(), codes.values().begin(), codes.values().end());
        encoded.entries.insert(encoded.entries.end(), batch.indices.begin(), batch.indices.end());
    }
    encoded.codes = stackae::Tensor({static_cast<std::int64_t>(encoded.entries.size()), encoder.code_size()});
    std::copy(values.begin(), values.end(), encoded.codes.data());
    return encoded;
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 4) {
        std::fputs("Usage: recognize MODEL KNOWN PICTURES\n", stderr);
        return 2;
    }
    const stackae::Model model = stackae::load_model(argv[1]);
    stackae::Gallery gallery;
    gallery.model_identity = model.identity();
    gallery.model_path = argv[1];
    gallery.depth = model.depth_of();

    const stackae::ImageDataset known = stackae::ImageDataset::open(argv[2]);
    Encoded remembered = encode(known, model);
    for (const std::int64_t i : remembered.entries) {
        const stackae::ImageEntry entry = known.entry(i);
        gallery.names.push_back(entry.label.value_or("nameless"));
        gallery.paths.push_back(entry.path);
    }
    gallery.codes = std::move(remembered.codes);
    stackae::calibrate(gallery, 0.01);  // of a hundred strangers, one may be given a name

    const stackae::ImageDataset asked = stackae::ImageDataset::open(argv[3]);
    const Encoded unknown = encode(asked, model);
    const auto answers = stackae::Recognizer(gallery).recognize(unknown.codes);
    for (std::size_t i = 0; i < answers.size(); ++i) {
        std::printf("%s is %s\n", asked.entry(unknown.entries[i]).path.c_str(), answers[i].name.c_str());
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "recognize: %s\n", error.what());
    return 1;
}
