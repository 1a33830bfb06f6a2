#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "stackae/error.hpp"
#include "stackae/gallery.hpp"
#include "stackae/text.hpp"

#include "cli/command.hpp"
#include "cli/encode.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_locator.hpp"
#include "cli/output.hpp"
#include "cli/text_table.hpp"

namespace stackae::cli {
namespace {

constexpr double default_false_accept_rate = 0.01;

/// Waits while another run changes the gallery, and says so after a moment.
GalleryLock lock_gallery(Console& console, const std::string& path) {
    bool said = false;
    GalleryLock lock(path, [&](double seconds) {
        check_interrupted();
        if (!said && seconds > 0.5) {
            console.warn(fmt::format("waiting for another run that changes {}", printable(path)));
            said = true;
        }
    });
    if (!lock.supported()) {
        console.warn(fmt::format(
            "warning: {}: cannot be locked where it lies; do not change it from two runs at once", path));
    }
    return lock;
}

/// Enters pictures whose files are gone as skipped.
void enter_missing(const ImageDataset& pictures, InputMonitor& monitor) {
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        std::error_code error;
        const auto type = std::filesystem::status(pictures.file(i), error).type();
        if (type == std::filesystem::file_type::not_found) {
            monitor.manifest().skipped(pictures.entry(i), name(PictureStatus::missing), error.message());
        }
    }
    if (monitor.manifest().skipped() > 0) {
        monitor.on_end(0, monitor.manifest().skipped());
    }
}

class EnrollCommand : public Command {
public:
    std::string synopsis() const override {
        return "INPUT... -o GALLERY [-m MODEL] [options]\n"
               "       stackae enroll --remove NAME -o GALLERY\n"
               "       stackae enroll --rebuild GALLERY -m MODEL [-o NEW] [options]";
    }
    std::string about() const override {
        return "Remembers labelled pictures in a gallery, for `stackae recognize`.\n"
               "A picture's name is the first folder below INPUT; IDX and lists bring their own.";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    void check_usage(const std::vector<std::string>& inputs) const;
    int remove_name(Console& console);
    /// The pictures of a gallery that is there, encoded by another model.
    int rebuild(Console& console);
    /// Whether the run that is to be gone on with had come to its end, but for removing its checkpoint.
    bool is_rebuilt(const Gallery& gallery, const Model& model) const;
    /// Throws IoError where pictures of the old gallery were skipped that may not be left out.
    void refuse_skipped(OutputFiles& manifest, InputMonitor& monitor, const Gallery& old) const;
    Gallery encode(Console& console, const Inputs& inputs, const NamedModel& model, InputMonitor& monitor);
    /// Throws Interrupted where the user has asked to stop meanwhile.
    void calibrate(Console& console, Gallery& gallery) const;
    void print(const Gallery& gallery, std::int64_t added) const;

    std::string model_;
    std::string output_;
    std::string remove_;
    std::string rebuild_;
    bool skip_missing_ = false;  ///< with rebuild_
    std::optional<std::string> name_;
    bool append_ = false;
    std::string layer_;  ///< an output of the model; empty: its first
    std::optional<bool> l2_normalize_;
    std::optional<Metric> metric_;
    std::optional<double> false_accept_rate_;
    EncodeSettings settings_;
};

void EnrollCommand::declare(OptionParser& parser) {
    parser.group("The gallery");
    parser.option("output,o", "GALLERY", "the gallery's file", text_into(output_));
    parser.option("model,m", "MODEL", "else one that comes with stackae, by what the pictures are",
                  text_into(model_));
    parser.flag("append", "add to the gallery that is there; a path that is in it already is replaced",
                append_);
    parser.option("remove", "NAME", "take every picture of that name out (needs no INPUT)",
                  text_into(remove_));
    parser.option("rebuild", "GALLERY",
                  "encode the pictures in it anew, by their paths, with another model; replaces it unless -o "
                  "names another file",
                  text_into(rebuild_));
    parser.flag("skip-missing", "with --rebuild: leave out pictures that cannot be read any more",
                skip_missing_);
    parser.option("name", "NAME", "the name of all INPUT, in place of folder names",
                  [this](const std::string& text) { name_ = text; });
    settings_.kept.declare(parser, "GALLERY");
    parser.group("How pictures are compared (kept in the gallery)");
    declare_layer(parser, layer_);
    declare_normalize(parser, l2_normalize_);
    parser.option("metric", "l2|cosine", "distance between codes",
                  [this](const std::string& text) { metric_ = parse<Metric>(text); });
    parser.option("false-accept", "P",
                  "share of strangers that may be named; sets the threshold (0.01 when not given)",
                  number_into(false_accept_rate_, 1e-9, 1.0 - 1e-9));
    settings_.declare(parser);
}

void EnrollCommand::check_usage(const std::vector<std::string>& inputs) const {
    if (skip_missing_ && rebuild_.empty()) {
        throw UsageError(
            "--skip-missing is for --rebuild alone: other pictures are skipped where they are bad");
    }
    if (!rebuild_.empty()) {
        if (!inputs.empty() || append_ || !remove_.empty() || name_ || !settings_.reading.labels.empty()) {
            throw UsageError("--rebuild takes neither INPUT nor --append, --remove, --name or --labels");
        }
        if (model_.empty()) {
            throw UsageError("--rebuild needs -m MODEL, the model that encodes the pictures anew");
        }
        if (output_.empty() && is_stream(rebuild_)) {
            throw UsageError("--rebuild of a pipe or device needs -o GALLERY, the file to keep");
        }
        return;
    }
    if (output_.empty()) {
        throw UsageError("enroll needs -o GALLERY, the file to keep");
    }
    if (!remove_.empty() && (!inputs.empty() || append_)) {
        throw UsageError("--remove takes neither INPUT nor --append");
    }
    if (remove_.empty() && inputs.empty()) {
        throw UsageError("enroll needs an INPUT with a folder of pictures for each name");
    }
    if (name_ && (name_->empty() || *name_ == "unknown")) {
        throw UsageError(fmt::format("--name: '{}' can be nobody's name", *name_));
    }
}

int EnrollCommand::run(Console& console, const std::vector<std::string>& inputs) {
    check_usage(inputs);
    if (!rebuild_.empty()) {
        return rebuild(console);
    }
    check_writable(output_);
    check_replaces_only(output_, "gallery");
    std::optional<GalleryLock> lock;
    if (append_ || !remove_.empty()) {
        lock = lock_gallery(console, output_);
        recover_outputs(console, {output_});
    }
    if (!remove_.empty()) {
        return remove_name(console);
    }
    std::optional<Gallery> existing;
    if (append_) {
        check_gallery_memory(settings_.reading, output_);
        existing = load_gallery(output_);
        layer_ = layer_.empty() ? std::to_string(existing->depth) : layer_;
        l2_normalize_ = l2_normalize_.value_or(existing->l2_normalize);
        metric_ = metric_.value_or(existing->metric);
        false_accept_rate_ = false_accept_rate_.value_or(existing->false_accept_rate);
    } else if (std::filesystem::is_regular_file(output_)) {
        console.note(fmt::format("{} is there already and will be replaced (--append adds to it)", output_));
    }
    std::optional<NamedModel> named =
        existing ? std::optional(open_gallery_model(console, *existing, output_, model_))
                 : named_model(console, model_);
    Inputs opened(inputs, settings_.reading.picture_limits(preprocessing_of(named)));
    settings_.reading.label(console, opened);
    const NamedModel model = named ? std::move(*named) : shipped_model(console, opened);
    check_layer(model.model, layer_);
    check_gallery_memory(
        settings_.reading, existing ? output_ : "",
        opened.size() * model.model.code_size(layer_) * static_cast<std::int64_t>(sizeof(float)));
    check_outputs(opened, {{"the model", model.path}, {"the labels", settings_.reading.labels}},
                  {{"-o", output_}, {"--manifest", settings_.manifest}});
    settings_.kept.keep_beside(console, output_);
    catch_interrupts();
    OutputFiles files(stop_waiting);
    const OutputFile file = files.add(output_);
    InputMonitor monitor(console, files, settings_.manifest);
    Gallery gallery = encode(console, opened, model, monitor);
    const std::int64_t added = gallery.size();
    if (existing) {
        try {
            append(*existing, gallery);
        } catch (const InvalidArgument& error) {
            throw InvalidArgument(fmt::format("{}: {}", output_, error.what()));
        }
        gallery = std::move(*existing);
    }
    calibrate(console, gallery);
    if (!lock) {  // a gallery that is not read need not wait before it is replaced
        lock = lock_gallery(console, output_);
    }
    save(gallery, file);
    files.commit();
    settings_.kept.drop(console);
    print(gallery, added);
    return monitor.exit_code();
}

int EnrollCommand::remove_name(Console& console) {
    Gallery gallery = load_gallery(output_);
    const std::int64_t removed = remove(gallery, to_utf8(remove_));
    if (removed == 0) {
        throw InvalidArgument(fmt::format("{}: has nobody of the name '{}'", output_, remove_));
    }
    if (gallery.size() == 0) {
        throw InvalidArgument(
            fmt::format("{}: '{}' is the only name in it; delete the file instead", output_, remove_));
    }
    console.note(fmt::format("removed {} pictures of {}", removed, remove_));
    false_accept_rate_ = false_accept_rate_.value_or(gallery.false_accept_rate);
    calibrate(console, gallery);
    catch_interrupts();
    save(gallery, output_);
    print(gallery, 0);
    return exit_code::done;
}

void EnrollCommand::refuse_skipped(OutputFiles& manifest, InputMonitor& monitor, const Gallery& old) const {
    const std::int64_t skipped = monitor.manifest().skipped();
    if (skipped == 0 || skip_missing_) {
        return;
    }
    manifest.commit();  // which names them all
    throw IoError(
        fmt::format("{}: {} of its {} cannot be encoded anew, so that nothing was changed; paths are seen "
                    "from the current "
                    "folder; --skip-missing{} leaves them out",
                    rebuild_, format_count(skipped), format_count(old.size(), "picture"),
                    settings_.kept.is_there() ? " --resume" : ""));
}

bool EnrollCommand::is_rebuilt(const Gallery& gallery, const Model& model) const {
    std::error_code error;
    if (!settings_.kept.resume || !std::filesystem::equivalent(output_, rebuild_, error) ||
        !has_encoding_checkpoint(settings_.kept.checkpoint) || gallery.model_identity != model.identity() ||
        gallery.depth != model.depth_of(layer_) || gallery.l2_normalize != l2_normalize_ ||
        gallery.metric != metric_ || gallery.false_accept_rate != false_accept_rate_) {
        return false;
    }
    // A gallery of that very model may be rebuilt as well; it is older than the codes then.
    const EncodingProgress kept = load_encoding_progress(settings_.kept.checkpoint);
    const auto written = std::filesystem::last_write_time(output_, error);
    return !error && kept.model == gallery.model_identity && written >= kept.begun;
}

int EnrollCommand::rebuild(Console& console) {
    output_ = output_.empty() ? rebuild_ : output_;
    check_writable(output_);
    check_replaces_only(output_, "gallery");
    std::error_code ignored;
    if (std::filesystem::is_regular_file(output_, ignored) &&
        !std::filesystem::equivalent(output_, rebuild_, ignored)) {
        console.note(fmt::format("{} is there already and will be replaced", output_));
    }
    const GalleryLock lock = lock_gallery(console, output_);
    recover_outputs(console, {rebuild_, output_});
    check_gallery_memory(settings_.reading, rebuild_);
    const Gallery old = load_gallery(rebuild_);
    l2_normalize_ = l2_normalize_.value_or(old.l2_normalize);
    metric_ = metric_.value_or(old.metric);
    false_accept_rate_ = false_accept_rate_.value_or(old.false_accept_rate);
    std::optional<NamedModel> named = named_model(console, model_);
    const Inputs pictures(
        gallery_pictures(old, rebuild_, settings_.reading.picture_limits(preprocessing_of(named))));
    const NamedModel model = named ? std::move(*named) : shipped_model(console, pictures);
    check_layer(model.model, layer_);
    check_gallery_memory(
        settings_.reading, rebuild_,
        old.size() * model.model.code_size(layer_) * static_cast<std::int64_t>(sizeof(float)));
    const std::vector<NamedPath> written{{"-o", output_}, {"--manifest", settings_.manifest}};
    std::vector<NamedPath> read{{"the model", model.path}};
    add_replaced(*pictures.sources().front().pictures, written, read);
    check_outputs(read, written);
    check_outputs({{"the gallery", rebuild_}}, {{"--manifest", settings_.manifest}});
    settings_.kept.keep_beside(console, output_);
    if (is_rebuilt(old, model.model)) {
        console.note(fmt::format("{} is rebuilt already: nothing to go on with", output_));
        settings_.kept.drop(console);
        return exit_code::done;
    }
    catch_interrupts();
    OutputFiles files(stop_waiting);
    InputMonitor monitor(console, files, settings_.manifest);
    if (!skip_missing_) {
        enter_missing(*pictures.sources().front().pictures, monitor);
        refuse_skipped(files, monitor, old);  // before time is spent on the others
    }
    Gallery gallery = encode(console, pictures, model, monitor);
    refuse_skipped(files, monitor, old);
    calibrate(console, gallery);
    const OutputFile file = files.add(output_);
    save(gallery, file);
    files.commit();
    settings_.kept.drop(console);
    console.note(fmt::format("encoded anew: {} of {} by {}, {} a picture; before {}",
                             format_count(gallery.size()), format_count(old.size(), "picture"), model.path,
                             format_count(gallery.codes.columns(), "value"), old.codes.columns()));
    print(gallery, 0);
    return monitor.exit_code();
}

Gallery EnrollCommand::encode(Console& console, const Inputs& inputs, const NamedModel& model,
                              InputMonitor& monitor) {
    Gallery gallery;
    gallery.model_identity = model.model.identity();
    gallery.model_path = model.path;
    gallery.depth = model.model.depth_of(layer_);
    gallery.l2_normalize = l2_normalize_.value_or(false);
    gallery.metric = metric_.value_or(Metric::l2);
    std::vector<float> values;
    settings_.keep_all = true;  // to measure the threshold may take long
    const EncodeOptions options{.output = layer_, .l2_normalize = gallery.l2_normalize};
    encode_inputs(
        console,
        {.inputs = inputs, .model = model.model, .encode = options, .need_label = true, .label = name_},
        settings_, monitor, [&](const InputBatch& batch, const Tensor& codes) {
            for (const ImageEntry& entry : batch.entries) {
                if (*entry.label == "unknown") {
                    throw InvalidArgument(fmt::format(
                        "{}: the name 'unknown' is kept for pictures that are near nobody; rename "
                        "its folder",
                        entry.path));
                }
                gallery.names.push_back(to_utf8(*entry.label));
                gallery.paths.push_back(to_utf8(entry.path));
            }
            values.insert(values.end(), codes.values().begin(), codes.values().end());
        });
    monitor.manifest().finish();
    gallery.codes = Tensor({gallery.size(), model.model.code_size(layer_)});
    std::copy(values.begin(), values.end(), gallery.codes.data());
    return gallery;
}

void EnrollCommand::calibrate(Console& console, Gallery& gallery) const {
    stackae::calibrate(gallery, false_accept_rate_.value_or(default_false_accept_rate),
                       settings_.reading.threads);
    if (interrupted()) {
        settings_.kept.tell(console);
    }
    check_interrupted();
}

/// What the gallery holds now.
void EnrollCommand::print(const Gallery& gallery, std::int64_t added) const {
    const double rate = false_accept_rate_.value_or(default_false_accept_rate);
    const auto counts = count_names(gallery);
    TextTable table;
    for (const auto& [name, count] : counts) {
        table.add({name, format_count(count)});
    }
    ResultWriter results;
    results.write(fmt::format(
        "{}: {} of {}{}\n{}", output_, format_count(gallery.size(), "picture"),
        format_count(std::ssize(counts), "name"),
        added > 0 && added < gallery.size() ? fmt::format(", {} of them new", format_count(added)) : "",
        table.text()));
    const std::int64_t measured = calibration_size(gallery);
    if (gallery.threshold == Gallery::reject_all) {
        results.write(fmt::format(
            "threshold none: {}pictures of different names have the same code, so nobody is given a "
            "name ({}recognize --threshold may allow it)\n",
            gallery.rate_known ? "" : "all ", gallery.rate_known ? "--false-accept or " : ""));
    } else if (gallery.threshold && !gallery.rate_known) {
        results.write(fmt::format(
            "threshold {:.6g} ({} distance): beyond it a picture is unknown; all {} pictures measured are "
            "equally far from other names, which tells no share of strangers that would be named\n",
            *gallery.threshold, name(gallery.metric), format_count(measured)));
    } else if (gallery.threshold) {
        results.write(fmt::format(
            "threshold {:.6g} ({} distance): beyond it a picture is unknown; an estimate by which about "
            "{:.3g}% of strangers are given a name, measured on {} pictures\n",
            *gallery.threshold, name(gallery.metric), 100.0 * rate, format_count(measured)));
        if (is_rate_coarse(gallery)) {
            results.write(fmt::format("{} pictures are too few to promise that rate\n", measured));
        }
    } else {
        results.write(
            "no threshold: with one name there are no strangers to calibrate on, so every picture will be "
            "given that name\n");
    }
    results.finish();
}

}  // namespace

std::unique_ptr<Command> make_enroll_command() {
    return std::make_unique<EnrollCommand>();
}

}  // namespace stackae::cli
