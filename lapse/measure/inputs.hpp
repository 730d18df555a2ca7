#pragma once
// Input data for a model: shapes from its signature and from the user, data from a seed or from files, expected outputs where there are
// any.

#include <cstdint>
#include <filesystem>
#include <lapse/base/error.hpp>
#include <lapse/engine/session.hpp>
#include <lapse/measure/warning.hpp>
#include <lapse/tensor/fill.hpp>
#include <lapse/tensor/tensor.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lapse::measuring {

/// A shape as a user gives it: "1x3x224x224", with the type if the model doesn't tell it.
struct ShapeRequest {
  std::optional<tensor::DType> dtype;
  tensor::Shape shape;
  bool operator==(const ShapeRequest&) const = default;
};

struct InputRequest {
  std::map<std::string, ShapeRequest> shapes;          // by input name
  std::map<std::string, std::filesystem::path> files;  // by input name: .npy
  std::map<std::string, std::int64_t> dimensions;      // by the model's name of a dynamic dimension
  std::map<std::string, tensor::Fill> fills;           // by input name; "" is every other input
  std::optional<std::int64_t> batch;                   // the first dimension wherever the model leaves it open
  std::uint64_t seed = 0;
  std::size_t rotate = 1;                                 // number of differently seeded sets
  std::map<std::string, std::filesystem::path> expected;  // by output name, or by its number: .npy; with one set only

  bool operator==(const InputRequest&) const = default;
};

struct ExpectedOutput {
  std::size_t position = 0;  // among the session's outputs; that there are so many is known only after an inference
  tensor::Tensor tensor;
};

struct InputSet {
  std::vector<tensor::Tensor> inputs;  // in the order of the session's inputs
  std::vector<ExpectedOutput> expected;
  std::string name;  // of a test data set: "test_data_set_3"
};

struct Inputs {
  std::vector<InputSet> sets;        // at least one
  std::vector<std::string> sources;  // per input: "normal, seed 0", or a file
  std::int64_t batch = 1;            // items that one inference works on
  Warnings warnings;                 // what was assumed
};

/// Files of NumPy and of the ONNX test data hold bfloat16 as uint16: where the model has the one, the other is taken for it.
inline tensor::DType adopted_type(tensor::DType of_file, tensor::DType of_model) {
  return of_file == tensor::DType::UInt16 && of_model == tensor::DType::BFloat16 ? of_model : of_file;
}

/// The items that one inference works on: the first dimension where the model leaves it open and all such inputs agree, else 1.
/// Error: BadInput when it isn't what was asked for.
Result<std::int64_t> batch_of(const std::vector<engine::Port>& ports, const std::vector<tensor::Tensor>& inputs,
                              std::optional<std::int64_t> asked = std::nullopt);

/// Data as asked for. Errors, all with what the model wants: BadInput (unknown or missing name, wrong rank, shape or type, a dynamic
/// dimension that has no sensible default, an impossible batch), OutOfMemory.
///
/// Dynamic dimensions: the first is the batch (1 unless asked for), a named sequence or length is 128, a height or width 224; `dimensions`
/// and `shapes` overrule. Every assumed size is a warning, but for a batch of 1 that is called so. Any other dynamic dimension is an error
/// that asks for it.
Result<Inputs> prepare_inputs(const engine::Session& session, const InputRequest& request);

/// The folders test_data_set_* below `folder`, each a set: input_N.pb in the order of the session's inputs, output_N.pb as expected ones.
/// Errors: BadInput (no data set, an input too many or too few, wrong type or rank), Unsupported (a file that holds no dense tensor).
Result<Inputs> read_test_data(const std::filesystem::path& folder, const engine::Session& session);

}  // namespace lapse::measuring
