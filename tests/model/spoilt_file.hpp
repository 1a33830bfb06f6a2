#pragma once

#include <functional>
#include <string>

#include "stackae/error.hpp"
#include "stackae/model.hpp"

#include "base/json.hpp"
#include "base/safetensors.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::test {

/// What load_model() says of a model's file after a change, with a checksum that fits; without the
/// file's name.
inline std::string refusal(const Model& model, const std::function<void(base::Safetensors&)>& change) {
    const TemporaryFolder folder;
    save(model, folder / "m");
    base::Safetensors file = base::read_safetensors(folder / "m");
    change(file);
    base::write_safetensors(file, folder / "m");
    try {
        (void)load_model(folder / "m");
    } catch (const CorruptFile& error) {
        const std::string message = error.what();
        CHECK(message.rfind(folder / "m" + ": ", 0) == 0);
        return message.substr((folder / "m: ").size());
    }
    return "nothing was thrown";
}

/// The same for a change of the JSON description.
inline std::string refusal_of_description(const Model& model,
                                          const std::function<void(nlohmann::json&)>& change) {
    return refusal(model, [&](base::Safetensors& file) {
        nlohmann::json description = nlohmann::json::parse(file.text("model"));
        change(description);
        file.metadata["model"] = description.dump();
    });
}

/// The text of an error of the library.
inline std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

inline Tensor& tensor_of(base::Safetensors& file, const std::string& name) {
    return const_cast<Tensor&>(file.at(name));
}

/// No beginning of the model's file and no flipped bit of it, at every so many bytes, is taken for a model.
inline void check_damage_is_found(const Model& model, std::size_t step) {
    const TemporaryFolder folder;
    save(model, folder / "m");
    const std::string file = read_text(folder / "m");
    for (std::size_t i = 0; i < file.size(); i += step) {
        INFO("byte " << i);
        write_text(folder / "bad", file.substr(0, i));
        CHECK_THROWS_AS(load_model(folder / "bad"), CorruptFile);
        std::string flipped = file;
        flipped[i] = static_cast<char>(static_cast<unsigned char>(flipped[i]) ^ (1U << (i % 8)));
        write_text(folder / "bad", flipped);
        CHECK_THROWS_AS(load_model(folder / "bad"), CorruptFile);
    }
}

}  // namespace stackae::test
