#include "train/phase.hpp"

namespace stackae::training {

PhaseResult run_phase(nn::GradientLoop& loop, int layer, TrainObserver& observer,
                      std::vector<EpochRecord>& history) {
    PhaseResult result;
    for (bool more = true; more;) {
        const bool learning = loop.learns_next();
        if (learning && observer.stop()) {
            result.stopped = true;
            break;
        }
        more = loop.step();
        const nn::EpochMetrics& m = loop.metrics();
        if (learning) {
            const nn::GradientLoop::Progress p = loop.progress();
            observer.on_batch(layer, p.epoch, p.epochs, p.done, p.rows);
        } else if (m.epoch > result.epochs) {
            result.epochs = m.epoch;
            history.push_back({layer, m.epoch, m.train_loss, m.validation_loss, m.mean_loss, m.dead_units,
                               m.learning_rate, m.seconds});
            observer.on_epoch(history.back());
        }
    }
    loop.use_best();
    return result;
}

}  // namespace stackae::training
