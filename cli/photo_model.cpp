#include "cli/photo_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <lapse/host/affinity.hpp>
#include <nlohmann/json.hpp>

namespace lapse::cli {
namespace {

namespace fs = std::filesystem;

// Seen from the program's folder: a build tree, and an installed lapse.
Result<fs::path> find_model(std::size_t scale) {
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  const std::string name = fmt::format("photo-x{}.onnx", scale);
  std::error_code ignored;
  for (const char* folder : {"../models/photo-sr", "../share/lapse/models/photo-sr"}) {
    const fs::path file = (program / folder / name).lexically_normal();
    if (fs::exists(file, ignored)) return file;
  }
  return fail(ErrorCode::BadModel, fmt::format("{} is not beside this lapse", name), "name a model with --model");
}

struct Settings {
  image::Scaling scaling;
  std::size_t batch = 4;
};

Result<Settings> read_settings(const fs::path& model) {
  fs::path file = model;
  file.replace_extension(".json");
  const auto wrong = [&](const char* what) {
    return fail(ErrorCode::BadModel, fmt::format("{} {}", file.string(), what),
                R"(such as {"photo": {"scale": 2, "tile": 128, "halo": 12}, "max_batch": 4}: halo is the receptive field to one side)");
  };
  std::ifstream stream(file);
  if (!stream) return wrong("is not there, and it has to say how the model enlarges photos");
  const auto json = nlohmann::json::parse(stream, nullptr, false);
  const auto number = [](const nlohmann::json& from, const char* key) -> std::optional<std::size_t> {
    if (!from.is_object() || !from.contains(key) || !from[key].is_number_unsigned()) return std::nullopt;
    return from[key].get<std::size_t>();
  };
  if (!json.is_object() || !json.contains("photo")) return wrong("doesn't say how the model enlarges photos");
  const auto scale = number(json["photo"], "scale"), tile = number(json["photo"], "tile"), halo = number(json["photo"], "halo");
  if (!scale || !tile || !halo) return wrong("doesn't tell scale, tile and halo as whole numbers");
  return Settings{{*scale, *tile, *halo}, std::max<std::size_t>(number(json, "max_batch").value_or(Settings{}.batch), 1)};
}

}  // namespace

Result<PhotoModel> PhotoModel::load(const PhotoModelOptions& options) {
  fs::path file = options.file;
  if (file.empty()) {
    LAPSE_TRY(file, find_model(options.scale));
  }
  PhotoModel model;
  LAPSE_TRY(const Settings settings, read_settings(file));
  model.scaling_ = settings.scaling;
  if (options.tile > 0) model.scaling_.tile = options.tile;
  model.batch_ = options.batch > 0 ? options.batch : settings.batch;
  LAPSE_CHECK(image::Tiling::make(1, 1, model.scaling_));
  measuring::ModelRequest request;
  request.model = file.string();
  request.device = options.device;
  request.threads = options.threads > 0 ? options.threads : std::max(1, host::usable_cpus() - 1);
  LAPSE_TRY(model.model_, measuring::load_model(request));
  const auto& session = *model.model_.session;
  if (session.inputs().size() != 1 || (!session.outputs().empty() && session.outputs().size() != 1)) {
    return fail(ErrorCode::BadModel,
                fmt::format("{} has {} inputs and {} outputs", file.string(), session.inputs().size(), session.outputs().size()),
                "a photo model takes RGB tiles and gives them back larger");
  }
  return model;
}

Result<tensor::Tensor> PhotoModel::infer(const tensor::TensorView& tiles) {
  LAPSE_TRY(auto binding, model_.session->bind({&tiles, 1}));
  const lapse_status status = binding.submit(model_.timeline->stream());
  if (status != LAPSE_OK) return tl::unexpected(binding.error(status));
  LAPSE_CHECK(model_.timeline->synchronize());
  LAPSE_TRY(const auto outputs, binding.outputs());
  LAPSE_TRY(auto output, tensor::Tensor::make(outputs.front().dtype, {outputs.front().shape.begin(), outputs.front().shape.end()}));
  std::memcpy(output.data(), outputs.front().data, output.bytes());
  return output;
}

}  // namespace lapse::cli
