#include <cstdio>
#include <fmt/format.h>
#include <iostream>
#include <string>
#include <vector>

#include "stackae/error.hpp"

#include "data/image/decode.hpp"
#include "data/image/preprocess.hpp"

/// Answers each path, one a line on standard input, with "WIDTH HEIGHT CHANNELS" and then the picture's
/// floats as they are in memory: the whole picture upright, in its own size, in [0, 1], alpha blended over
/// black, channels 1 or 3. A picture that cannot be had is answered with "! STATUS: REASON".
namespace {

void answer(const std::string& path) {
    using namespace stackae;
    const PictureLimits limits;
    const data::Picture picture = data::decode_file(path, {limits});
    Preprocessing preprocessing;  // of the picture itself, so that nothing is resized
    preprocessing.channels = picture.pixels.channels() == 1 ? 1 : 3;
    preprocessing.height = picture.size().height;
    preprocessing.width = picture.size().width;
    std::vector<float> values(static_cast<std::size_t>(preprocessing.size()));
    data::preprocess(preprocessing, picture, values);
    std::cout << preprocessing.width << ' ' << preprocessing.height << ' ' << preprocessing.channels << '\n';
    std::cout.write(reinterpret_cast<const char*>(values.data()),
                    static_cast<std::streamsize>(values.size() * sizeof(float)));
}

}  // namespace

int main() {
    for (std::string path; std::getline(std::cin, path);) {
        try {
            answer(path);
        } catch (const stackae::data::BadPicture& bad) {
            std::cout << "! " << stackae::name(bad.status()) << ": " << bad.what() << '\n';
        } catch (const std::exception& error) {
            std::cout << "! failed: " << error.what() << '\n';
        }
        std::cout.flush();
    }
    return 0;
}
