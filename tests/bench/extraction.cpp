#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <opencv2/core.hpp>
#include <png.h>

#include "stackae/image_dataset.hpp"
#include "stackae/model.hpp"

#include "base/random.hpp"
#include "bench.hpp"
#include "model/sample_model.hpp"
#include "nn/parameters.hpp"
#include "products.hpp"

namespace stackae::bench {
namespace {

/// Uniform in [0, 1).
Tensor noise(std::vector<std::int64_t> shape, std::uint32_t part) {
    Tensor values(std::move(shape));
    const base::Random random(0, base::RandomStream::plan, part);
    for (std::int64_t i = 0; i < values.size(); ++i) {
        values.data()[i] = base::Random::uniform(random.block(static_cast<std::uint32_t>(i))[0]);
    }
    return values;
}

void write_floats(const Tensor& values, const std::string& path) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size() * static_cast<std::int64_t>(sizeof(float))));
}

std::vector<float> values_of(const Tensor& tensor) {
    return {tensor.values().begin(), tensor.values().end()};
}

/// 784-1000-500-250-30, as it begins.
Model dense_model() {
    Model model = test::sample_model("dense:1000, dense:500, dense:250, dense:30", {28, 28, 1});
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        const std::int64_t inputs = model.layers[i].input_shape().size();
        const std::int64_t units = model.layers[i].output_shape().size();
        nn::Parameters parameters({{inputs, units, Activation::silu, -1}});
        parameters.initialize(0, 0, static_cast<std::uint32_t>(units));
        test::set_tensor(model, i, "weights",
                         {parameters.weights(0), parameters.weights(0) + inputs * units});
        test::set_tensor(model, i, "bias", {});
    }
    return model;
}

std::vector<Row> encode_batch(const Setup& setup) {
    constexpr std::int64_t pictures = 10'240;
    constexpr std::int64_t block = 256;
    const Model model = dense_model();
    Encoder encoder(model, {.threads = setup.threads});
    const Tensor input = noise({pictures, model.preprocessing.size()}, 1);
    const base::ThreadScope scope(setup.threads);
    linalg::Context context(setup.threads);
    std::vector<ProductShape> shapes;
    for (const auto& layer : model.layers.layers()) {
        shapes.push_back({block, layer->input_shape().size(), layer->output_shape().size()});
    }
    Products limit(context, shapes, false);
    const Rounds rounds(setup.repeats,
                        {[&] { return seconds_of([&] { static_cast<void>(encoder.encode(input)); }); },
                         [&] {
                             return seconds_of([&] {
                                 for (std::int64_t i = 0; i < pictures / block; ++i) {
                                     limit.run();
                                 }
                             });
                         }});
    const double work = giga * limit.flops() * static_cast<double>(pictures / block);
    Row row{"encode.batch", "784-1000-500-250-30, blocks of 256", work / rounds.seconds(0), "GFLOP/s"};
    row.limit = work / rounds.seconds(1);
    row.over_limit = rounds.faster(0, 1);
    return {row};
}

std::vector<Row> extract_convolution(const Setup& setup) {
    constexpr std::int64_t pictures = 1024;
    constexpr std::int64_t units = 400;
    constexpr std::int64_t kernel = 6;
    constexpr std::int64_t d = kernel * kernel * 3;
    // Without contrast normalisation, since the peer does none.
    Model model = test::sample_model(
        fmt::format("conv2d:{}:kernel={}:contrast_norm=false, pool2d:grid=2", units, kernel), {32, 32, 3});
    std::vector<float> identity(d * d);
    for (std::size_t i = 0; i < identity.size(); i += d + 1) {
        identity[i] = 1.0F;
    }
    test::set_tensor(model, 0, "whitening", identity);
    test::set_tensor(model, 0, "patch_mean", {});
    Tensor filters = noise({units, d}, 2);
    std::for_each(filters.values().begin(), filters.values().end(), [](float& w) { w -= 0.5F; });
    test::set_tensor(model, 0, "weights", values_of(filters));
    test::set_tensor(model, 0, "bias", std::vector<float>(units, -0.5F));
    const Shape map = model.layers[0].output_shape();
    const std::int64_t positions = map.height * map.width;
    write_floats(filters, setup.folder + "/filters.f32");
    const Tensor input = noise({pictures, model.preprocessing.size()}, 3);
    write_floats(input, setup.folder + "/maps.f32");
    Encoder encoder(model, {.threads = setup.threads});
    const base::ThreadScope scope(setup.threads);
    linalg::Context context(setup.threads);
    Products limit(context, {{positions * 8, d, units}}, false);  // patches of eight pictures
    std::vector<std::function<double()>> things = {
        [&] { return seconds_of([&] { static_cast<void>(encoder.encode(input)); }); },
        [&] {
            return seconds_of([&] {
                for (std::int64_t i = 0; i < pictures / 8; ++i) {
                    limit.run();
                }
            });
        }};
    std::vector<PeerRun> peers;
    if (setup.python != nullptr) {
        peers.push_back({setup.python,
                         "PyTorch",
                         fmt::format("convolution {} {}/maps.f32 {}/filters.f32 {}", setup.threads,
                                     setup.folder, setup.folder, pictures),
                         "torch",
                         {64 * positions, d, units}});
    }
    add_things(things, peers);
    const Rounds rounds(setup.repeats, things);
    const double work = giga * limit.flops() * static_cast<double>(pictures / 8);
    Row row{"extract.convolution",
            "400 filters of 6x6x3 over 32x32, threshold, pooled by quadrant; limit: every tap multiplied",
            work / rounds.seconds(0), "GFLOP/s"};
    row.limit = work / rounds.seconds(1);
    row.over_limit = rounds.faster(0, 1);
    if (!peers.empty()) {
        add_peer(row, peers.front(), setup, rounds, 2, work);
    }
    return {row};
}

/// 60,000 PNG files of 28 × 28 pixels: MNIST's training pictures.
void write_folder(const Setup& setup, const std::string& folder) {
    std::filesystem::create_directories(folder);
    const ImageDataset all = ImageDataset::open(setup.data + "/train-images-idx3-ubyte.gz");
    const Preprocessing preprocessing = choose_preprocessing(all, {});
    PictureReader reader(all, preprocessing);
    std::int64_t number = 0;
    for (PictureBatch batch; reader.next(batch);) {
        for (std::int64_t i = 0; i < batch.pictures.rows(); ++i) {
            const auto row = batch.pictures.row(i);
            cv::Mat pixels(static_cast<int>(preprocessing.height), static_cast<int>(preprocessing.width),
                           CV_8UC1);
            std::transform(row.begin(), row.end(), pixels.begin<std::uint8_t>(),
                           [](float value) { return static_cast<std::uint8_t>(255.0F * value + 0.5F); });
            png_image header{};
            header.version = PNG_IMAGE_VERSION;
            header.width = static_cast<png_uint_32>(pixels.cols);
            header.height = static_cast<png_uint_32>(pixels.rows);
            header.format = PNG_FORMAT_GRAY;
            const std::string path = fmt::format("{}/{:05}.png", folder, number++);
            if (png_image_write_to_file(&header, path.c_str(), 0, pixels.data, 0, nullptr) == 0) {
                throw IoError(path + ": cannot be written: " + header.message);
            }
        }
    }
}

/// The program over a folder, beside decoding alone and encoding alone: what a pipeline would take whose
/// stages do not overlap.
std::vector<Row> extract_folder(const Setup& setup) {
    const std::string folder = setup.folder + "/png";
    write_folder(setup, folder);
    const Model model = dense_model();
    const std::string path = setup.folder + "/dense.stackae";
    save(model, path);
    const ImageDataset pictures = ImageDataset::open(folder);
    const auto n = static_cast<double>(pictures.size());
    Encoder encoder(model, {.threads = setup.threads});
    const Tensor input = noise({10'240, model.preprocessing.size()}, 4);
    double peak = 0.0;
    const Rounds rounds(setup.repeats,
                        {[&] {
                             const Ended ended =
                                 setup.runner->run({setup.program, "extract", folder, "-m", path, "-o",
                                                    setup.folder + "/codes.npy", "--quiet", "--threads",
                                                    std::to_string(setup.threads)});
                             peak = std::max(peak, ended.peak_mib);
                             return ended.seconds;
                         },
                         [&] {
                             return seconds_of([&] {
                                 ReadOptions options;
                                 options.threads = setup.threads;
                                 PictureReader reader(pictures, model.preprocessing, options);
                                 for (PictureBatch batch; reader.next(batch);) {
                                 }
                             });
                         },
                         [&] {
                             return n / static_cast<double>(input.rows()) *
                                    seconds_of([&] { static_cast<void>(encoder.encode(input)); });
                         }});
    Row row{"extract.folder", "60,000 PNG files through 784-1000-500-250-30, the whole program",
            n / rounds.seconds(0), "pictures/s"};
    row.limit = n / (rounds.seconds(1) + rounds.seconds(2));
    row.over_limit = row.value / *row.limit;
    row.peak_mib = peak;
    std::filesystem::remove_all(folder);
    return {row};
}

}  // namespace

std::vector<Rows> extraction_rows() {
    return {{{"encode.batch"}, encode_batch},
            {{"extract.convolution"}, extract_convolution},
            {{"extract.folder"}, extract_folder}};
}

}  // namespace stackae::bench
