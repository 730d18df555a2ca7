#pragma once
// The fields of every message, listed once for both ways: fields(io, message) names each to a Writer or a Reader. Not installed.

#include <chrono>
#include <concepts>
#include <lapse/serve/worker/wire.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace lapse::serve::wire {

class Writer {
 public:
  template <class T>
  using Message = const T;

  template <class T>
  void operator()(const char* key, const T& value) {
    json_[key] = of(value);
  }
  template <class T>
  void operator()(const char* key, const std::optional<T>& value) {
    if (value) json_[key] = of(*value);
  }
  template <class T>
  void message(const T& value);
  std::string text() const { return json_.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

 private:
  static nlohmann::json of(const std::string& value) { return value; }
  static nlohmann::json of(const jobs::BlobId& id) { return id.hex; }
  static nlohmann::json of(tensor::DType value) { return name(value); }
  static nlohmann::json of(Duration value) { return value.count(); }
  static nlohmann::json of(jobs::Time value) { return value.time_since_epoch().count(); }
  static nlohmann::json of(const std::pair<std::string, std::string>& value) { return nlohmann::json::array({value.first, value.second}); }
  template <class T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  static nlohmann::json of(T value) {
    if constexpr (std::is_enum_v<T>)
      return static_cast<std::underlying_type_t<T>>(value);
    else
      return value;
  }
  template <class T>
  static nlohmann::json of(const std::vector<T>& values) {
    auto list = nlohmann::json::array();
    for (const T& value : values) list.push_back(of(value));
    return list;
  }
  template <class T>
  requires std::is_class_v<T>
  static nlohmann::json of(const T& value);

  nlohmann::json json_ = nlohmann::json::object();
};

/// A missing key is no optional's; everything else has to be there, with its type and in its range.
class Reader {
 public:
  template <class T>
  using Message = T;

  explicit Reader(const nlohmann::json& json) : json_(json) {
    if (!json.is_object()) failed_ = "object";
  }
  bool ok() const noexcept { return failed_.empty(); }
  const std::string& failed() const noexcept { return failed_; }

  template <class T>
  void operator()(const char* key, T& value) {
    const auto found = ok() ? json_.find(key) : json_.end();
    if (ok() && (found == json_.end() || !to(*found, value))) failed_ = key;
  }
  template <class T>
  void operator()(const char* key, std::optional<T>& value) {
    if (ok() && json_.contains(key)) (*this)(key, value.emplace());
  }

 private:
  static bool to(const nlohmann::json& json, std::string& value) {
    if (!json.is_string()) return false;
    value = json.get_ref<const std::string&>();
    return true;
  }
  static bool to(const nlohmann::json& json, bool& value) {
    if (!json.is_boolean()) return false;
    value = json.get<bool>();
    return true;
  }
  template <std::integral T>
  static bool to(const nlohmann::json& json, T& value) {
    if (json.is_number_unsigned()) {
      const auto number = json.get<std::uint64_t>();
      value = static_cast<T>(number);
      return std::in_range<T>(number);
    }
    if (!json.is_number_integer()) return false;
    const auto number = json.get<std::int64_t>();
    value = static_cast<T>(number);
    return std::in_range<T>(number);
  }
  template <class T>
  requires std::is_enum_v<T>
  static bool to(const nlohmann::json& json, T& value) {
    std::underlying_type_t<T> number{};
    if (!to(json, number) || number < 0 || number > static_cast<std::underlying_type_t<T>>(last(value))) return false;
    value = static_cast<T>(number);
    return true;
  }
  static bool to(const nlohmann::json& json, tensor::DType& value) {
    std::string text;
    if (!to(json, text)) return false;
    const auto parsed = tensor::parse_dtype(text);
    value = parsed.value_or(tensor::DType::Unknown);
    return parsed || text == name(tensor::DType::Unknown);
  }
  static bool to(const nlohmann::json& json, jobs::BlobId& value) {
    std::string text;
    if (!to(json, text)) return false;
    auto id = jobs::parse_blob_id(text);
    if (id) value = std::move(*id);
    return id.has_value();
  }
  static bool to(const nlohmann::json& json, Duration& value) {
    Duration::rep count{};
    if (!to(json, count)) return false;
    value = Duration{count};
    return true;
  }
  static bool to(const nlohmann::json& json, jobs::Time& value) {
    Duration since{};
    if (!to(json, since)) return false;
    value = jobs::Time{since};
    return true;
  }
  static bool to(const nlohmann::json& json, std::pair<std::string, std::string>& value) {
    return json.is_array() && json.size() == 2 && to(json[0], value.first) && to(json[1], value.second);
  }
  template <class T>
  static bool to(const nlohmann::json& json, std::vector<T>& values) {
    if (!json.is_array()) return false;
    for (const auto& one : json) {
      if (!to(one, values.emplace_back())) return false;
    }
    return true;
  }
  template <class T>
  requires std::is_class_v<T>
  static bool to(const nlohmann::json& json, T& value);

  static constexpr ErrorCode last(ErrorCode) { return ErrorCode::Cancelled; }
  static constexpr Finished::How last(Finished::How) { return Finished::How::Released; }

  const nlohmann::json& json_;
  std::string failed_;
};

template <class IO, class T>
using As = typename IO::template Message<T>;

template <class IO>
void fields(IO& io, As<IO, oip::Port>& port) {
  io("name", port.name);
  io("dtype", port.dtype);
  io("shape", port.shape);
}
template <class IO>
void fields(IO& io, As<IO, oip::Signature>& signature) {
  io("inputs", signature.inputs);
  io("outputs", signature.outputs);
}
template <class IO>
void fields(IO& io, As<IO, Error>& error) {
  io("code", error.code);
  io("message", error.message);
  io("hint", error.hint);
}
template <class IO>
void fields(IO& io, As<IO, jobs::Blob>& blob) {
  io("id", blob.id);
  io("size", blob.size);
}
template <class IO>
void fields(IO& io, As<IO, jobs::Trace>& trace) {  // what the worker knows of it
  io("batched", trace.batched);
  io("started", trace.started);
  io("h2d", trace.h2d);
  io("forward", trace.forward);
  io("d2h", trace.d2h);
  io("preprocess", trace.preprocess);
  io("postprocess", trace.postprocess);
  io("batch_size", trace.batch_size);
}
template <class IO>
void fields(IO& io, As<IO, image::Scaling>& scaling) {
  io("scale", scaling.scale);
  io("tile", scaling.tile);
  io("halo", scaling.halo);
}
template <class IO>
void fields(IO& io, As<IO, Load>& load) {
  io("name", load.name);
  io("version", load.version);
  io("model", load.model);
  io("engine", load.engine);
  io("device", load.device);
  io("options", load.options);
  io("threads", load.threads);
  io("max_batch", load.max_batch);
  io("declared", load.declared);
  io("blobs", load.blobs);
  io("photo", load.photo);
}
template <class IO>
void fields(IO& io, As<IO, Item>& item) {
  io("key", item.key);
  io("blob", item.blob);
  io("offset", item.offset);
  io("size", item.size);
  io("header_length", item.header_length);
  io("deadline", item.deadline);
  io("owner", item.owner);
  io("parameters", item.parameters);
}
template <class IO>
void fields(IO& io, As<IO, Run>& run) {
  io("items", run.items);
}
template <class IO>
void fields(IO& io, As<IO, Cancel>& cancel) {
  io("keys", cancel.keys);
}
template <class IO>
void fields(IO&, As<IO, Stop>&) {}
template <class IO>
void fields(IO& io, As<IO, Loaded>& loaded) {
  io("signature", loaded.signature);
  io("platform", loaded.platform);
  io("engine_version", loaded.engine_version);
  io("device", loaded.device);
  io("threads", loaded.threads);
  io("batches", loaded.batches);
  io("load", loaded.load);
}
template <class IO>
void fields(IO& io, As<IO, Unloadable>& unloadable) {
  io("error", unloadable.error);
}
template <class IO>
void fields(IO& io, As<IO, Started>& started) {
  io("keys", started.keys);
  io("rows", started.rows);
}
template <class IO>
void fields(IO& io, As<IO, Progress>& progress) {
  io("key", progress.key);
  io("done", progress.done);
  io("total", progress.total);
}
template <class IO>
void fields(IO& io, As<IO, Finished>& finished) {
  io("key", finished.key);
  io("how", finished.how);
  io("blob", finished.blob);
  io("size", finished.size);
  io("header_length", finished.header_length);
  io("content_type", finished.content_type);
  io("rows", finished.rows);
  io("error", finished.error);
  io("retryable", finished.retryable);
  io("stopped", finished.stopped);
  io("notes", finished.notes);
  io("trace", finished.trace);
}
template <class IO>
void fields(IO& io, As<IO, Alive>& alive) {
  io("running_since", alive.running_since);
}

template <class T>
constexpr std::string_view type_name() {
  if constexpr (std::is_same_v<T, Load>) return "load";
  if constexpr (std::is_same_v<T, Run>) return "run";
  if constexpr (std::is_same_v<T, Cancel>) return "cancel";
  if constexpr (std::is_same_v<T, Stop>) return "stop";
  if constexpr (std::is_same_v<T, Loaded>) return "loaded";
  if constexpr (std::is_same_v<T, Unloadable>) return "unloadable";
  if constexpr (std::is_same_v<T, Started>) return "started";
  if constexpr (std::is_same_v<T, Progress>) return "progress";
  if constexpr (std::is_same_v<T, Finished>) return "finished";
  if constexpr (std::is_same_v<T, Alive>) return "alive";
}

template <class T>
void Writer::message(const T& value) {
  json_["type"] = type_name<T>();
  fields(*this, value);
}

template <class T>
requires std::is_class_v<T> nlohmann::json Writer::of(const T& value) {
  Writer writer;
  fields(writer, value);
  return std::move(writer.json_);
}

template <class T>
requires std::is_class_v<T>
bool Reader::to(const nlohmann::json& json, T& value) {
  Reader reader(json);
  fields(reader, value);
  return reader.ok();
}

}  // namespace lapse::serve::wire
