#include "session.hpp"

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "cuda.hpp"
#include "dtype.hpp"
#include "model.hpp"
#include "translate.hpp"

namespace lapse::plugin::libtorch {
namespace {

// The file that LibTorch's code really comes from, links resolved.
std::string library_path() {
  Dl_info place{};
  if (dladdr(reinterpret_cast<void*>(&at::get_num_threads), &place) == 0 || place.dli_fname == nullptr) return {};
  std::error_code error;
  const auto path = std::filesystem::canonical(place.dli_fname, error);
  return error ? std::string(place.dli_fname) : path.string();
}

void set_threads(Options& options) {
  if (const auto count = options.count("threads")) at::set_num_threads(*count);
  const auto between = options.count("inter_threads");
  if (!between || *between == static_cast<int>(at::get_num_interop_threads())) return;
  try {
    at::set_num_interop_threads(*between);
  } catch (const c10::Error&) {
    throw Failure(LAPSE_BAD_INPUT, "inter_threads can be set only once, before the first inference of the process");
  }
}

// For the whole process, as LibTorch has it.
void set_precision(Options& options) {
  const auto tf32 = options.flag("tf32");
  if (!tf32) return;
  at::globalContext().setAllowTF32CuBLAS(*tf32);
  at::globalContext().setAllowTF32CuDNN(*tf32);
}

// What comes back, as far as the schema tells: one tensor, or a tuple of them.
std::vector<Port> result_ports(const c10::FunctionSchema& schema) {
  std::vector<Port> ports;
  if (schema.returns().size() != 1) return ports;
  const auto& type = schema.returns()[0].type();
  if (type->kind() == c10::TypeKind::TensorType) return {Port{"output", LAPSE_DTYPE_UNKNOWN, std::nullopt, {}}};
  const auto tuple = type->cast<c10::TupleType>();
  if (!tuple) return ports;
  for (const auto& element : tuple->elements()) {
    if (element->kind() != c10::TypeKind::TensorType) return {};
    const std::size_t index = ports.size();
    const auto& names = tuple->schema();  // of a NamedTuple
    ports.push_back({names ? names->arguments()[index].name() : "output_" + std::to_string(index), LAPSE_DTYPE_UNKNOWN, std::nullopt, {}});
  }
  return ports;
}

}  // namespace

std::unique_ptr<Engine> Engine::open(Options& options) {
  const auto asked = options.text("library");
  options.refuse_unknown();
  if (asked) {
    throw Failure(LAPSE_ENGINE_UNUSABLE, "the torch engine can't use " + *asked + ": it is linked to the LibTorch it was built with",
                  "build lapse again with -DCMAKE_PREFIX_PATH= and the folder of the other LibTorch");
  }
  return std::make_unique<Engine>(library_path(), device_list(cuda_devices()));
}

std::unique_ptr<Session> Engine::load(const std::string& model, Options& options) {
  const Device device = read_device(options);
  if (device.cuda) require_cuda(device);
  LoadOptions load;
  if (device.cuda) load.device = at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device.index));
  load.freeze = options.flag("freeze").value_or(false);
  load.optimize = options.flag("optimize").value_or(false);
  set_threads(options);
  set_precision(options);
  options.refuse_unknown();
  return std::make_unique<Session>(load_model(model, load), model, device);
}

Session::Session(torch::jit::Module module, const std::string& model, const Device& device)
    : module_(std::move(module)), forward_(module_.get_method("forward").function()), device_(device) {
  const auto& schema = forward_.getSchema();
  std::vector<Port> inputs;
  std::string others;
  arguments_.emplace_back(module_._ivalue());
  for (std::size_t i = 1; i < schema.arguments().size(); ++i) {
    const auto& argument = schema.arguments()[i];
    if (argument.default_value()) {
      arguments_.push_back(*argument.default_value());
      continue;
    }
    if (argument.type()->kind() != c10::TypeKind::TensorType) {
      others.append(others.empty() ? "" : ", ").append(argument.name()).append(" (").append(argument.type()->str()).append(")");
    }
    input_places_.push_back(arguments_.size());
    arguments_.emplace_back();
    inputs.push_back({argument.name(), LAPSE_DTYPE_UNKNOWN, std::nullopt, {}});
  }
  if (!others.empty()) {
    throw Failure(LAPSE_UNSUPPORTED, model + ": forward takes arguments that are no tensors: " + others,
                  "wrap the model in one whose forward takes only tensors, or give those a default");
  }
  inputs_ = Ports(std::move(inputs));
  outputs_ = Ports(result_ports(schema));
}

lapse_session_info Session::info() const noexcept { return session_info(inputs_, outputs_, device_, at::get_num_threads()); }

std::unique_ptr<Binding> Session::bind(std::span<const lapse_tensor> tensors) {
  inputs_.check(tensors);
  return translate(Stage::Bind, {}, [&]() -> std::unique_ptr<Binding> {
    const c10::InferenceMode inference;
    Arguments arguments{arguments_, input_places_, {}};
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const lapse_tensor& tensor = tensors[i];
      const auto type = from_lapse(tensor.dtype);
      if (!type) throw Failure(LAPSE_UNSUPPORTED, "input '" + inputs_[i].name + "' is of a type that LibTorch " TORCH_VERSION " lacks");
      const at::IntArrayRef dims(tensor.dims, static_cast<std::size_t>(tensor.rank));
      arguments.inputs.push_back(torch::from_blob(tensor.data, dims, *type));
    }
    if (device_.cuda) return bind_on_cuda(forward_, std::move(arguments), device_);
    for (std::size_t i = 0; i < tensors.size(); ++i) arguments.values[input_places_[i]] = arguments.inputs[i];
    return std::make_unique<HostBinding>(Forward(forward_, std::move(arguments.values)));
  });
}

}  // namespace lapse::plugin::libtorch
