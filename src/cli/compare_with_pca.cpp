#include "cli/compare_with_pca.hpp"

#include <fmt/format.h>
#include <optional>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"
#include "stackae/text.hpp"

#include "cli/command.hpp"
#include "cli/interrupt.hpp"

namespace stackae::cli {

std::string reconstruction_report(const ReconstructionErrors& errors) {
    const std::string pca = fmt::format("PCA of {}", format_count(errors.components, "number"));
    std::string out = fmt::format(
        "reconstruction of {} held out, mean squared error a row (of the values that the stack sees): "
        "this stack {:.4g}, {} {:.4g}, the mean row {:.4g}",
        format_count(errors.pictures, "row"), errors.stack, pca, errors.pca, errors.mean);
    if (errors.worse_than_pca()) {
        out += fmt::format(
            "\nwarning: {} rebuilds rows better than this stack; --stack pca:{}, --fine-tune-from-pca "
            "with --epochs 0, or more epochs (--fine-tune) may serve better",
            pca, errors.components);
    }
    return out;
}

int compare_with_pca(Console& console, Model& model, const ImageDataset& read, const std::string& path,
                     int threads, TrainMonitor& monitor, int code) {
    try {
        std::optional<Progress> progress;
        model.record.reconstruction =
            reconstruction_errors(model, read, threads, [&](std::int64_t done, std::int64_t of) {
                check_interrupted();
                if (!progress) {
                    progress.emplace(console, "comparing with PCA", of);
                }
                progress->update(done);
            });
        if (!model.record.reconstruction) {
            console.note(
                "reconstruction is not compared with PCA: no rows are held out (--validation), or "
                "nothing can be rebuilt from the code");
            return code;
        }
        save(model, path);
    } catch (const Interrupted&) {
        console.warn(
            fmt::format("interrupted while the stack was compared with PCA; {} is complete without", path));
        return exit_code::interrupted;
    } catch (const Error& error) {
        console.warn(fmt::format("warning: the stack could not be compared with PCA: {}", error.what()));
        return code;
    }
    console.note(reconstruction_report(*model.record.reconstruction));
    monitor.log_reconstruction(*model.record.reconstruction);
    return code;
}

}  // namespace stackae::cli
