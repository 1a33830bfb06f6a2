#include "stackae/short_forms.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <string_view>
#include <utility>

#include "stackae/enum_names.hpp"
#include "stackae/error.hpp"

#include "base/fields.hpp"
#include "base/with_context.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/elsa.hpp"
#include "layers/group_pool.hpp"
#include "layers/nystroem.hpp"
#include "layers/pca.hpp"
#include "layers/pool2d.hpp"
#include "layers/power_norm.hpp"

namespace stackae {
namespace {

using namespace layers;

constexpr std::string_view no_invariance = "none";
constexpr const char* code_on_top = "pca:{}:eigen_power=-0.25, l2_norm";

template <class Kind>
bool is(const std::shared_ptr<const Layer>& layer) {
    return layer->type() == Kind::kind_name;
}

/// Whether it makes maps of maps.
bool is_map(const std::shared_ptr<const Layer>& layer) {
    return is<Conv2d>(layer) || is<Pool2d>(layer);
}

/// The same layer with another value of a field.
template <class Value>
void set(std::shared_ptr<const Layer>& layer, std::string_view field, const Value& value) {
    std::unique_ptr<Layer> changed = layer->clone();
    base::FieldTable table;
    changed->fields(table);
    table.find(field)->parse(fmt::format("{}", value));
    layer = std::move(changed);
}

bool says(const std::shared_ptr<const Layer>& layer, std::string_view field) {
    const std::unique_ptr<Layer> copy = layer->clone();
    base::FieldTable table;
    copy->fields(table);
    return table.find(field)->text() != "auto";
}

/// The layers of one `UNITS@KERNEL:…`.
Layers convolution(std::string_view text) {
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view head = text.substr(0, end);
    const std::size_t at = head.find('@');
    if (at == std::string_view::npos) {
        throw InvalidArgument(
            fmt::format("convolutions: \"{}\" found, UNITS@KERNEL expected, such as 256@5:pool=2", text));
    }
    std::string filters = fmt::format("conv2d:{}:kernel={}", head.substr(0, at), head.substr(at + 1));
    std::string pool = "2";
    std::string mode;
    std::string below;
    std::string above;
    for (std::size_t begin = end; begin < text.size();) {
        const std::size_t next = std::min(text.find(':', begin + 1), text.size());
        const std::string_view part = text.substr(begin + 1, next - begin - 1);
        begin = next;
        if (part.starts_with("pool=")) {
            pool = part.substr(part.find('=') + 1);
            if (const std::size_t slash = pool.find('/'); slash != std::string::npos) {
                pool.replace(slash, 1, ":stride=");
            }
        } else if (part.starts_with("grid=")) {
            pool = part;
        } else if (part == "max") {
            mode = ":mode=maximum";
        } else if (part == "power_norm") {
            above = ", power_norm";
        } else {
            filters += fmt::format(":{}", part);
            // Linear units of slow features are compared by their directions.
            below = part.starts_with("slow_offset=") ? ", l2_norm" : below;
        }
    }
    return base::with_context(fmt::format("convolutions: {}", text), [&] {
        return parse_stack(filters + below + ", pool2d:" + pool + mode + above).layers();
    });
}

/// A stack as short forms see it, in its order: up to the last layer of maps, from there to the last dense
/// layer, and what is on top.
struct Parts {
    Layers maps;
    Layers dense;
    Layers top;

    explicit Parts(const Stack& stack) : top(stack.layers()) {
        move_up_to(is_map, maps);
        move_up_to(is<Dense>, dense);
    }

    [[nodiscard]] Layers whole() const {
        Layers all = maps;
        all.insert(all.end(), dense.begin(), dense.end());
        all.insert(all.end(), top.begin(), top.end());
        return all;
    }

private:
    /// What is in `top` up to the last layer of those.
    template <class Test>
    void move_up_to(const Test& test, Layers& to) {
        const auto end = std::find_if(top.rbegin(), top.rend(), test).base();
        to.assign(top.begin(), end);
        top.erase(top.begin(), end);
    }
};

template <class Kind, class Change>
void change_each(Layers& layers, const char* part, const Change& change) {
    std::size_t number = 0;
    for (auto& layer : layers) {
        if (is<Kind>(layer)) {
            change(layer, number++);
        }
    }
    if (number == 0) {
        throw InvalidArgument(
            fmt::format("{}: a stack without {} found, one with them expected", part, Kind::kind_name));
    }
}

/// One value for all dense layers, or one each. may_be_none: where there are none, nothing is changed.
template <class Value>
void change_dense(Layers& dense, const char* part, const char* field, const std::vector<Value>& values,
                  bool may_be_none = false) {
    const auto count = static_cast<std::size_t>(std::count_if(dense.begin(), dense.end(), is<Dense>));
    if (values.empty() || (count == 0 && may_be_none)) {
        return;
    }
    if (count > 0 && values.size() != 1 && values.size() != count) {
        throw InvalidArgument(fmt::format("{}: {} values found, 1 or {} expected, one a dense layer", part,
                                          values.size(), count));
    }
    change_each<Dense>(dense, part, [&](auto& layer, std::size_t number) {
        const Value& value = values[values.size() == 1 ? 0 : number];
        if constexpr (std::is_enum_v<Value>) {
            set(layer, field, name(value));
        } else {
            set(layer, field, value);
        }
    });
}

void set_layers(Parts& parts, const std::vector<std::int64_t>& units) {
    Layers like;
    std::copy_if(parts.dense.begin(), parts.dense.end(), std::back_inserter(like), is<Dense>);
    if (like.empty()) {
        like.push_back(std::make_shared<Dense>());
        // What is above is no longer of codes that are 0 or more.
        std::erase_if(parts.top, is<PowerNorm>);
    }
    Layers made;
    for (std::size_t i = 0; i < units.size(); ++i) {
        const bool last = i + 1 == units.size() && i > 0;
        const std::size_t of = last ? like.size() - 1 : std::min(i, like.size() < 2 ? 0 : like.size() - 2);
        made.push_back(like[of]);
        set(made.back(), "units", units[i]);
    }
    const auto first = std::find_if(parts.dense.begin(), parts.dense.end(), is<Dense>);
    if (std::all_of(first, parts.dense.end(), is<Dense>)) {
        parts.dense.erase(first, parts.dense.end());
        parts.dense.insert(parts.dense.end(), made.begin(), made.end());
    } else if (made.size() == like.size()) {
        auto next = made.begin();
        std::replace_if(parts.dense.begin(), parts.dense.end(), is<Dense>, nullptr);
        for (auto& layer : parts.dense) {
            layer = layer ? layer : *next++;
        }
    } else {
        throw InvalidArgument(fmt::format("layers: {} values found, {} expected: others are between them",
                                          made.size(), like.size()));
    }
}

void set_code(Layers& top, std::int64_t size) {
    if (size == 0) {
        top.clear();
    } else if (const auto found = std::find_if(top.begin(), top.end(), is<Pca>); found != top.end()) {
        set(*found, "n_components", size);
    } else {
        const Stack code = parse_stack(fmt::format(fmt::runtime(code_on_top), size));
        top.insert(top.end(), code.layers().begin(), code.layers().end());
    }
}

void set_components(Parts& parts, std::int64_t size) {
    if (parts.top.empty() && !parts.dense.empty()) {
        set(parts.dense.back(), "units", size);
    } else {
        set_code(parts.top, size);
    }
}

void set_power_norm(Layers& top, bool wanted) {
    const auto pca = std::find_if(top.begin(), top.end(), is<Pca>);
    if (wanted && pca == top.end()) {
        throw InvalidArgument(
            "power_norm: no pca on top of the convolutions and dense layers found, one (--code-size) "
            "expected");
    }
    const auto found = std::find_if(top.begin(), pca, is<PowerNorm>);
    if (wanted && found == pca) {
        top.insert(pca, std::make_shared<PowerNorm>());
    } else if (!wanted && found != pca) {
        top.erase(found);
    }
}

void set_nystroem(Layers& top, std::int64_t landmarks) {
    const auto found = std::find_if(top.rbegin(), top.rend(), is<Nystroem>);
    if (landmarks == 0) {
        top.erase(std::find_if(top.begin(), top.end(), is<Nystroem>), top.end());
    } else if (found != top.rend()) {
        set(*found, "n_landmarks", landmarks);
    } else {
        auto layer = std::make_shared<Nystroem>();
        layer->n_landmarks = landmarks;
        top.push_back(std::move(layer));
    }
}

/// Where a group_pool belongs: above all maps and their power_norm; the begin where there are no maps.
Layers::iterator above_maps(Layers& all) {
    const auto above = std::find_if(all.rbegin(), all.rend(), is_map).base();
    return above == all.begin() ? above : std::find_if_not(above, all.end(), is<PowerNorm>);
}

/// Takes out the group_pool that is where it belongs; its group.
std::optional<std::string> take_invariance(Layers& all) {
    const auto place = above_maps(all);
    if (place == all.begin() || place == all.end() || !is<GroupPool>(*place)) {
        return std::nullopt;
    }
    const std::string group = name(static_cast<const GroupPool&>(**place).group);
    all.erase(place);
    return group;
}

void set_invariance(Layers& all, const std::string& group) {
    if (group == no_invariance) {
        return;
    }
    const auto above = above_maps(all);
    if (above == all.begin()) {
        throw InvalidArgument("invariance: a stack without convolutions found, one with them expected");
    }
    std::shared_ptr<const Layer> layer = std::make_shared<GroupPool>();
    set(layer, "group", group);
    all.insert(above, std::move(layer));
}

}  // namespace

Stack apply(const ShortForms& forms, const Stack& stack) {
    // What codes are the same for stays, whatever is changed below and above.
    Layers plain = stack.layers();
    std::optional<std::string> invariance = take_invariance(plain);
    if (forms.invariance) {
        std::erase_if(plain, is<GroupPool>);
        invariance = forms.invariance;
    }
    Parts parts{Stack(std::move(plain))};
    if (!forms.convolutions.empty()) {
        parts.maps.clear();
        for (const std::string& text : forms.convolutions) {
            const Layers layers = convolution(text);
            parts.maps.insert(parts.maps.end(), layers.begin(), layers.end());
        }
        if (is<PowerNorm>(parts.maps.back())) {
            std::erase_if(parts.top, is<PowerNorm>);
        }
    }
    if (!forms.layers.empty()) {
        set_layers(parts, forms.layers);
    }
    if (forms.code_size) {
        set_code(parts.top, *forms.code_size);
    }
    if (forms.components) {
        set_components(parts, *forms.components);
    }
    if (forms.power_norm) {
        set_power_norm(parts.top, *forms.power_norm);
    }
    if (forms.nystroem) {
        set_nystroem(parts.top, *forms.nystroem);
    }
    Layers all = parts.whole();
    change_dense(all, "activations", "activation", forms.activations);
    change_dense(all, "epochs", "epochs", forms.epochs, forms.epochs.size() == 1);
    change_dense(all, "corruption_level", "corruption_level", forms.corruption_level,
                 forms.corruption_level.size() == 1);
    if (forms.output) {
        change_each<Dense>(all, "output_activation", [&](auto& layer, std::size_t number) {
            if (number == 0) {
                set(layer, "output", name(*forms.output));
            }
        });
    }
    if (forms.tied) {
        change_each<Dense>(all, "tied",
                           [&](auto& layer, std::size_t /*number*/) { set(layer, "tied", *forms.tied); });
    }
    if (invariance) {
        set_invariance(all, *invariance);
    }
    if (forms.patches) {
        change_each<Conv2d>(all, "patches", [&](auto& layer, std::size_t /*number*/) {
            set(layer, "patches", *forms.patches);
        });
    }
    if (forms.patch_epochs) {
        change_each<Conv2d>(all, "patch_epochs", [&](auto& layer, std::size_t /*number*/) {
            if (static_cast<const Conv2d&>(*layer).slow_offset == 0) {
                set(layer, "epochs", *forms.patch_epochs);
            }
        });
    }
    return Stack(std::move(all));
}

Stack with_elsa_field(const Stack& stack, std::string_view field, std::string_view value, bool in_any_case) {
    Layers all = stack.layers();
    for (auto& layer : all) {
        if (is<Elsa>(layer) && (in_any_case || !says(layer, field))) {
            set(layer, field, value);
        }
    }
    return Stack(std::move(all));
}

Stack with_elsa_fields_said(const Stack& stack) {
    Stack said = with_elsa_field(stack, "epochs", fmt::format("{}", Elsa::usual_epochs), false);
    said = with_elsa_field(said, "batch_size", "0", false);
    return with_elsa_field(said, "learning_rate", fmt::format("{}", Elsa::usual_rate), false);
}

}  // namespace stackae
