#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <opencv2/core.hpp>
#include <png.h>

#include "stackae/model.hpp"
#include "stackae/pictures.hpp"

#include "base/random.hpp"
#include "bench.hpp"
#include "nn/parameters.hpp"
#include "products.hpp"

namespace stackae::bench {
namespace {

/// Uniform in [0, 1).
Tensor noise(std::vector<std::int64_t> shape, std::uint32_t part) {
    Tensor values(std::move(shape));
    const base::Random random(0, base::Stream::plan, part);
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

/// 784-1000-500-250-30, as it begins.
Model dense_model() {
    Model model;
    model.recipe.channels = 1;
    model.recipe.height = model.recipe.width = 28;
    std::int64_t inputs = model.recipe.size();
    model.options = preset("hinton2006");
    for (const std::int64_t units : model.options.layers) {
        nn::Parameters parameters({{inputs, units, Activation::silu, -1}});
        parameters.initialize(0, 0, static_cast<std::uint32_t>(units));
        DenseLayer layer{Activation::silu, Activation::silu, Tensor({units, inputs}), Tensor({units}), {},
                         Tensor({inputs})};
        std::copy_n(parameters.weights(0), layer.weights.size(), layer.weights.data());
        model.layers.push_back(std::move(layer));
        inputs = units;
    }
    return model;
}

std::vector<Row> encode_batch(const Setup& setup) {
    constexpr std::int64_t pictures = 10'240;
    constexpr std::int64_t block = 256;
    const Model model = dense_model();
    Encoder encoder(model, {0, false, setup.threads});
    const Tensor input = noise({pictures, model.recipe.size()}, 1);
    const base::ThreadScope scope(setup.threads);
    linalg::Context context(setup.threads);
    std::vector<ProductShape> shapes;
    for (const DenseLayer& layer : model.layers) {
        shapes.push_back({block, layer.inputs(), layer.units()});
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
    Model model;
    model.recipe.channels = 3;
    model.recipe.height = model.recipe.width = 32;
    ConvolutionLayer layer;
    layer.shape.channels = 3;
    layer.shape.height = layer.shape.width = 32;
    layer.shape.kernel = 6;
    layer.shape.units = units;
    layer.shape.whitened = layer.shape.patch_size();
    layer.shape.contrast = false;  // the peer does none
    layer.shape.pool_size = 0;
    layer.shape.pool_stride = 0;
    layer.shape.grid = 2;
    const std::int64_t d = layer.shape.patch_size();
    layer.whitening = Tensor({d, d});
    for (std::int64_t i = 0; i < d; ++i) {
        layer.whitening.row(i)[static_cast<std::size_t>(i)] = 1.0F;
    }
    layer.patch_mean = Tensor({d});
    layer.weights = noise({units, d}, 2);
    std::for_each(layer.weights.values().begin(), layer.weights.values().end(), [](float& w) { w -= 0.5F; });
    layer.bias = Tensor({units});
    std::fill(layer.bias.values().begin(), layer.bias.values().end(), -0.5F);
    layer.decoder_weights = Tensor({d, units});
    layer.decoder_bias = Tensor({d});
    layer.offset = Tensor({layer.shape.input_size()});
    const std::int64_t positions = layer.shape.positions_down() * layer.shape.positions_across();
    write_floats(layer.weights, setup.folder + "/filters.f32");
    model.convolutions.push_back(std::move(layer));
    const Tensor input = noise({pictures, model.recipe.size()}, 3);
    write_floats(input, setup.folder + "/maps.f32");
    Encoder encoder(model, {0, false, setup.threads});
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
    const Pictures all = Pictures::open(setup.data + "/train-images-idx3-ubyte.gz");
    const Recipe recipe = choose_recipe(all, {});
    PictureReader reader(all, recipe);
    std::int64_t number = 0;
    for (PictureBatch batch; reader.next(batch);) {
        for (std::int64_t i = 0; i < batch.pictures.rows(); ++i) {
            const auto row = batch.pictures.row(i);
            cv::Mat pixels(static_cast<int>(recipe.height), static_cast<int>(recipe.width), CV_8UC1);
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
    Model model = dense_model();
    model.class_names.clear();
    const std::string path = setup.folder + "/dense.stackae";
    save(model, path);
    const Pictures pictures = Pictures::open(folder);
    const auto n = static_cast<double>(pictures.size());
    Encoder encoder(model, {0, false, setup.threads});
    const Tensor input = noise({10'240, model.recipe.size()}, 4);
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
                                 PictureReader reader(pictures, model.recipe, options);
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
