#pragma once
// The JSON half of an infer request, read event by event: no tree of it is ever built, and numbers go straight into their tensor.
// Not installed.

#include <cstddef>
#include <cstdint>
#include <lapse/serve/oip/infer.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace lapse::serve::oip {

/// One number or truth value of JSON.
struct Scalar {
  enum class Kind : std::uint8_t { Bool, Negative, Unsigned, Real } kind = Kind::Bool;
  bool truth = false;
  std::int64_t negative = 0;
  std::uint64_t magnitude = 0;
  double real = 0.0;
};

/// One input as the JSON has it.
struct InputPart {
  std::string name;
  std::optional<tensor::DType> dtype;
  std::optional<tensor::Shape> shape;
  std::optional<std::uint64_t> binary_size;  // its bytes follow the JSON
  bool has_data = false;                     // its data are in the JSON
  tensor::Tensor tensor;                     // has_data: filled
};

/// Handler of nlohmann's SAX events: each returns false to end the parsing, error() then says why.
class RequestReader {
 public:
  /// `known`: what an earlier reading of the same bytes found, for inputs whose data stand before their shape or type; null the first time.
  RequestReader(std::size_t json_bytes, const Limits& limits, const std::vector<InputPart>* known)
      : json_bytes_(json_bytes), limits_(limits), known_(known) {}

  bool null();
  bool boolean(bool value);
  bool number_integer(std::int64_t value);
  bool number_unsigned(std::uint64_t value);
  bool number_float(double value, const std::string& text);
  bool string(std::string& value);
  bool binary(nlohmann::json::binary_t&) { return false; }  // not in JSON
  bool start_object(std::size_t);
  bool key(std::string& name);
  bool end_object();
  bool start_array(std::size_t);
  bool end_array();
  bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception& error);

  const std::optional<Error>& error() const noexcept { return error_; }
  /// Data were met before their shape or type: read again, with inputs() as `known`.
  bool unfinished() const noexcept { return unfinished_; }
  InferRequest& request() noexcept { return request_; }
  std::vector<InputPart>& inputs() noexcept { return inputs_; }

 private:
  enum class Place : std::uint8_t {
    Request,
    Parameters,
    Inputs,
    Input,
    InputParameters,
    Shape,
    Data,
    Outputs,
    Output,
    OutputParameters,
    Other
  };
  struct Level {
    Place place;
    std::set<std::string> keys;  // seen so far
  };

  bool refuse(std::string message, std::string hint = {}, ErrorCode code = ErrorCode::BadInput);
  bool wrong_type(std::string_view wanted);
  std::string where() const;
  bool enter(Place place);
  bool scalar(const Scalar& value);
  bool parameter(const Scalar& value);
  bool end_input();

  bool start_data();
  bool start_row();
  bool end_row();
  bool element(const Scalar& value);

  std::size_t json_bytes_;
  Limits limits_;
  const std::vector<InputPart>* known_;
  std::optional<Error> error_;
  bool unfinished_ = false;
  std::vector<Level> levels_;
  std::string key_;

  InferRequest request_;
  std::vector<InputPart> inputs_;
  std::set<std::string> input_names_, output_names_;

  // The data that are being read.
  using Put = bool (*)(std::byte* data, std::size_t index, const Scalar& value);
  Put put_ = nullptr;
  std::size_t count_ = 0, next_ = 0;
  bool nested_ = false;
  std::vector<std::int64_t> row_;  // elements so far in each open array of the data
};

}  // namespace lapse::serve::oip
