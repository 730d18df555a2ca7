#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <lapse/serve/dispatch/settings.hpp>
#include <map>
#include <nlohmann/json.hpp>

namespace lapse::serve {
namespace {

using Json = nlohmann::json;

Result<void> wrong(std::string_view key, std::string_view wanted) {
  return fail(ErrorCode::BadInput, fmt::format("setting '{}' is not {}", key, wanted));
}

Result<void> read(const Json& value, std::string_view key, std::string& into) {
  if (!value.is_string()) return wrong(key, "a text");
  into = value.get<std::string>();
  return {};
}

template <class T>
Result<void> read_count(const Json& value, std::string_view key, T& into, std::int64_t least, std::int64_t most) {
  if (!value.is_number_integer() || value.get<std::int64_t>() < least || value.get<std::int64_t>() > most) {
    return wrong(key, fmt::format("a whole number from {} to {}", least, most));
  }
  into = static_cast<T>(value.get<std::int64_t>());
  return {};
}

Result<void> read_time(const Json& value, std::string_view key, Duration& into, Duration unit) {
  const double number = value.is_number() ? value.get<double>() : -1;
  const double ns = number * static_cast<double>(unit.count());
  if (!(number >= 0) || !(ns <= 1e18)) return wrong(key, "a time of at least 0");
  into = Duration{static_cast<std::int64_t>(std::llround(ns))};
  return {};
}

Result<oip::Port> read_port(const Json& value, std::string_view key) {
  oip::Port port;
  if (!value.is_object()) return tl::unexpected(wrong(key, "a list of {name, datatype, shape}").error());
  for (const auto& [name, part] : value.items()) {
    if (name == "name" && part.is_string()) {
      port.name = part.get<std::string>();
    } else if (name == "datatype" && part.is_string()) {
      LAPSE_TRY(port.dtype, oip::parse_datatype(part.get<std::string>()));
    } else if (name == "shape" && part.is_array()) {
      port.shape.emplace();
      for (const Json& dimension : part) {
        if (!dimension.is_number_integer() || dimension.get<std::int64_t>() < -1)
          return tl::unexpected(wrong("shape", "of numbers from -1").error());
        port.shape->push_back(dimension.get<std::int64_t>());
      }
    } else {
      return tl::unexpected(wrong(key, "a list of {name, datatype, shape}").error());
    }
  }
  return port;
}

Result<void> read_ports(const Json& value, std::string_view key, std::vector<oip::Port>& into) {
  if (!value.is_array()) return wrong(key, "a list of {name, datatype, shape}");
  for (const Json& element : value) {
    LAPSE_TRY(auto port, read_port(element, key));
    into.push_back(std::move(port));
  }
  return {};
}

Result<void> read_options(const Json& value, std::string_view key, ModelSettings& settings) {
  if (!value.is_object()) return wrong(key, "an object of texts");
  for (const auto& [name, text] : value.items()) {
    if (!text.is_string()) return wrong(key, "an object of texts");
    settings.engine_options.emplace_back(name, text.get<std::string>());
  }
  return {};
}

Result<void> read_photo(const Json& value, std::string_view key, std::optional<image::Scaling>& into) {
  if (!value.is_object()) return wrong(key, "an object {scale, tile, halo}");
  image::Scaling scaling;
  const std::map<std::string, std::size_t*, std::less<>> parts{{"scale", &scaling.scale}, {"tile", &scaling.tile}, {"halo", &scaling.halo}};
  for (const auto& [name, number] : value.items()) {
    const auto part = parts.find(name);
    if (part == parts.end()) return wrong(key, "an object {scale, tile, halo}");
    LAPSE_CHECK(read_count(number, fmt::format("{}.{}", key, name), *part->second, 0, 65'536));
  }
  LAPSE_CHECK(image::Tiling::make(1, 1, scaling));  // can such tiles be?
  into = scaling;
  return {};
}

using Reader = std::function<Result<void>(const Json&, ModelSettings&)>;

const std::map<std::string, Reader, std::less<>>& readers() {
  static const std::map<std::string, Reader, std::less<>> kReaders{
      {"model", [](const Json& v, ModelSettings& s) { return read(v, "model", s.model); }},
      {"engine", [](const Json& v, ModelSettings& s) { return read(v, "engine", s.engine); }},
      {"device", [](const Json& v, ModelSettings& s) { return read(v, "device", s.device); }},
      {"engine_options", [](const Json& v, ModelSettings& s) { return read_options(v, "engine_options", s); }},
      {"threads", [](const Json& v, ModelSettings& s) { return read_count(v, "threads", s.threads, 1, 1024); }},
      {"instances", [](const Json& v, ModelSettings& s) { return read_count(v, "instances", s.instances, 1, 64); }},
      {"max_batch", [](const Json& v, ModelSettings& s) { return read_count(v, "max_batch", s.max_batch, 1, 65536); }},
      {"max_delay_ms",
       [](const Json& v, ModelSettings& s) { return read_time(v, "max_delay_ms", s.max_delay, std::chrono::milliseconds{1}); }},
      {"timeout_seconds",
       [](const Json& v, ModelSettings& s) { return read_time(v, "timeout_seconds", s.timeout, std::chrono::seconds{1}); }},
      {"max_waiting", [](const Json& v, ModelSettings& s) { return read_count(v, "max_waiting", s.max_waiting, 0, 1'000'000); }},
      {"finite_inputs",
       [](const Json& v, ModelSettings& s) -> Result<void> {
         if (!v.is_boolean()) return wrong("finite_inputs", "true or false");
         s.finite = v.get<bool>();
         return {};
       }},
      {"photo", [](const Json& v, ModelSettings& s) { return read_photo(v, "photo", s.photo); }},
      {"inputs", [](const Json& v, ModelSettings& s) { return read_ports(v, "inputs", s.declared.inputs); }},
      {"outputs", [](const Json& v, ModelSettings& s) { return read_ports(v, "outputs", s.declared.outputs); }},
  };
  return kReaders;
}

}  // namespace

Result<ModelSettings> parse_settings(std::string_view json) {
  const Json document = Json::parse(json, nullptr, false);
  if (document.is_discarded() || !document.is_object()) return fail(ErrorCode::BadInput, "the settings are no JSON object");
  ModelSettings settings;
  for (const auto& [key, value] : document.items()) {
    const auto reader = readers().find(key);
    if (reader == readers().end()) {
      std::string known;
      for (const auto& [name, unused] : readers()) known += (known.empty() ? "" : ", ") + name;
      return fail(ErrorCode::BadInput, fmt::format("there is no setting '{}'", key.substr(0, 64)), "there are: " + known);
    }
    LAPSE_CHECK(reader->second(value, settings));
  }
  return settings;
}

}  // namespace lapse::serve
