// The OpenAPI document says what the router does: no route that it hides, none that it invents.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <lapse/jobs/document.hpp>
#include <lapse/jobs/folder_blob_store.hpp>
#include <lapse/serve/api/openapi.hpp>
#include <lapse/serve/api/services.hpp>
#include <lapse/serve/observe/witness.hpp>
#include <nlohmann/json.hpp>
#include <serve/store_double.hpp>
#include <set>

namespace lapse::serve::api {
namespace {

using nlohmann::json;
using Operations = std::set<std::string>;  // "GET /v2"

const json& document() {
  static const json parsed = json::parse(openapi_document());
  return parsed;
}

/// calls seen(path, method, operation)
template <class Seen>
void for_each_operation(Seen seen) {
  for (const auto& [path, methods] : document().at("paths").items()) {
    for (const auto& [method, operation] : methods.items()) seen(path, method, operation);
  }
}

/// All routes, of handlers that nobody will call.
Operations routes() {
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / ("lapse-openapi-" + std::to_string(::getpid()));
  auto blobs = *jobs::FolderBlobStore::open(folder);
  net::io_context context;
  net::thread_pool pool{1};
  StoreDouble store;
  Log log{STDERR_FILENO, Level::Error, false};
  Metrics metrics;
  Witness witness{log, metrics};
  const auto dispatcher = Dispatcher::make(context, pool, store, *blobs, witness, {});
  const Sessions sessions;
  EventHub hub;
  const Condition condition;
  Services services{pool, store, *blobs, *dispatcher, witness, sessions, hub, condition, {}, 0, true, false, {}, {}};
  http::Router router;
  add_routes(router, services);
  std::filesystem::remove_all(folder);
  Operations all;
  for (const auto& [method, pattern] : router.routes()) all.insert(method + " " + pattern);
  return all;
}

TEST(OpenApiDocument, HasEveryRouteAndNoOther) {
  Operations documented;
  for_each_operation([&](std::string path, std::string method, const json&) {
    std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::toupper(c); });
    documented.insert(method + " " + path);
  });
  EXPECT_EQ(documented, routes());
}

TEST(OpenApiDocument, DeclaresThePartsOfEveryPathAndNamesEveryOperationOnce) {
  Operations names;
  for_each_operation([&](const std::string& path, const std::string& method, const json& operation) {
    EXPECT_TRUE(names.insert(operation.at("operationId")).second) << operation.at("operationId");
    std::set<std::string> declared, in_path;
    for (json parameter : operation.value("parameters", json::array())) {
      if (parameter.contains("$ref")) parameter = document().at(json::json_pointer(parameter.at("$ref").get<std::string>().substr(1)));
      if (parameter.at("in") == "path") declared.insert(parameter.at("name"));
    }
    for (auto open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1)) {
      in_path.insert(path.substr(open + 1, path.find('}', open) - open - 1));
    }
    EXPECT_EQ(declared, in_path) << method << " " << path;
  });
}

TEST(OpenApiDocument, RefersToNothingThatIsNotThereAndHasNothingThatNobodyRefersTo) {
  Operations used, there;
  const auto visit = [&](const auto& self, const json& node) -> void {
    if (node.is_object() && node.contains("$ref")) used.insert(node.at("$ref"));
    if (node.is_structured()) {
      for (const json& child : node) self(self, child);
    }
  };
  visit(visit, document());
  for (const char* kind : {"schemas", "responses", "parameters"}) {
    for (const auto& [name, unused] : document().at("components").at(kind).items()) {
      there.insert("#/components/" + std::string(kind) + "/" + name);
    }
  }
  EXPECT_EQ(used, there);
}

/// The value has what its schema requires, and nothing that it does not know.
void expect_conforms(json schema, const json& value, const std::string& where) {
  if (schema.contains("$ref")) schema = document().at(json::json_pointer(schema.at("$ref").get<std::string>().substr(1)));
  if (!value.is_object()) return;
  for (const auto& name : schema.value("required", json::array())) EXPECT_TRUE(value.contains(name)) << where << " lacks " << name;
  for (const auto& [name, part] : value.items()) {
    const bool known = schema.at("properties").contains(name);
    EXPECT_TRUE(known) << where << " has " << name;
    if (known) expect_conforms(schema.at("properties").at(name), part, where + "." + name);
  }
}

jobs::Job job_that_has_been_through_everything() {
  jobs::Job job;
  job.spec.id = "id";
  job.spec.model = "model";
  job.spec.deadline = jobs::Time{};
  job.spec.webhook = "https://example.org/";
  job.error = Error{ErrorCode::BadInput, "message", "hint"};
  job.result = jobs::Payload{};
  job.spec.label = "label";
  job.notes = {"note"};
  job.progress.total = 1;
  job.expires = jobs::Time{};
  jobs::Trace& trace = job.trace;
  trace.claimed = trace.batched = trace.started = trace.stored = trace.delivered = jobs::Time{};
  trace.h2d = trace.forward = trace.d2h = trace.preprocess = trace.postprocess = Duration{};
  return job;
}

TEST(OpenApiDocument, KnowsEveryFieldOfAJob) {
  const json& schemas = document().at("components").at("schemas");
  jobs::Job job = job_that_has_been_through_everything();
  for (const json& state : schemas.at("State").at("enum")) {
    job.state = *jobs::parse_state(state.get<std::string>());
    expect_conforms(schemas.at("Job"), json::parse(jobs::describe(job)), state);
  }
  EXPECT_EQ(schemas.at("State").at("enum").size(), 6u);
}

}  // namespace
}  // namespace lapse::serve::api
