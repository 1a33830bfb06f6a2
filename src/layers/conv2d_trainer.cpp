#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <numeric>
#include <optional>
#include <span>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "layers/conv2d_patches.hpp"
#include "layers/conv2d_rebuilding.hpp"
#include "layers/conv2d_units.hpp"
#include "layers/gradient_stage.hpp"
#include "layers/kmeans_state.hpp"
#include "layers/tensor_rows.hpp"
#include "layers/trainer.hpp"
#include "linalg/pca.hpp"
#include "linalg/spherical_kmeans.hpp"
#include "linalg/tiled_product.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae::layers {
namespace {

constexpr std::int64_t held_out_one_in = 20;  ///< patches, in refining
constexpr double contrast_share = 0.1;  ///< of the mean variance of a map's patches, their contrast epsilon

/// That slow features can be learnt.
void check_slow(const Conv2d& layer, const PlanContext& context) {
    const nn::Conv2dShape shape = layer.shape();
    if (layer.slow_offset == 0) {
        return;
    }
    if (layer.slow_offset >= std::max<std::int64_t>({2, shape.oh(), shape.ow()})) {
        throw InvalidArgument(
            fmt::format("{}: slow_offset: {} found, less than the {} x {} positions of the output expected",
                        context.name, layer.slow_offset, shape.oh(), shape.ow()));
    }
    if (layer.epochs > 0) {
        throw InvalidArgument(
            fmt::format("{}: epochs: {} found, 0 with slow_offset expected", context.name, layer.epochs));
    }
    if (layer.kmeans_passes) {
        throw InvalidArgument(fmt::format("{}: kmeans_passes: {} found, auto with slow_offset expected",
                                          context.name, *layer.kmeans_passes));
    }
    if (patch_count(layer, context).patches == 0) {
        throw InvalidArgument(
            fmt::format("{}: slow_offset: one patch found, at least 2 expected", context.name));
    }
}

bool finds_contrast_epsilon(const Conv2d& layer, const PlanContext& context) {
    return context.stage > 0 && *layer.contrast_norm && !layer.contrast_epsilon;
}

/// Of refining, without what is done to the patches.
nn::GradientLoopConfig refining_config(const Conv2d& layer, const PlanContext& context) {
    nn::GradientLoopConfig config = loop_config(context);
    config.epochs = layer.epochs;
    config.sparsity.lifetime_sparsity = layer.lifetime_sparsity;
    return config;
}

std::vector<nn::LayerSpec> refined_maps(const Conv2d& layer, std::int64_t whitening_dim) {
    return {{whitening_dim, layer.units, Activation::relu, -1},
            {layer.units, whitening_dim, Activation::linear, -1}};
}

/// Patches, units on them, a threshold, a decoder.
class Conv2dTrainer : public LayerTrainer {
public:
    Conv2dTrainer(const Conv2d& layer, const TrainContext& context)
        : layer_(layer), pictures_(patch_count(layer, context.plan()).pictures), rebuilding_(context) {
        check_slow(layer, context.plan());
    }

    bool step(TrainContext& context) override {
        context_ = &context;
        switch (phase_) {
            case Phase::contrast:
                set_contrast_epsilon(context);
                return enter(Phase::patches);
            case Phase::patches:
                if (!sampler_) {
                    sampler_.emplace(layer_, context);
                }
                return sampler_->step(context) ? true : enter(Phase::whitening);
            case Phase::whitening:
                whiten(context);
                return enter(Phase::units);
            case Phase::units:
                return learn_units(context) ? true : enter(Phase::refining);
            case Phase::refining:
                return refine(context) ? true : enter(Phase::decoder);
            case Phase::decoder:
                return rebuilding_.fit(layer_, context) ? true : enter(Phase::measuring);
            case Phase::measuring:
                return rebuilding_.measure(layer_, context) ? true : enter(Phase::done);
            case Phase::done:
                break;
        }
        return false;
    }

    [[nodiscard]] StageProgress progress() const override {
        if (refined_) {
            return refined_->progress();
        }
        if (kmeans_) {
            return {1, 1, kmeans_->iteration(), layer_.passes()};
        }
        if (sampler_) {
            return sampler_->progress();
        }
        return {1, 1, phase_ < Phase::whitening ? 0 : pictures_, pictures_};
    }
    [[nodiscard]] std::shared_ptr<const Layer> finish() override {
        if (phase_ != Phase::done && !has_learnt_epochs()) {
            return nullptr;
        }
        if (phase_ == Phase::refining) {
            end_refining();
        }
        if (phase_ <= Phase::decoder) {
            rebuilding_.fit_now(layer_, *context_);
        }
        return std::make_shared<const Conv2d>(std::move(layer_));
    }
    /// Up to the refining, patches are taken and whitened anew by a run that goes on, which gives the same.
    void save_state(TrainerState& state) override;
    void load_state(const TrainerState& state) override;

private:
    enum class Phase { contrast, patches, whitening, units, refining, decoder, measuring, done };

    bool enter(Phase phase) {
        phase_ = phase;
        return phase != Phase::done;
    }
    /// Whether it came at least to the end of the first of its epochs.
    [[nodiscard]] bool has_learnt_epochs() const {
        return phase_ == Phase::refining ? refined_ && refined_->epochs() > 0
                                         : phase_ > Phase::refining && layer_.epochs > 0;
    }
    [[nodiscard]] bool is_slow() const { return layer_.slow_offset > 0; }
    void set_contrast_epsilon(TrainContext& context);
    void whiten(TrainContext& context);
    /// Some of it; false: all units are there.
    bool learn_units(TrainContext& context);
    void begin_kmeans(TrainContext& context);
    /// Of the state that was loaded; null where there is none.
    [[nodiscard]] const Tensor* find_loaded(const char* name, std::int64_t rows, std::int64_t columns) const {
        return loaded_ ? loaded_->find(name, {rows, columns}) : nullptr;
    }
    /// Winner-take-all on the patches, where there are epochs of it.
    bool refine(TrainContext& context);
    void begin_refining(TrainContext& context);
    /// What refining begins with.
    [[nodiscard]] nn::Parameters unrefined() const;
    /// Takes over what is refined so far, and sets the threshold.
    void end_refining();
    void begin_decoder();
    void decode_by_transpose();

    Conv2d layer_;
    TrainContext* context_ = nullptr;  ///< of the last step
    std::int64_t pictures_;            ///< that patches are taken from
    Conv2dRebuilding rebuilding_;
    Phase phase_ = Phase::contrast;
    std::optional<PatchSampler> sampler_;
    Tensor whitened_;
    std::optional<linalg::SphericalKMeans> kmeans_;
    std::optional<TrainerState> loaded_;  ///< until what it goes on with is there again
    // Of refining.
    std::vector<std::int64_t> rows_;
    std::optional<TensorRows> source_;
    std::optional<GradientStage> refined_;
};

/// ε of the contrast as a share of the mean variance of patches: maps have a scale of their own.
void Conv2dTrainer::set_contrast_epsilon(TrainContext& context) {
    if (!finds_contrast_epsilon(layer_, context.plan())) {
        return;
    }
    const auto rows = sample_rows(context.train, context.input.chunk(), context,
                                  static_cast<std::uint32_t>(PatchUse::contrast));
    layer_.contrast_epsilon =
        std::max(1e-12, contrast_share * mean_patch_variance(layer_, context.input.gather(rows)));
}

void Conv2dTrainer::whiten(TrainContext& context) {
    Tensor& patches = sampler_->patches();
    const std::int64_t n = patches.rows();
    const std::int64_t d = patches.columns();
    const linalg::PcaResult axes =
        linalg::pca(patches.data(), n, d, *layer_.whitening_dim, {}, context.communicator);
    const std::int64_t r = axes.components.rows();
    layer_.whitening_dim = r;
    layer_.patch_mean = axes.mean;
    layer_.whitening = linalg::whitening(axes, layer_.whitening_epsilon);
    whitened_ = Tensor({n, r});
    const std::int64_t block = std::min(block_rows, n);
    Tensor centred({block, d});
    Tensor whitened({block, r});
    const linalg::TiledProduct product{.m = block, .n = r, .k = d, .trans_b = true};
    for (std::int64_t first = 0; first < n; first += block) {
        const std::int64_t count = std::min(block, n - first);
        base::parallel_ranges(count, 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const auto patch = patches.row(first + i);
                std::transform(patch.begin(), patch.end(), axes.mean.data(), centred.row(i).data(),
                               std::minus<>{});
            }
        });
        product.run(centred.data(), layer_.whitening.data(), whitened.data());
        std::copy_n(whitened.data(), count * r, whitened_.row(first).data());
    }
    sampler_.reset();
}

bool Conv2dTrainer::learn_units(TrainContext& context) {
    if (is_slow()) {
        layer_.weights = slow_features(whitened_, layer_.units, context.communicator);
        layer_.units = layer_.weights.rows();
        layer_.bias = Tensor({layer_.units});
    } else if (const Tensor* const learnt = find_loaded("weights", layer_.units, whitened_.columns())) {
        layer_.weights = *learnt;  // refining goes on
    } else {
        if (!kmeans_) {
            begin_kmeans(context);
            return true;
        }
        if (kmeans_->step()) {
            return true;
        }
        layer_.weights = std::move(kmeans_->state().centroids);
        kmeans_.reset();
    }
    decode_by_transpose();
    return false;
}

void Conv2dTrainer::begin_kmeans(TrainContext& context) {
    kmeans_.emplace(whitened_.data(), whitened_.rows(), whitened_.columns(),
                    linalg::KMeansParams{.k = layer_.units,
                                         .iterations = layer_.passes(),
                                         .seed = context.config.seed,
                                         .layer = context.stage},
                    context.communicator);
    if (loaded_) {
        load_state_of(*kmeans_, *loaded_);
        loaded_.reset();
    }
}

bool Conv2dTrainer::refine(TrainContext& context) {
    if (layer_.epochs > 0 && !is_slow()) {
        if (!refined_) {
            begin_refining(context);
        }
        if (refined_->step(context, [this](std::uint64_t /*seed*/) { return unrefined(); })) {
            return true;
        }
    }
    end_refining();
    return false;
}

void Conv2dTrainer::end_refining() {
    if (refined_) {
        const nn::Parameters& best = refined_->best();
        for (std::int64_t j = 0; j < layer_.units; ++j) {
            const std::span<const float> learnt(best.weights(0) + j * whitened_.columns(),
                                                static_cast<std::size_t>(whitened_.columns()));
            base::l2_normalize(learnt, layer_.weights.row(j));
        }
        std::copy_n(best.weights(1), layer_.decoder_weights.size(), layer_.decoder_weights.data());
        std::copy_n(best.bias(1), layer_.decoder_bias.size(), layer_.decoder_bias.data());
        refined_.reset();
    }
    loaded_.reset();
    if (!is_slow()) {
        layer_.bias = thresholds(layer_, whitened_);
    }
    whitened_ = {};
    begin_decoder();
}

/// x̂ as it is before its gain and its offset are fitted.
void Conv2dTrainer::begin_decoder() {
    layer_.settle_precision();
    layer_.gain = Tensor({1});
    layer_.gain.data()[0] = 1.0F;
    layer_.offset = Tensor({layer_.input_shape().size()});
}

nn::Parameters Conv2dTrainer::unrefined() const {
    nn::Parameters parameters(refined_maps(layer_, whitened_.columns()));
    std::copy_n(layer_.weights.data(), layer_.weights.size(), parameters.weights(0));
    std::copy_n(layer_.decoder_weights.data(), layer_.decoder_weights.size(), parameters.weights(1));
    return parameters;
}

void Conv2dTrainer::begin_refining(TrainContext& context) {
    // Patches are in the order of the pictures, often class by class: every twentieth is held out.
    rows_.resize(static_cast<std::size_t>(whitened_.rows()));
    std::iota(rows_.begin(), rows_.end(), std::int64_t{0});
    const auto middle = std::stable_partition(rows_.begin(), rows_.end(), [](std::int64_t row) {
        return row % held_out_one_in == held_out_one_in - 1;
    });
    const auto held = static_cast<std::size_t>(middle - rows_.begin());
    nn::GradientLoopConfig config = refining_config(layer_, context.plan());
    config.corrupt = context.corruption ? context.corruption(context.config.corruption_level) : nullptr;
    source_.emplace(whitened_);
    refined_.emplace(
        context, [this](std::uint64_t /*seed*/) { return unrefined(); },
        nn::TrainingRows{*source_, std::span(rows_).subspan(held), std::span(rows_).first(held)}, config);
    if (loaded_ && !loaded_->numbers.empty()) {
        refined_->load_state(*loaded_);
    }
    loaded_.reset();
}

void Conv2dTrainer::save_state(TrainerState& state) {
    if (loaded_) {  // it has not come as far again
        state = *loaded_;
        return;
    }
    if (kmeans_) {
        save_state_of(*kmeans_, state);
    } else if (phase_ == Phase::refining) {
        state.put("weights", layer_.weights);
        if (refined_) {
            refined_->save_state(state);
        }
    } else if (phase_ == Phase::decoder || phase_ == Phase::measuring) {
        state.numbers["whitening_dim"] = *layer_.whitening_dim;
        state.numbers["units"] = layer_.units;
        state.numbers["contrast_epsilon"] =
            std::bit_cast<std::int64_t>(layer_.contrast_epsilon.value_or(0.0));
        save_tensors(layer_, state);
    }
}

void Conv2dTrainer::load_state(const TrainerState& state) {
    if (state.numbers.count("whitening_dim") == 0) {
        loaded_ = state;
        return;
    }
    layer_.whitening_dim = state.number("whitening_dim", 1, *layer_.whitening_dim);
    layer_.units = state.number("units", 1, layer_.units);
    if (const auto epsilon = std::bit_cast<double>(state.number("contrast_epsilon")); epsilon > 0.0) {
        layer_.contrast_epsilon = epsilon;
    }
    load_tensors(state, layer_);
    begin_decoder();
    phase_ = Phase::decoder;
}

/// V = Wᵀ, c = 0.
void Conv2dTrainer::decode_by_transpose() {
    const std::int64_t r = *layer_.whitening_dim;
    layer_.decoder_weights = Tensor({r, layer_.units});
    layer_.decoder_bias = Tensor({r});
    for (std::int64_t i = 0; i < r; ++i) {
        for (std::int64_t j = 0; j < layer_.units; ++j) {
            layer_.decoder_weights.data()[i * layer_.units + j] = layer_.weights.data()[j * r + i];
        }
    }
}

}  // namespace

StageCost Conv2d::plan(const PlanContext& context) {
    check_slow(*this, context);
    if (*contrast_norm) {  // patches whose mean is 0 have an axis less
        whitening_dim = std::min(*whitening_dim, std::max<std::int64_t>(1, shape().patch_size() - 1));
    }
    const bool is_slow = slow_offset > 0;
    units = is_slow ? std::min(units, *whitening_dim) : units;
    const nn::Conv2dShape s = shape();
    const PatchCount count = patch_count(*this, context);
    const auto n = static_cast<double>(count.patches);
    const auto d = static_cast<double>(s.patch_size());
    const auto r = static_cast<double>(s.whitening_dim);
    const auto k = static_cast<double>(s.units);
    const auto learnt = static_cast<double>(parameters());
    const auto inputs = static_cast<double>(input_shape().size());

    StageCost cost;
    cost.keeps_state = true;
    cost.epochs = is_slow ? 0 : epochs;
    cost.hold(n * d + context.input_floats);
    cost.multiply_adds =
        linalg::pca_multiply_adds(count.patches, s.patch_size(), s.whitening_dim) + n * d * r;
    cost.hold(n * (d + r) + linalg::pca_floats(count.patches, s.patch_size(), s.whitening_dim) + learnt);
    if (is_slow) {
        cost.multiply_adds += 0.5 * n * r * r;
    } else {
        cost.multiply_adds +=
            passes() * linalg::spherical_kmeans_multiply_adds(count.patches, s.whitening_dim, s.units);
        cost.hold(n * r + learnt +
                  static_cast<double>(linalg::spherical_kmeans_floats(count.patches, s.whitening_dim, s.units,
                                                                      context.threads)));
        cost.hold(n * r + learnt +
                  2.0 * static_cast<double>(std::min(threshold_patches, count.patches)) * (r + k));
    }
    if (epochs > 0 && !is_slow) {
        const std::int64_t held = count.patches / held_out_one_in;
        const StageCost refining =
            gradient_cost(refined_maps(*this, s.whitening_dim), refining_config(*this, context),
                          count.patches - held, held, context.config.corruption != Corruption::none);
        cost.multiply_adds += refining.multiply_adds;
        cost.hold(n * r + learnt + refining.working_floats);
    }
    // The decoder is fitted and then measured, on maps that are encoded and decoded.
    const auto probed = [](std::int64_t pictures) {
        return static_cast<double>(std::min(Conv2dRebuilding::max_pictures, pictures));
    };
    const double probes =
        probed(context.train) + probed(context.validation > 0 ? context.validation : context.train);
    const double decoding = r * (d + k) * static_cast<double>(s.oh() * s.ow());
    cost.multiply_adds += probes * (encoding_multiply_adds() + decoding);
    constexpr double sums = 8.0;  // floats: four doubles for each value of the input
    cost.hold(learnt + context.input_floats + (sums + static_cast<double>(context.input_chunk)) * inputs +
              static_cast<double>(context.threads) *
                  (working_floats(1, true) + static_cast<double>(output_shape().size())));
    cost.input_rows = static_cast<double>(count.pictures) + probes;
    cost.input_rows += finds_contrast_epsilon(*this, context)
                           ? static_cast<double>(std::min(context.input_chunk, context.train))
                           : 0.0;
    return cost;
}

std::unique_ptr<LayerTrainer> Conv2d::trainer(const TrainContext& context) const {
    return std::make_unique<Conv2dTrainer>(*this, context);
}

}  // namespace stackae::layers
