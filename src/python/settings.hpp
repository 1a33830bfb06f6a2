#pragma once

#include <map>
#include <string>

#include "stackae/train_config.hpp"

namespace stackae::python {

/// Options by their names, as OptionSet::set() takes them.
using Settings = std::map<std::string, std::string>;

inline void set_all(OptionSet& options, const Settings& settings) {
    for (const auto& [name, value] : settings) {
        options.set(name, value);
    }
}

[[nodiscard]] inline RunOptions run_of(const Settings& settings) {
    RunOptions run;
    set_all(run, settings);
    return run;
}

}  // namespace stackae::python
