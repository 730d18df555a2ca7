// Models as the Open Inference Protocol describes them, and as Triton's configuration and statistics extensions do.

#include <algorithm>
#include <lapse/serve/api/services.hpp>
#include <nlohmann/json.hpp>

namespace lapse::serve::api {
namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& document) { return document.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string_view name(ModelState state) {
  switch (state) {
    case ModelState::Loading:
      return "loading";
    case ModelState::Ready:
      return "ready";
    case ModelState::Unavailable:
      break;
  }
  return "unavailable";
}

Result<ModelStatus> find(Services& services, http::Exchange& exchange) {
  return services.dispatcher.model(exchange.part("model"), exchange.part("version"));
}

// Triton's word for a type that is not known.
std::string data_type(tensor::DType dtype) {
  return "TYPE_" + (dtype == tensor::DType::Unknown ? "INVALID" : std::string(oip::datatype(dtype)));
}

// Of a model that does not tell, one dimension of any size stands for any shape.
tensor::Shape shape_of(const oip::Port& port) { return port.shape.value_or(tensor::Shape{-1}); }

Json ports(const std::vector<oip::Port>& all) {
  Json list = Json::array();
  for (const oip::Port& port : all) {
    list.push_back({{"name", port.name}, {"datatype", std::string(oip::datatype(port.dtype))}, {"shape", shape_of(port)}});
  }
  return list;
}

net::awaitable<http::Response> list(Services& services, http::Exchange&) {
  Json models = Json::array();
  for (const ModelStatus& model : services.dispatcher.models()) {
    models.push_back(
        {{"name", model.name}, {"version", model.version}, {"state", std::string(name(model.state))}, {"reason", model.reason}});
  }
  co_return json(200, text({{"models", std::move(models)}}));
}

net::awaitable<http::Response> metadata(Services& services, http::Exchange& exchange) {
  const auto model = find(services, exchange);
  if (!model) co_return http::refuse(model.error());
  Json versions = Json::array();
  for (const ModelStatus& other : services.dispatcher.models()) {
    if (other.name == model->name) versions.push_back(other.version);
  }
  Json document{{"name", model->name},
                {"versions", std::move(versions)},
                {"platform", model->platform},
                {"inputs", ports(model->signature.inputs)},
                {"outputs", ports(model->signature.outputs)}};
  if (const auto& photo = model->settings.photo) document["parameters"] = {{"photo", {{"scale", photo->scale}}}};
  co_return json(200, text(document));
}

net::awaitable<http::Response> ready(Services& services, http::Exchange& exchange) {
  const auto model = find(services, exchange);
  if (!model) co_return http::refuse(model.error());
  Json document{{"name", model->name}, {"version", model->version}, {"ready", model->state == ModelState::Ready}};
  if (!model->reason.empty()) document["reason"] = model->reason;
  co_return json(model->state == ModelState::Ready ? 200 : 503, text(document));
}

// Triton's max_batch_size is about a first dimension that `dims` leave out: only where every input and output has one.
bool batched(const ModelStatus& model) {
  const auto open = [](const oip::Port& port) { return port.shape && !port.shape->empty() && port.shape->front() == -1; };
  return model.batches && std::ranges::all_of(model.signature.inputs, open) && std::ranges::all_of(model.signature.outputs, open);
}

Json config_ports(const std::vector<oip::Port>& all, bool without_batch) {
  Json list = Json::array();
  for (const oip::Port& port : all) {
    tensor::Shape dims = shape_of(port);
    if (without_batch) dims.erase(dims.begin());
    list.push_back({{"name", port.name}, {"data_type", data_type(port.dtype)}, {"dims", std::move(dims)}});
  }
  return list;
}

net::awaitable<http::Response> config(Services& services, http::Exchange& exchange) {
  const auto model = find(services, exchange);
  if (!model) co_return http::refuse(model.error());
  const bool joins = batched(*model);
  const bool on_gpu = model->settings.device.starts_with("cuda");
  Json document{{"name", model->name},
                {"platform", model->platform},
                {"backend", model->platform},
                {"version_policy", {{"all", Json::object()}}},
                {"max_batch_size", joins ? model->settings.max_batch : 0},
                {"input", config_ports(model->signature.inputs, joins)},
                {"output", config_ports(model->signature.outputs, joins)},
                {"instance_group",
                 Json::array({{{"name", model->name}, {"kind", on_gpu ? "KIND_GPU" : "KIND_CPU"}, {"count", model->settings.instances}}})}};
  if (joins) {
    const auto delay = std::chrono::duration_cast<std::chrono::microseconds>(model->settings.max_delay);
    document["dynamic_batching"] = {{"max_queue_delay_microseconds", delay.count()},
                                    {"priority_levels", oip::kPriorityLevels},
                                    {"default_priority_level", oip::kOrdinaryLevel}};
  }
  co_return json(200, text(document));
}

Json sum(std::uint64_t count, Duration time) { return {{"count", count}, {"ns", time.count()}}; }

Json statistics(const ModelStatus& model) {
  const auto& counted = model.statistics;
  Json batches = Json::array();
  for (const auto& [rows, passes] : counted.batches) {
    batches.push_back({{"batch_size", rows},
                       {"compute_input", sum(passes.count, passes.input)},
                       {"compute_infer", sum(passes.count, passes.forward)},
                       {"compute_output", sum(passes.count, passes.output)}});
  }
  const auto last = counted.last ? std::chrono::duration_cast<std::chrono::milliseconds>(counted.last->time_since_epoch()).count() : 0;
  return {{"name", model.name},
          {"version", model.version},
          {"last_inference", last},
          {"inference_count", counted.inferences},
          {"execution_count", counted.executions},
          {"inference_stats",
           {{"success", sum(counted.successes, counted.success)},
            {"fail", sum(counted.failures, counted.fail)},
            {"queue", sum(counted.successes, counted.queue)},
            {"compute_input", sum(counted.successes, counted.input)},
            {"compute_infer", sum(counted.successes, counted.forward)},
            {"compute_output", sum(counted.successes, counted.output)},
            {"cache_hit", sum(0, {})},
            {"cache_miss", sum(0, {})}}},
          {"batch_stats", std::move(batches)}};
}

net::awaitable<http::Response> stats(Services& services, http::Exchange& exchange) {
  const auto model = find(services, exchange);
  if (!model) co_return http::refuse(model.error());
  co_return json(200, text({{"model_stats", Json::array({statistics(*model)})}}));
}

net::awaitable<http::Response> all_stats(Services& services, http::Exchange&) {
  Json models = Json::array();
  for (const ModelStatus& model : services.dispatcher.models()) models.push_back(statistics(model));
  co_return json(200, text({{"model_stats", std::move(models)}}));
}

}  // namespace

void add_models(http::Router& router, Services& services) {
  add(router, services, "GET", "/v2/models", list);
  add(router, services, "GET", "/v2/models/stats", all_stats);
  add_of_model(router, services, "GET", "", metadata);
  add_of_model(router, services, "GET", "/ready", ready);
  add_of_model(router, services, "GET", "/config", config);
  add_of_model(router, services, "GET", "/stats", stats);
}

}  // namespace lapse::serve::api
