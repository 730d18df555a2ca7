#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <lapse/measure/inputs.hpp>
#include <lapse/tensor/onnx_pb.hpp>

namespace lapse::measuring {
namespace {

namespace fs = std::filesystem;

// Files PREFIX_0.pb, PREFIX_1.pb, … in the order of their numbers.
Result<std::vector<tensor::NamedTensor>> read_numbered(const fs::path& folder, std::string_view prefix) {
  std::vector<tensor::NamedTensor> tensors;
  for (std::size_t number = 0;; ++number) {
    const fs::path file = folder / fmt::format("{}_{}.pb", prefix, number);
    std::error_code ignored;
    if (!fs::exists(file, ignored)) return tensors;
    LAPSE_TRY(auto tensor, tensor::read_tensor_pb(file));
    tensors.push_back(std::move(tensor));
  }
}

// By name where all are named as the model's inputs are, else in the order of the files, as the layout has it.
Result<std::vector<tensor::Tensor>> arrange(std::vector<tensor::NamedTensor> tensors, const std::vector<engine::Port>& ports,
                                            const fs::path& folder) {
  if (tensors.size() != ports.size()) {
    return fail(ErrorCode::BadInput, fmt::format("{} holds {} inputs, but the model has {}", folder.string(), tensors.size(), ports.size()),
                "input_0.pb, input_1.pb, … stand for the model's inputs in their order");
  }
  const auto position = [&](const tensor::NamedTensor& tensor) {
    return std::ranges::find(ports, tensor.name, &engine::Port::name) - ports.begin();
  };
  const auto known = [&](const auto& tensor) { return position(tensor) < std::ssize(ports); };
  if (std::ranges::all_of(tensors, known)) std::ranges::stable_sort(tensors, {}, position);
  std::vector<tensor::Tensor> arranged;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const tensor::DType dtype = adopted_type(tensors[i].tensor.dtype(), ports[i].dtype);
    tensors[i].tensor.reinterpret_as(dtype);
    if (ports[i].dtype != tensor::DType::Unknown && dtype != ports[i].dtype) {
      return fail(ErrorCode::BadInput, fmt::format("{}: input {} is {}, but the model wants {}", folder.string(), ports[i].name,
                                                   tensor::name(dtype), tensor::name(ports[i].dtype)));
    }
    arranged.push_back(std::move(tensors[i].tensor));
  }
  return arranged;
}

Result<std::vector<fs::path>> data_set_folders(const fs::path& folder) {
  std::vector<fs::path> folders;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
    if (entry.path().filename().string().starts_with("test_data_set_")) folders.push_back(entry.path());
  }
  // By number: test_data_set_2 before test_data_set_10.
  std::ranges::sort(folders, {}, [](const fs::path& path) { return std::pair{path.native().size(), path}; });
  if (folders.empty()) {
    return fail(ErrorCode::BadInput, fmt::format("{} has no test_data_set_* folder", folder.string()),
                "name the model file itself to measure it with made-up data");
  }
  return folders;
}

// By name where the model has one of that name, else by the number of the file.
std::vector<ExpectedOutput> expect(std::vector<tensor::NamedTensor> tensors, const std::vector<engine::Port>& outputs) {
  std::vector<ExpectedOutput> expected;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto port = std::ranges::find(outputs, tensors[i].name, &engine::Port::name);
    const bool known = !tensors[i].name.empty() && port != outputs.end();
    expected.push_back({known ? static_cast<std::size_t>(port - outputs.begin()) : i, std::move(tensors[i].tensor)});
  }
  return expected;
}

}  // namespace

Result<Inputs> read_test_data(const fs::path& folder, const engine::Session& session) {
  LAPSE_TRY(const auto folders, data_set_folders(folder));
  Inputs result;
  for (const fs::path& set_folder : folders) {
    LAPSE_TRY(auto inputs, read_numbered(set_folder, "input"));
    LAPSE_TRY(auto expected, read_numbered(set_folder, "output"));
    LAPSE_TRY(auto arranged, arrange(std::move(inputs), session.inputs(), set_folder));
    result.sets.push_back({std::move(arranged), expect(std::move(expected), session.outputs()), set_folder.filename().string()});
  }
  LAPSE_TRY(result.batch, batch_of(session.inputs(), result.sets.front().inputs));
  const std::string source =
      folders.size() == 1 ? folders.front().filename().string() : fmt::format("{} sets of {}", folders.size(), folder.string());
  result.sources.assign(session.inputs().size(), source);
  return result;
}

}  // namespace lapse::measuring
