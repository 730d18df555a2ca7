#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <lapse/measure/inputs.hpp>
#include <lapse/tensor/npy.hpp>
#include <set>

namespace lapse::measuring {
namespace {

using engine::Port;

std::string describe(const Port& port) {
  std::string text = fmt::format("{} {}", port.name, tensor::name(port.dtype));
  if (!port.dims) return port.name;
  text += " ";
  for (std::size_t i = 0; i < port.dims->size(); ++i) {
    const engine::Dimension& dimension = (*port.dims)[i];
    text += i == 0 ? "" : "x";
    text += dimension.size >= 0 ? std::to_string(dimension.size) : dimension.name.empty() ? "?" : dimension.name;
  }
  if (port.dims->empty()) text += "scalar";
  return text;
}

std::string describe(const std::vector<Port>& ports) {
  std::vector<std::string> texts;
  for (const Port& port : ports) texts.push_back(describe(port));
  return texts.empty() ? "the model has no inputs" : fmt::format("the model's inputs are: {}", fmt::join(texts, "; "));
}

template <class Map>
Result<void> check_names(const Map& by_name, const std::vector<Port>& ports, std::string_view option) {
  for (const auto& [name, value] : by_name) {
    if (name.empty() || std::ranges::any_of(ports, [&](const Port& port) { return port.name == name; })) continue;
    return fail(ErrorCode::BadInput, fmt::format("{} {}: the model has no input of that name", option, name), describe(ports));
  }
  return {};
}

// Sizes for dimensions that a model leaves open, by the names that exporters give them.
struct Habit {
  std::string_view part;
  std::int64_t size;
};
constexpr std::array kHabits{Habit{"seq", 128},  Habit{"length", 128}, Habit{"len", 128},  Habit{"token", 128},
                             Habit{"time", 128}, Habit{"height", 224}, Habit{"width", 224}};

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_batch_name(const std::string& dimension) {
  const std::string name = lower_case(dimension);
  return name == "n" || name == "b" || name.find("batch") != name.npos;
}

std::optional<std::int64_t> habitual_size(const std::string& dimension) {
  const std::string name = lower_case(dimension);
  if (is_batch_name(name)) return 1;
  if (name == "h" || name == "w") return 224;
  for (const Habit& habit : kHabits) {
    if (name.find(habit.part) != name.npos) return habit.size;
  }
  return std::nullopt;
}

class Preparation {
 public:
  Preparation(const engine::Session& session, const InputRequest& request)
      : ports_(session.inputs()), outputs_(session.outputs()), request_(request) {}

  Result<Inputs> operator()() {
    LAPSE_CHECK(check_request());
    result_.sets.resize(request_.rotate);
    for (std::size_t i = 0; i < ports_.size(); ++i) LAPSE_CHECK(add(ports_[i], i));
    LAPSE_CHECK(check_dimensions_used());
    LAPSE_TRY(result_.batch, batch_of(ports_, result_.sets.front().inputs, request_.batch));
    if (!filled_integers_.empty()) {
      result_.warnings.push_back({"integer_fill", {{"inputs", fmt::format("{}", fmt::join(filled_integers_, ", "))}}});
    }
    for (const auto& [key, file] : request_.expected) {
      LAPSE_TRY(const std::size_t position, output_position(key));
      LAPSE_TRY(auto tensor, tensor::read_npy(file));
      result_.sets.front().expected.push_back({position, std::move(tensor)});
    }
    return std::move(result_);
  }

 private:
  // By name, or by number. A TorchScript file may not tell its outputs: then only the number is left.
  Result<std::size_t> output_position(const std::string& key) const {
    const auto port = std::ranges::find(outputs_, key, &Port::name);
    if (port != outputs_.end()) return static_cast<std::size_t>(port - outputs_.begin());
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
    if (error == std::errc{} && end == key.data() + key.size()) return number;
    std::vector<std::string> names;
    for (const Port& output : outputs_) names.push_back(output.name);
    return fail(ErrorCode::BadInput, fmt::format("--expect {}: the model has no output of that name", key),
                names.empty() ? "name an output by its number, from 0"
                              : fmt::format("the outputs are: {}; or a number, from 0", fmt::join(names, ", ")));
  }

  Result<void> check_request() const {
    LAPSE_CHECK(check_names(request_.shapes, ports_, "--shape"));
    LAPSE_CHECK(check_names(request_.files, ports_, "--input"));
    LAPSE_CHECK(check_names(request_.fills, ports_, "--fill"));
    if (!request_.expected.empty() && request_.rotate > 1) {
      return fail(ErrorCode::BadInput, "--expect and --rotate don't go together: there is one expected answer and several inputs",
                  "leave --rotate out, or put the sets into a folder in the ONNX test-data layout");
    }
    return {};
  }

  Result<void> check_dimensions_used() const {
    for (const auto& [name, size] : request_.dimensions) {
      if (used_dimensions_.contains(name)) continue;
      return fail(ErrorCode::BadInput, fmt::format("--dim {}: no input that is left open has a dimension of that name", name),
                  describe(ports_));
    }
    return {};
  }

  Result<void> add(const Port& port, std::size_t index) {
    if (const auto file = request_.files.find(port.name); file != request_.files.end()) return read(port, file->second);
    LAPSE_TRY(const tensor::DType dtype, type_of(port));
    LAPSE_TRY(const tensor::Shape shape, shape_of(port));
    auto how = request_.fills.find(port.name);
    if (how == request_.fills.end()) how = request_.fills.find("");
    const tensor::Fill fill = how == request_.fills.end() ? tensor::Fill{} : how->second;
    const bool integer = !tensor::is_floating(dtype) && dtype != tensor::DType::Bool;
    if (integer && fill.kind == tensor::Fill::Kind::Default) filled_integers_.push_back(port.name);
    for (std::size_t set = 0; set < result_.sets.size(); ++set) {
      auto tensor = tensor::Tensor::make(dtype, shape);
      if (!tensor) return named(port, std::move(tensor).error());
      // Every input of every set has data of its own.
      const std::uint64_t seed = request_.seed + set * ports_.size() + index;
      if (auto filled = tensor::fill(*tensor, fill, seed); !filled) return named(port, std::move(filled).error());
      result_.sets[set].inputs.push_back(std::move(*tensor));
    }
    result_.sources.push_back(source_of(fill, dtype, request_.seed));
    return {};
  }

  static std::string source_of(const tensor::Fill& fill, tensor::DType dtype, std::uint64_t seed) {
    if (fill.kind == tensor::Fill::Kind::Zeros) return "zeros";
    if (fill.kind != tensor::Fill::Kind::Default) return fmt::format("{}, seed {}", tensor::to_string(fill), seed);
    return fmt::format("{}, seed {}", tensor::is_floating(dtype) ? "normal" : "0 or 1", seed);
  }

  static tl::unexpected<Error> named(const Port& port, Error error) {
    error.message = fmt::format("input {}: {}", port.name, error.message);
    return tl::unexpected(std::move(error));
  }

  Result<void> read(const Port& port, const std::filesystem::path& file) {
    if (request_.shapes.contains(port.name)) {
      return fail(ErrorCode::BadInput, fmt::format("input {} has both --input and --shape", port.name),
                  "the file tells the shape: leave --shape out");
    }
    for (InputSet& set : result_.sets) {
      LAPSE_TRY(auto tensor, tensor::read_npy(file));
      tensor.reinterpret_as(adopted_type(tensor.dtype(), port.dtype));
      LAPSE_CHECK(check_fits(port, tensor.dtype(), tensor.shape()));
      set.inputs.push_back(std::move(tensor));
    }
    result_.sources.push_back(file.string());
    return {};
  }

  Result<tensor::DType> type_of(const Port& port) const {
    const auto request = request_.shapes.find(port.name);
    const auto asked = request == request_.shapes.end() ? std::nullopt : request->second.dtype;
    if (!asked) return port.dtype == tensor::DType::Unknown ? tensor::DType::Float32 : port.dtype;
    if (port.dtype != tensor::DType::Unknown && *asked != port.dtype) {
      return fail(ErrorCode::BadInput, fmt::format("input {} is {}, not {}", port.name, tensor::name(port.dtype), tensor::name(*asked)),
                  describe(ports_));
    }
    return *asked;
  }

  Result<void> check_fits(const Port& port, tensor::DType dtype, const tensor::Shape& shape) const {
    const bool right_type = port.dtype == tensor::DType::Unknown || port.dtype == dtype;
    // ONNX Runtime tells a scalar and an input without a shape alike: the engine itself has the last word there.
    const bool told = port.dims && !port.dims->empty();
    bool right_shape = !told || port.dims->size() == shape.size();
    for (std::size_t i = 0; right_shape && told && i < shape.size(); ++i) {
      const std::int64_t size = (*port.dims)[i].size;
      right_shape = size < 0 || size == shape[i];
    }
    if (right_type && right_shape) return {};
    return fail(ErrorCode::BadInput,
                fmt::format("{} {} does not fit the input {}", tensor::name(dtype), tensor::to_string(shape), describe(port)),
                describe(ports_));
  }

  Result<tensor::Shape> shape_of(const Port& port) {
    const auto request = request_.shapes.find(port.name);
    if (request != request_.shapes.end()) {
      tensor::Shape shape = request->second.shape;
      const bool open = !port.dims || (!port.dims->empty() && port.dims->front().size < 0);
      if (request_.batch && open && !shape.empty() && shape[0] == 1) shape[0] = *request_.batch;
      LAPSE_CHECK(check_fits(port, request->second.dtype.value_or(port.dtype), shape));
      return shape;
    }
    if (!port.dims) {
      return fail(ErrorCode::BadInput,
                  fmt::format("the model does not tell the shape of its input '{}' (a TorchScript file carries none)", port.name),
                  fmt::format("say it: --shape {0}=1x3x224x224, or with a type: --shape {0}:int64=1x128", port.name));
    }
    if (port.dims->empty()) result_.warnings.push_back({"scalar_input", {{"inputs", port.name}}});
    tensor::Shape shape;
    for (std::size_t i = 0; i < port.dims->size(); ++i) {
      LAPSE_TRY(const std::int64_t size, size_of(port, i));
      shape.push_back(size);
    }
    return shape;
  }

  Result<std::int64_t> size_of(const Port& port, std::size_t index) {
    const engine::Dimension& dimension = (*port.dims)[index];
    const bool is_batch = index == 0;
    if (dimension.size >= 0) return dimension.size;
    if (const auto given = request_.dimensions.find(dimension.name); !dimension.name.empty() && given != request_.dimensions.end()) {
      used_dimensions_.insert(dimension.name);
      return given->second;
    }
    if (is_batch && request_.batch) return *request_.batch;
    if (is_batch && is_batch_name(dimension.name)) return 1;  // the report tells the batch anyway
    const auto size = is_batch ? std::optional<std::int64_t>{habitual_size(dimension.name).value_or(1)} : habitual_size(dimension.name);
    if (!size) {
      return fail(ErrorCode::BadInput,
                  fmt::format("dimension {} of input {} is dynamic, and nothing tells a sensible size", index, describe(port)),
                  dimension.name.empty() ? fmt::format("say the whole shape: --shape {}=…", port.name)
                                         : fmt::format("say it: --dim {}=N, or the whole shape: --shape {}=…", dimension.name, port.name));
    }
    tell_assumed(port, index, *size);
    return *size;
  }

  // One warning for all inputs that share a named dimension.
  void tell_assumed(const Port& port, std::size_t index, std::int64_t size) {
    const std::string& name = (*port.dims)[index].name;
    for (Warning& warning : result_.warnings) {
      const auto known = warning.facts.find("dimension");
      if (name.empty() || known == warning.facts.end() || known->second != name) continue;
      warning.facts["inputs"] += ", " + port.name;
      return;
    }
    Warning warning{"dynamic_dimension", {{"inputs", port.name}, {"size", std::to_string(size)}}};
    warning.facts.emplace(name.empty() ? "index" : "dimension", name.empty() ? std::to_string(index) : name);
    result_.warnings.push_back(std::move(warning));
  }

  const std::vector<Port>& ports_;
  const std::vector<Port>& outputs_;
  const InputRequest& request_;
  std::vector<std::string> filled_integers_;
  std::set<std::string> used_dimensions_;
  Inputs result_;
};

}  // namespace

Result<std::int64_t> batch_of(const std::vector<Port>& ports, const std::vector<tensor::Tensor>& inputs,
                              std::optional<std::int64_t> asked) {
  std::optional<std::int64_t> common;
  bool agree = true;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const bool open = !ports[i].dims || (!ports[i].dims->empty() && ports[i].dims->front().size < 0);
    if (!open || inputs[i].shape().empty()) continue;
    const std::int64_t first = inputs[i].shape().front();
    if (asked && first != *asked) {
      return fail(
          ErrorCode::BadInput,
          fmt::format("--batch {} contradicts the input {}, which is {}", *asked, ports[i].name, tensor::to_string(inputs[i].shape())),
          "leave --batch out, or give that input the same first dimension");
    }
    agree = agree && common.value_or(first) == first;
    common = first;
  }
  if (asked && !common && !ports.empty()) {
    return fail(ErrorCode::BadInput,
                fmt::format("--batch {}: the model fixes the batch of its input {} at {}", *asked, ports.front().name,
                            inputs.front().shape().empty() ? 1 : inputs.front().shape().front()),
                "leave --batch out, or export the model with a dynamic first dimension");
  }
  return agree ? std::max<std::int64_t>(common.value_or(1), 1) : 1;
}

Result<Inputs> prepare_inputs(const engine::Session& session, const InputRequest& request) { return Preparation{session, request}(); }

}  // namespace lapse::measuring
