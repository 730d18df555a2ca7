#include "cli/model_options.hpp"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "cli/command.hpp"

namespace lapse::cli {
namespace {

constexpr double kAnything = std::numeric_limits<double>::infinity();

// "NAME=VALUE" at the last '=', because the names of tensors may hold one.
Result<std::pair<std::string, std::string>> split(std::string_view option, std::string_view text, std::string_view example) {
  const std::size_t equals = text.rfind('=');
  if (equals == text.npos || equals == 0 || equals + 1 == text.size()) {
    return fail(ErrorCode::BadUse, fmt::format("{} '{}' is not NAME=VALUE", option, text),
                fmt::format("for example: {} {}", option, example));
  }
  return std::pair{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

// "NAME:TYPE", where a name may hold colons too: what stands behind the last one is a type only if it is the name of one.
std::pair<std::string, std::optional<tensor::DType>> split_type(const std::string& name) {
  const std::size_t colon = name.rfind(':');
  if (colon == name.npos || colon == 0) return {name, std::nullopt};
  const auto dtype = tensor::parse_dtype(std::string_view(name).substr(colon + 1));
  if (!dtype) return {name, std::nullopt};
  return {name.substr(0, colon), *dtype};
}

template <class Map, class Value>
Result<void> put(Map& map, std::string_view option, std::string name, Value value) {
  if (map.contains(name)) return fail(ErrorCode::BadUse, fmt::format("{} is given twice for '{}'", option, name), "give it once");
  map.emplace(std::move(name), std::move(value));
  return {};
}

}  // namespace

void EngineOptions::add_to(CLI::App& command) {
  const auto option = [&](const char* name, auto& value, const char* type, const char* text) {
    return command.add_option(name, value, text)->type_name(type)->group("Engine");
  };
  option("--engine", engine, "NAME|PATH", "Engine by name, or the path of a plug-in (default: by the ending of the file)");
  option("--engine-lib", library, "PATH", "Library to measure (default for onnxruntime: ORT_DYLIB_PATH, else the one found)");
  option("--engine-opt", options, "KEY=VALUE", "Setting of the engine, repeatable; `lapse engines` lists them")->allow_extra_args(false);
  option("--device", device, "DEVICE", "Device to run on (default: the engine's own choice)");
  option("--threads", threads, "N", "CPU threads of one inference (default: the usable CPUs, shared by those in flight)")
      ->check(number_between(1, 4096));
  option("--rtol", rtol, "X", "Relative tolerance of an expected output (default: 1e-3)")->check(number_between(0, kAnything));
  option("--atol", atol, "X", "Absolute tolerance of an expected output (default: 1e-5)")->check(number_between(0, kAnything));
}

Result<measuring::ModelRequest> EngineOptions::request(const std::string& model) const {
  measuring::ModelRequest request;
  request.model = model;
  request.engine = engine;
  request.engine_library = library;
  request.device = device;
  if (threads > 0) request.threads = threads;
  for (const std::string& option : options) {
    LAPSE_TRY(auto pair, split("--engine-opt", option, "optimization=basic"));
    request.engine_options.push_back(std::move(pair));
  }
  request.tolerance = {rtol, atol};
  return request;
}

void InputOptions::add_to(CLI::App& command) {
  const auto option = [&](const char* name, auto& value, const char* type, const char* text) {
    return command.add_option(name, value, text)->type_name(type)->group("Inputs");
  };
  const auto repeatable = [&](const char* name, std::vector<std::string>& values, const char* type, const char* text) {
    option(name, values, type, text)->allow_extra_args(false);
  };
  repeatable("--shape", shapes, "NAME[:TYPE]=DIMS", "Shape of an input, and its type where the model doesn't tell it: ids:int64=1x128");
  repeatable("--dim", dimensions, "NAME=N", "Size of a dynamic dimension by the model's name for it: sequence=384");
  option("--batch", batch, "N", "First dimension of every input (default: 1, or what the model fixes)")->check(number_between(1, 1e12));
  repeatable("--fill", fills, "[NAME=]KIND", "Made-up data: normal, uniform, zeros, ints:LOW..HIGH (default: normal; integers 0 or 1)");
  option("--seed", seed, "N", "Seed of the made-up data (default: 0)");
  option("--rotate", rotate, "N", "Number of differently seeded input sets to go round (default: 1)")->check(number_between(1, 100'000));
  repeatable("--input", files, "NAME=FILE", "Input data from a .npy file");
  repeatable("--expect", expected, "NAME=FILE", "Expected output, by name or number, from a .npy file: a wrong answer is never timed");
}

Result<measuring::InputRequest> InputOptions::request() const {
  measuring::InputRequest request;
  for (const std::string& text : shapes) {
    LAPSE_TRY(auto pair, split("--shape", text, "x=1x3x224x224"));
    auto [name, dtype] = split_type(pair.first);
    LAPSE_TRY(auto shape, tensor::parse_shape(pair.second));
    LAPSE_CHECK(put(request.shapes, "--shape", name, measuring::ShapeRequest{dtype, std::move(shape)}));
  }
  for (const std::string& text : files) {
    LAPSE_TRY(auto pair, split("--input", text, "x=photo.npy"));
    LAPSE_CHECK(put(request.files, "--input", pair.first, std::filesystem::path(pair.second)));
  }
  for (const std::string& text : expected) {
    LAPSE_TRY(auto pair, split("--expect", text, "y=answer.npy"));
    LAPSE_CHECK(put(request.expected, "--expect", pair.first, std::filesystem::path(pair.second)));
  }
  for (const std::string& text : dimensions) {
    LAPSE_TRY(auto pair, split("--dim", text, "sequence=384"));
    LAPSE_TRY(const auto size, tensor::parse_shape(pair.second));
    if (size.size() != 1)
      return fail(ErrorCode::BadUse, fmt::format("--dim '{}': one size is expected", text), "for example: --dim sequence=384");
    LAPSE_CHECK(put(request.dimensions, "--dim", pair.first, size.front()));
  }
  for (const std::string& text : fills) {
    const std::size_t equals = text.rfind('=');
    const std::string name = equals == text.npos ? "" : text.substr(0, equals);
    LAPSE_TRY(const auto fill, tensor::parse_fill(std::string_view(text).substr(equals == text.npos ? 0 : equals + 1)));
    LAPSE_CHECK(put(request.fills, "--fill", name, fill));
  }
  if (batch > 0) request.batch = batch;
  request.seed = seed;
  request.rotate = rotate;
  return request;
}

}  // namespace lapse::cli
