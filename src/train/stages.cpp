#include "train/stages.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "base/memory.hpp"
#include "base/threads.hpp"
#include "layers/autoencoder.hpp"
#include "layers/chain.hpp"
#include "layers/cost.hpp"
#include "layers/fine_tuning.hpp"
#include "model/split.hpp"
#include "train/stack_input.hpp"

namespace stackae::training {
namespace {

using layers::PlanContext;
using layers::StageCost;

constexpr double float_bytes = sizeof(float);
constexpr double read_rows = 5.0 * 256.0;  ///< in batches read ahead, and the one that is taken out
constexpr std::int64_t max_held_bytes = 2 * most_patch_bytes;
// Of random numbers: above all layers.
constexpr std::uint32_t fine_tuning_stage = 1000;
constexpr std::uint32_t head_stage = 1001;
constexpr std::int64_t max_head = std::int64_t{1} << 26;  ///< values

double real(std::int64_t value) {
    return static_cast<double>(value);
}

/// Throws InvalidArgument where layers pool over transforms of pictures of which each pixel has a mean of its
/// own: a turned picture less the mean is not the picture less the mean, turned.
void check_transforms(const Stack& bound, const Preprocessing& preprocessing) {
    const auto& layers = bound.layers();
    const auto pooling = std::find_if(layers.begin(), layers.end(),
                                      [](const auto& layer) { return !layer->transforms().empty(); });
    if (pooling == layers.end()) {
        return;
    }
    const auto channels = static_cast<std::size_t>(preprocessing.channels);
    for (const auto* values : {&preprocessing.mean, &preprocessing.deviation}) {
        for (std::size_t i = channels; i < values->size(); ++i) {
            if ((*values)[i] != (*values)[i - channels]) {
                throw InvalidArgument(
                    fmt::format("layer {}, {}: pictures standardized pixel by pixel found, others expected: "
                                "mirror images and turns would have other codes",
                                pooling - layers.begin() + 1, (*pooling)->type()));
            }
        }
    }
}

/// Goes through the layers as training does. Sums are doubles: products of sizes that are allowed one by one
/// overflow.
class Planner {
public:
    Planner(const Stack& bound, const DataSize& data, const Preprocessing& preprocessing,
            const TrainConfig& config, const RunOptions& run, std::int64_t patch_bytes)
        : bound_(bound),
          data_(data),
          pictures_(data.rows),
          preprocessing_(preprocessing),
          config_(config),
          run_(run),
          patch_bytes_(patch_bytes > 0 ? patch_bytes : max_patch_bytes(run)),
          threads_(base::resolve_threads(static_cast<int>(run.threads))),
          held_out_(held_out(config, data.rows)) {}

    Stages run() {
        max_working_ = data_.reading_floats;
        for (std::size_t i = 0; i < bound_.size(); ++i) {
            add_layer(i);
            const bool last = i + 1 == bound_.size();
            if (config_.fine_tune_epochs > 0 && bound_[i].autoencoder() &&
                (last || !bound_[i + 1].autoencoder())) {
                add_fine_tuning();
            }
            if (i + 1 == rebuilt_depth(bound_)) {
                add_head();
            }
        }
        // The model has a table of its own.
        max_working_ = std::max(max_working_, 2.0 * data_.table_floats + real(layers_.parameters()));
        stages_.parameters += layers_.parameters();
        stages_.multiply_adds_a_picture = encoding(0, layers_.size());
        stages_.working_bytes = base::whole_bytes(float_bytes * max_working_);
        stages_.picture_bytes = base::whole_bytes(float_bytes * data_.held_floats);
        stages_.held_bytes = base::whole_bytes(float_bytes * (data_.held_floats + max_held_));
        return std::move(stages_);
    }

private:
    [[nodiscard]] Shape picture() const { return preprocessing_.shape(); }
    /// Multiply-adds of a row through the layers [from, to).
    [[nodiscard]] double encoding(std::size_t from, std::size_t to) const {
        return layers::encoding_multiply_adds(
            layers_.layers(layers::chain_begin(layers_.layers(), from, to), to));
    }
    /// Of a stage that sees what the layers so far make.
    [[nodiscard]] PlanContext context_of(std::string name, std::size_t below, std::uint32_t stage) const;
    void add(StageKind kind, std::size_t below, const PlanContext& context, const StageCost& cost,
             const Layer* layer, std::int64_t parameters);
    void add_layer(std::size_t i);
    void add_fine_tuning();
    void add_head();
    /// What making its input takes, with what is there already.
    double make_input(std::size_t below, const StageCost& cost);
    /// Forgets what is at hand where it is of no use for what the lowest `below` layers make.
    void forget_unless_used(std::size_t below);
    /// Whether none of the layers [0, below) learns.
    [[nodiscard]] bool is_lowest(std::size_t below) const {
        const Layers some = layers_.layers(0, below);
        return std::none_of(some.begin(), some.end(), [](const auto& layer) { return layer->is_trained(); });
    }
    /// Whether all of them leave zeros where they are.
    [[nodiscard]] bool keeps_zeros(std::size_t below) const {
        const Layers some = layers_.layers(0, below);
        return std::all_of(some.begin(), some.end(), [](const auto& layer) { return layer->keeps_zeros(); });
    }
    [[nodiscard]] layers::Chain chain_to(std::size_t below) const {
        return {layers_.layers(std::min(all_depth_, below), below), layers::Direction::encode, threads_};
    }

    const Stack& bound_;
    const DataSize& data_;
    std::int64_t pictures_;
    const Preprocessing& preprocessing_;
    const TrainConfig& config_;
    const RunOptions& run_;
    std::int64_t patch_bytes_;
    int threads_;
    std::int64_t held_out_;
    Stages stages_;
    Stack layers_;                ///< as they will be, about
    std::size_t all_depth_ = 0;   ///< of what is held of all pictures; 0: the pictures
    std::size_t some_depth_ = 0;  ///< of what was left of some rows
    double some_rows_ = 0.0;
    double max_working_ = 0.0;
    double max_held_ = 0.0;  ///< beside pictures
};

PlanContext Planner::context_of(std::string name, std::size_t below, std::uint32_t stage) const {
    const Shape input = layers_.output_shape(picture(), below);
    PlanContext context{.config = config_,
                        .name = std::move(name),
                        .stage = stage,
                        .of_pictures = below == 0,
                        .lowest = is_lowest(below),
                        .made_anew = below > 0 && data_.sparse && is_lowest(below),
                        .suited_output = suited_output(preprocessing_, layers_, below),
                        .train = pictures_ - held_out_,
                        .validation = held_out_,
                        .at_hand = some_depth_ <= below ? static_cast<std::int64_t>(some_rows_) : 0,
                        .patch_bytes = patch_bytes_,
                        .threads = threads_,
                        .input_floats = 0.0,
                        .input_chunk = chunk_of(input.size()),
                        .input_entries = keeps_zeros(below) && data_.table_entries > 0.0
                                             ? data_.table_entries
                                             : real(pictures_) * real(input.size())};
    const double rows = real(std::min(context.input_chunk, pictures_));
    context.input_floats = rows * real(layers_.output_shape(picture(), all_depth_).size()) +
                           chain_to(below).working_floats(static_cast<std::int64_t>(rows));
    return context;
}

void Planner::forget_unless_used(std::size_t below) {
    if (all_depth_ > below || layers::chain_begin(layers_.layers(), all_depth_, below) < all_depth_) {
        all_depth_ = 0;
    }
    if (some_rows_ > 0.0 &&
        (some_depth_ > below || layers::chain_begin(layers_.layers(), some_depth_, below) < some_depth_)) {
        some_rows_ = 0.0;
        some_depth_ = 0;
    }
}

double Planner::make_input(std::size_t below, const StageCost& cost) {
    double work = 0.0;
    double left = 0.0;  // share of the rows that another stage has left
    if (some_rows_ > 0.0 && some_depth_ <= below) {
        work += some_rows_ * encoding(some_depth_, below);
        some_depth_ = below;
        left = std::min(1.0, some_rows_ / real(pictures_ - held_out_));
    }
    return work + (1.0 - left) * cost.input_rows * encoding(std::min(all_depth_, below), below);
}

void Planner::add(StageKind kind, std::size_t below, const PlanContext& context, const StageCost& cost,
                  const Layer* layer, std::int64_t parameters) {
    const double input = real(layers_.output_shape(picture(), below).size());
    Stage stage{.kind = kind,
                .below = below,
                .last = layers_.size(),
                .number = context.stage,
                .lowest = context.lowest,
                .info = {}};
    StageInfo& info = stage.info;
    info.name = context.name;
    info.type = layer == nullptr ? std::string() : std::string(layer->type());
    info.input = layers_.output_shape(picture(), below);
    info.output = layer == nullptr ? layers_.output_shape(picture(), layers_.size()) : layer->output_shape();
    info.parameters = parameters;
    info.epochs = cost.epochs;
    info.multiply_adds = cost.multiply_adds + make_input(below, cost);
    // Of learning by gradients: the values, two moments, the best so far.
    stage.state_values = (cost.epochs > 0 ? 4 : cost.keeps_state ? 1 : 0) * parameters;
    const double working = data_.table_floats + real(layers_.parameters()) + cost.working_floats;
    info.memory_bytes = base::whole_bytes(float_bytes * working);
    max_working_ = std::max(max_working_, working);
    const double all =
        all_depth_ == 0 ? 0.0 : real(pictures_) * real(layers_.output_shape(picture(), all_depth_).size());
    const double some =
        some_rows_ * (some_rows_ > 0.0 ? real(layers_.output_shape(picture(), some_depth_).size()) : 0.0);
    max_held_ = std::max(max_held_, all + some + cost.stored_rows * input);
    stages_.stages.push_back(std::move(stage));
    if (cost.leaves == StageCost::Leaves::all_rows) {
        all_depth_ = below;
        some_rows_ = 0.0;
    } else if (cost.leaves == StageCost::Leaves::some_rows && below > all_depth_) {
        some_depth_ = below;
        some_rows_ = cost.stored_rows;
    }
}

void Planner::add_layer(std::size_t i) {
    std::unique_ptr<Layer> layer = bound_[i].clone();
    layer->bind(layers_.output_shape(picture(), i));
    if (layer->is_trained()) {
        forget_unless_used(i);
        const PlanContext context =
            context_of(fmt::format("layer {}, {}", i + 1, layer->type()), i, static_cast<std::uint32_t>(i));
        const StageCost cost = layer->plan(context);
        add(StageKind::layer, i, context, cost, layer.get(), layer->parameters());
    }
    layers_.push_back(std::move(layer));
}

/// The autoencoders on top, end to end.
void Planner::add_fine_tuning() {
    std::size_t first = layers_.size();
    while (first > 0 && layers_[first - 1].autoencoder()) {
        --first;
    }
    forget_unless_used(first);
    const Layers tuned = layers_.layers(first, layers_.size());
    const PlanContext context = context_of("fine-tuning", first, fine_tuning_stage);
    const std::int64_t parameters = layers::FineTuning::parameters(tuned, config_);
    add(StageKind::fine_tuning, first, context, layers::FineTuning::plan(tuned, context), nullptr,
        parameters);
    stages_.parameters += parameters;
    for (const auto& layer : tuned) {
        stages_.parameters -= layer->parameters();
    }
}

/// Where what is below has lost what decoders would need.
void Planner::add_head() {
    const auto& all = layers_.layers();
    const bool lost =
        std::any_of(all.begin(), all.end(), [](const auto& layer) { return layer->loses_detail(); });
    const Shape code = all.back()->output_shape();
    if (!lost || !all.back()->decorrelates() || code.size() > max_head / picture().size()) {
        return;
    }
    forget_unless_used(layers_.size());
    const std::unique_ptr<Layer> head = make_head(code, picture());
    const PlanContext context = context_of("reconstruction", layers_.size(), head_stage);
    const StageCost cost = head->plan(context);
    add(StageKind::head, layers_.size(), context, cost, head.get(), head->parameters());
    stages_.parameters += head->parameters();
}

}  // namespace

DataSize DataSize::of_pictures(std::int64_t pictures, const Preprocessing& preprocessing,
                               const RunOptions& run) {
    const double picture = real(preprocessing.size());
    const double ahead = std::min(real(pictures), read_rows) * picture;
    const double allowed = real(base::reading_memory(run.memory_limit)) / float_bytes;
    return {.rows = pictures,
            .held_floats = real(pictures) * picture,
            .reading_floats = std::min(allowed, ahead)};
}

DataSize DataSize::of_table(const Interactions& table, TableRow rows) {
    constexpr double of_user = 2.0;   // its offset
    constexpr double of_entry = 2.0;  // its item and its value
    constexpr double of_id = sizeof(std::string) / float_bytes;
    double ids = of_id * real(std::ssize(table.users) + table.item_count());
    for (const auto* const all : {&table.users, &table.items}) {
        for (const std::string& id : *all) {
            ids += id.capacity() < sizeof(std::string) / 2 ? 0.0 : real(std::ssize(id)) / float_bytes;
        }
    }
    const bool by_item = rows == TableRow::item;
    const double floats = of_user * real(table.user_count()) + of_entry * real(table.entry_count()) + ids;
    return {.rows = by_item ? table.item_count() : table.user_count(),
            .table_floats = by_item ? 2.0 * floats : floats,
            .table_entries = real(table.entry_count()),
            .sparse = true};
}

Stages make_stages(const Stack& bound, const DataSize& data, const Preprocessing& preprocessing,
                   const TrainConfig& config, const RunOptions& run, std::int64_t patch_bytes) {
    if (config.rows == TableRow::item && !data.sparse) {
        throw InvalidArgument("rows: item found, user expected: there is no table, pictures are the rows");
    }
    check_transforms(bound, preprocessing);
    return Planner(bound, data, preprocessing, config, run, patch_bytes).run();
}

std::int64_t Stages::holdable_bytes(const RunOptions& run) const {
    const std::int64_t limit = base::resolve_memory(run.memory_limit);
    if (working_bytes > limit) {
        throw InvalidArgument(
            fmt::format("memory: {} to work with the layers of this stack found, {} expected at most; fewer "
                        "units, smaller layers or batches take less",
                        format_bytes(working_bytes), format_bytes(limit)));
    }
    return std::min(max_held(run), limit - working_bytes);
}

std::int64_t max_held(const RunOptions& run) {
    return std::min(max_held_bytes, base::resolve_memory(run.memory_limit) / 2);
}

std::int64_t max_patch_bytes(const RunOptions& run) {
    return max_held(run) / 2;
}

Activation suited_output(const Preprocessing& preprocessing, const Stack& layers, std::size_t depth) {
    Activation suited = preprocessing.unit_range() ? Activation::sigmoid : Activation::linear;
    for (std::size_t i = 0; i < depth; ++i) {
        suited = layers[i].output_activation(suited);
    }
    return suited;
}

std::size_t embedding_depth(const Stack& layers) {
    std::size_t depth = layers.size();
    while (depth > 1 && layers[depth - 1].is_expansion()) {
        --depth;
    }
    return depth;
}

std::size_t rebuilt_depth(const Stack& layers) {
    std::size_t depth = embedding_depth(layers);
    while (depth > 1 && !layers[depth - 1].is_trained()) {
        --depth;
    }
    return depth;
}

std::unique_ptr<Layer> make_head(const Shape& code, const Shape& picture) {
    return bind(parse_stack(fmt::format("ridge_decoder:{}:width={}:channels={}", picture.height,
                                        picture.width, picture.channels)),
                code)[0]
        .clone();
}

}  // namespace stackae::training
