#include <fmt/format.h>

#include <cmath>
#include <lapse/serve/oip/request_reader.hpp>
#include <lapse/serve/oip/words.hpp>
#include <limits>
#include <utility>

namespace lapse::serve::oip {
namespace {

constexpr std::size_t kMaxRank = 32;  // NumPy's; no engine takes more

}  // namespace

bool RequestReader::refuse(std::string message, std::string hint, ErrorCode code) {
  error_ = Error{code, std::move(message), std::move(hint)};
  return false;
}

std::string RequestReader::where() const {
  if (levels_.empty()) return "the request";
  switch (levels_.back().place) {
    case Place::Input:
    case Place::InputParameters:
    case Place::Shape:
    case Place::Data: {
      const std::string& name = inputs_.back().name;
      return name.empty() ? fmt::format("input {}", inputs_.size() - 1) : "input " + in_quotes(name);
    }
    case Place::Output:
    case Place::OutputParameters:
      return request_.outputs.back().name.empty() ? fmt::format("output {}", request_.outputs.size() - 1)
                                                  : "output " + in_quotes(request_.outputs.back().name);
    default:
      return "the request";
  }
}

bool RequestReader::wrong_type(std::string_view wanted) { return refuse(fmt::format("{}: '{}' is not {}", where(), key_, wanted)); }

bool RequestReader::parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) {
  // Out of range is a number that no double holds; everything else is no JSON.
  const bool overflow = error.id == 406;
  return refuse(overflow ? fmt::format("the request has a number at byte {} that is too large", position)
                         : fmt::format("the request is not JSON: byte {}", position),
                overflow ? "" : "NaN and infinity are no JSON either: send binary tensors");
}

bool RequestReader::enter(Place place) {
  if (levels_.size() >= limits_.max_depth) return refuse(fmt::format("the request nests deeper than {} levels", limits_.max_depth));
  levels_.push_back({place, {}});
  return true;
}

bool RequestReader::start_object(std::size_t) {
  if (levels_.empty()) return enter(Place::Request);
  switch (levels_.back().place) {
    case Place::Request:
      if (key_ == "parameters") return enter(Place::Parameters);
      if (key_ == "inputs" || key_ == "outputs") return wrong_type("a list");
      return key_ == "id" ? wrong_type("a string") : enter(Place::Other);
    case Place::Inputs:
      if (inputs_.size() >= limits_.max_tensors) return refuse(fmt::format("more than {} inputs", limits_.max_tensors));
      inputs_.emplace_back();
      return enter(Place::Input);
    case Place::Outputs:
      if (request_.outputs.size() >= limits_.max_tensors) return refuse(fmt::format("more than {} outputs", limits_.max_tensors));
      request_.outputs.emplace_back();
      return enter(Place::Output);
    case Place::Input:
      if (key_ == "parameters") return enter(Place::InputParameters);
      if (key_ == "shape" || key_ == "data") return wrong_type("a list");
      return key_ == "name" || key_ == "datatype" ? wrong_type("a string") : enter(Place::Other);
    case Place::Output:
      if (key_ == "parameters") return enter(Place::OutputParameters);
      return key_ == "name" ? wrong_type("a string") : enter(Place::Other);
    case Place::Shape:
      return refuse(where() + ": the shape has an element that is not a whole number of 0 or more");
    case Place::Data:
      return refuse(where() + ": the data have an object among them");
    case Place::Parameters:
    case Place::InputParameters:
    case Place::OutputParameters:
    case Place::Other:
      return enter(Place::Other);
  }
  return false;
}

bool RequestReader::start_array(std::size_t) {
  if (levels_.empty()) return refuse("the request is not a JSON object");
  switch (levels_.back().place) {
    case Place::Request:
      if (key_ == "inputs") return enter(Place::Inputs);
      if (key_ == "outputs") return enter(Place::Outputs);
      if (key_ == "parameters") return wrong_type("an object");
      return key_ == "id" ? wrong_type("a string") : enter(Place::Other);
    case Place::Input:
      if (key_ == "data") return start_data();
      if (key_ == "parameters") return wrong_type("an object");
      if (key_ == "name" || key_ == "datatype") return wrong_type("a string");
      if (key_ == "shape") inputs_.back().shape.emplace();
      return enter(key_ == "shape" ? Place::Shape : Place::Other);
    case Place::Data:
      return start_row();
    case Place::Output:
      if (key_ == "parameters") return wrong_type("an object");
      return key_ == "name" ? wrong_type("a string") : enter(Place::Other);
    case Place::Inputs:
    case Place::Outputs:
      return refuse("the request's inputs and outputs are lists of objects");
    case Place::Shape:
      return refuse(where() + ": the shape has an element that is not a whole number of 0 or more");
    case Place::Parameters:
    case Place::InputParameters:
    case Place::OutputParameters:
    case Place::Other:
      return enter(Place::Other);
  }
  return false;
}

bool RequestReader::key(std::string& name) {
  if (levels_.back().place != Place::Other) {
    auto& keys = levels_.back().keys;
    if (!keys.insert(name).second) return refuse(fmt::format("{}: {} is there twice", where(), in_quotes(name)));
    if (keys.size() > limits_.max_keys) return refuse(fmt::format("{}: more than {} keys", where(), limits_.max_keys));
  }
  key_ = std::move(name);
  return true;
}

bool RequestReader::end_object() {
  const Place place = levels_.back().place;
  if (place == Place::Input && !end_input()) return false;
  if (place == Place::Output) {
    const std::string& name = request_.outputs.back().name;
    if (name.empty()) return refuse(where() + " has no name");
    if (!output_names_.insert(name).second) return refuse(where() + " is asked for twice");
  }
  if (place == Place::Request && !levels_.back().keys.contains("inputs")) return refuse("the request has no 'inputs'");
  levels_.pop_back();
  return true;
}

bool RequestReader::end_input() {
  const InputPart& input = inputs_.back();
  if (input.name.empty()) return refuse(where() + " has no name");
  if (!input.dtype) return refuse(where() + " has no datatype");
  if (!input.shape) return refuse(where() + " has no shape");
  if (!input_names_.insert(input.name).second) return refuse(where() + " is there twice");
  if (input.has_data && input.binary_size) return refuse(where() + " has both data and binary_data_size");
  if (!input.has_data && !input.binary_size)
    return refuse(where() + " has no data", "give 'data', or 'binary_data_size' in its parameters");
  return true;
}

bool RequestReader::end_array() {
  if (levels_.back().place == Place::Data && !end_row()) return false;
  levels_.pop_back();
  return true;
}

bool RequestReader::null() {
  if (levels_.empty()) return refuse("the request is not a JSON object");
  switch (levels_.back().place) {
    case Place::Data:
      return refuse(fmt::format("{}: element {} is null", where(), next_));
    case Place::Shape:
    case Place::Inputs:
    case Place::Outputs:
    case Place::Input:
    case Place::Output:
      return scalar({});
    case Place::Request:
      return key_ != "inputs" || wrong_type("a list");
    default:
      return true;  // as if it were not there
  }
}

bool RequestReader::boolean(bool value) { return scalar({.kind = Scalar::Kind::Bool, .truth = value}); }
bool RequestReader::number_integer(std::int64_t value) { return scalar({.kind = Scalar::Kind::Negative, .negative = value}); }
bool RequestReader::number_unsigned(std::uint64_t value) { return scalar({.kind = Scalar::Kind::Unsigned, .magnitude = value}); }
bool RequestReader::number_float(double value, const std::string&) { return scalar({.kind = Scalar::Kind::Real, .real = value}); }

bool RequestReader::string(std::string& value) {
  if (levels_.empty()) return refuse("the request is not a JSON object");
  switch (levels_.back().place) {
    case Place::Request:
      if (key_ == "id") request_.id = std::move(value);
      return key_ == "id" || scalar({});
    case Place::Input:
      if (key_ == "name") {
        inputs_.back().name = std::move(value);
      } else if (key_ == "datatype") {
        const auto dtype = parse_datatype(value);
        if (!dtype) return refuse(where() + ": " + dtype.error().message, dtype.error().hint, dtype.error().code);
        inputs_.back().dtype = *dtype;
      } else {
        return scalar({});
      }
      return true;
    case Place::Output:
      if (key_ == "name") request_.outputs.back().name = std::move(value);
      return key_ == "name" || scalar({});
    case Place::Data:
      return refuse(fmt::format("{}: element {} is a string", where(), next_));
    case Place::Other:
      return true;
    default:
      return scalar({.kind = Scalar::Kind::Real, .real = std::numeric_limits<double>::quiet_NaN()});  // of no type that is wanted anywhere
  }
}

bool RequestReader::scalar(const Scalar& value) {
  if (levels_.empty()) return refuse("the request is not a JSON object");
  switch (levels_.back().place) {
    case Place::Data:
      return element(value);
    case Place::Shape:
      if (value.kind != Scalar::Kind::Unsigned || !std::in_range<std::int64_t>(value.magnitude)) {
        return refuse(where() + ": the shape has an element that is not a whole number of 0 or more");
      }
      if (inputs_.back().shape->size() >= kMaxRank) return refuse(fmt::format("{}: more than {} dimensions", where(), kMaxRank));
      inputs_.back().shape->push_back(static_cast<std::int64_t>(value.magnitude));
      return true;
    case Place::Inputs:
    case Place::Outputs:
      return refuse("the request's inputs and outputs are lists of objects");
    case Place::Request:
      if (key_ == "inputs" || key_ == "outputs") return wrong_type("a list");
      if (key_ == "parameters") return wrong_type("an object");
      return key_ != "id" || wrong_type("a string");
    case Place::Input:
      if (key_ == "shape" || key_ == "data") return wrong_type("a list");
      [[fallthrough]];
    case Place::Output:
      if (key_ == "parameters") return wrong_type("an object");
      return (key_ != "name" && key_ != "datatype") || wrong_type("a string");
    case Place::Parameters:
    case Place::InputParameters:
    case Place::OutputParameters:
      return parameter(value);
    case Place::Other:
      return true;
  }
  return false;
}

bool RequestReader::parameter(const Scalar& value) {
  switch (levels_.back().place) {
    case Place::InputParameters:
      if (key_ != "binary_data_size") return true;
      if (value.kind != Scalar::Kind::Unsigned) return wrong_type("a whole number of 0 or more");
      inputs_.back().binary_size = value.magnitude;
      return true;
    case Place::OutputParameters:
      if (key_ == "classification" && (value.kind != Scalar::Kind::Unsigned || value.magnitude != 0)) {
        return refuse(where() + ": classification is not done here", "take the tensor and sort it", ErrorCode::Unsupported);
      }
      if (key_ != "binary_data") return true;
      if (value.kind != Scalar::Kind::Bool) return wrong_type("true or false");
      request_.outputs.back().binary = value.truth;
      return true;
    default:
      break;
  }
  if (key_ == "binary_data_output") {
    if (value.kind != Scalar::Kind::Bool) return wrong_type("true or false");
    request_.binary_output = value.truth;
  } else if (key_ == "priority") {
    if (value.kind != Scalar::Kind::Unsigned || value.magnitude > kPriorityLevels) {
      return wrong_type("a level from 1, the highest, to 21, or 0");
    }
    if (value.magnitude > 0) request_.priority = kOrdinaryLevel - static_cast<int>(value.magnitude);
  } else if (key_ == "timeout") {
    if (value.kind != Scalar::Kind::Unsigned) return wrong_type("a whole number of microseconds");
    request_.timeout_us = value.magnitude;
  }
  return true;
}

}  // namespace lapse::serve::oip
