#include <fmt/format.h>

#include <unistd.h>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <lapse/base/bytes.hpp>
#include <lapse/serve/dispatch/repository.hpp>
#include <lapse/serve/front/front.hpp>
#include <lapse/serve/oip/infer.hpp>
#include <memory>

#include "cli/command.hpp"
#include "cli/console.hpp"

namespace lapse::cli {
namespace {

constexpr const char* kFooter =
    "The models folder holds NAME.onnx, NAME.pt, NAME/model.onnx or NAME/VERSION/model.onnx; NAME.json or\n"
    "NAME/lapse.json beside it says how it is served (docs/serving.md). Files may come, change and go.\n"
    "\n"
    "Without --auth token everybody on this machine may ask, and only loopback addresses are listened on.\n"
    "TLS is for a reverse proxy in front (docs/serving.md has one for nginx); name it with --host.\n"
    "\n"
    "SIGTERM or Ctrl-C: nothing new is accepted, what runs is finished (--drain), the rest stays queued.\n"
    "\n"
    "Examples:\n"
    "  lapse serve --models models --data jobs\n"
    "  lapse serve --models models --data jobs --auth token --listen 0.0.0.0:8000 --host photos.example.org";

/// Is there anything for the photo app to work with?
bool has_photo_model(const std::string& folder) {
  const auto scan = serve::scan_models(folder);
  return scan && std::ranges::any_of(scan->models, [](const auto& model) { return model.settings.photo.has_value(); });
}

/// Where a browser on this machine goes: the address that stands for all of this machine's is none to go to.
std::string page_url(const serve::http::ServerOptions& server, const std::string& url) {
  const bool all = server.address == "0.0.0.0" || server.address == "::";
  return fmt::format("{}/", all ? "http://localhost" + url.substr(url.rfind(':')) : url);
}

struct Options {
  std::string models, data, listen = "127.0.0.1:8000", auth = "anonymous", log_level = "info", log = "auto";
  std::vector<std::string> hosts;
  std::string retention = "24h", tombstone = "168h", drain = "30s", lease = "30s", grace = "2min";
  std::string header_timeout = "10s", body_timeout = "30s", idle_timeout = "75s";
  std::string max_body = "64MiB", max_body_memory = "1GiB", max_queue_bytes = "16GiB", min_free = "256MiB";
  std::uint64_t max_queue = 100'000;
  int max_attempts = 5;
  std::size_t pool = 16, max_connections = 10'000;
  bool private_webhooks = false;

  void add_to(CLI::App& command) {
    const auto option = [&](const char* name, auto& value, const char* type, const char* text, const char* group) {
      return command.add_option(name, value, text)->type_name(type)->group(group);
    };
    option("--models", models, "DIR", "Folder with the models", "Serving")->required();
    option("--data", data, "DIR", "Folder for jobs, inputs and results; made if it is not there", "Serving")->required();
    option("--listen", listen, "ADDRESS:PORT", "Where to listen; port 0: any (default: 127.0.0.1:8000)", "Serving");
    option("--drain", drain, "TIME", "For what runs to end when the server is stopped (default: 30s)", "Serving");
    option("--log-level", log_level, "LEVEL", "debug, info, warning or error (default: info)", "Serving")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
    option("--log", log, "FORM", "json, text, or auto: text on a terminal (default: auto)", "Serving")
        ->check(CLI::IsMember({"json", "text", "auto"}));
    option("--auth", auth, "KIND", "anonymous, or token: only with a token of `lapse token` (default: anonymous)", "Access")
        ->check(CLI::IsMember({"anonymous", "token"}));
    option("--host", hosts, "NAME", "Another name that this server goes by, as a proxy's; with its port unless it is 80", "Access")
        ->take_all();
    command.add_flag("--allow-private-webhooks", private_webhooks, "Webhooks may go to private and loopback addresses")->group("Access");
    option("--max-body", max_body, "BYTES", "Of one request (default: 64MiB)", "Limits");
    option("--max-body-memory", max_body_memory, "BYTES", "For the bodies of all requests, and what they are read into (default: 1GiB)",
           "Limits");
    option("--max-queue", max_queue, "N", "Queued jobs (default: 100000)", "Limits")->check(number_between(1, 1e12));
    option("--max-queue-bytes", max_queue_bytes, "BYTES", "Inputs of queued jobs (default: 16GiB)", "Limits");
    option("--min-free", min_free, "BYTES", "Disk space that is kept free (default: 256MiB)", "Limits");
    option("--max-connections", max_connections, "N", "Open connections (default: 10000)", "Limits")->check(number_between(1, 1e6));
    option("--header-timeout", header_timeout, "TIME", "For the header of a request to come (default: 10s)", "Limits");
    option("--body-timeout", body_timeout, "TIME", "Without a byte of a body that is to come (default: 30s)", "Limits");
    option("--idle-timeout", idle_timeout, "TIME", "Between two requests of a connection (default: 75s)", "Limits");
    option("--max-attempts", max_attempts, "N", "Of one job, before it has failed (default: 5)", "Limits")->check(number_between(1, 1000));
    option("--retention", retention, "TIME", "For which a finished job is kept (default: 24h)", "Limits");
    option("--tombstone", tombstone, "TIME", "For which a forgotten job is 410, and not 404 (default: 168h)", "Limits");
    option("--lease", lease, "TIME", "After which a silent worker loses its jobs (default: 30s)", "Limits");
    option("--blob-grace", grace, "TIME", "For which a blob that no job refers to is kept (default: 2min)", "Limits");
    option("--pool", pool, "N", "Threads that wait for the disk (default: 16)", "Limits")->check(number_between(1, 1024));
    command.footer(kFooter);
  }

  Result<serve::FrontOptions> read(const Context& context) const {
    serve::FrontOptions result;
    result.models = models;
    result.data = data;
    result.program = std::filesystem::read_symlink("/proc/self/exe").string();
    LAPSE_CHECK(read_address(result.server));
    result.server.max_connections = max_connections;
    LAPSE_TRY(result.server.max_body_memory, parse_bytes(max_body_memory));
    LAPSE_TRY(result.server.header_timeout, parse_duration(header_timeout));
    LAPSE_TRY(result.server.body_timeout, parse_duration(body_timeout));
    LAPSE_TRY(result.server.idle_timeout, parse_duration(idle_timeout));
    result.anonymous = auth == "anonymous";
    result.hosts = hosts;
    result.limits.max_queued_jobs = max_queue;
    LAPSE_TRY(result.limits.max_queued_bytes, parse_bytes(max_queue_bytes));
    result.limits.max_attempts = max_attempts;
    LAPSE_TRY(result.limits.retention, parse_duration(retention));
    LAPSE_TRY(result.limits.tombstone, parse_duration(tombstone));
    LAPSE_TRY(result.max_body, parse_bytes(max_body));
    LAPSE_TRY(result.min_free, parse_bytes(min_free));
    LAPSE_TRY(result.drain, parse_duration(drain));
    LAPSE_TRY(result.lease, parse_duration(lease));
    LAPSE_TRY(result.blob_grace, parse_duration(grace));
    const std::uint64_t least = result.max_body + serve::oip::memory_for(result.max_body, 0);  // else the largest would never be taken
    if (result.server.max_body_memory < least) {
      return fail(ErrorCode::BadUse, fmt::format("--max-body-memory is at least {} for bodies of {}", least, result.max_body),
                  fmt::format("--max-body-memory {}", least));
    }
    if (result.lease < std::chrono::seconds{1}) return fail(ErrorCode::BadUse, "--lease is at least 1s");
    result.private_webhooks = private_webhooks;
    result.pool = pool;
    result.log_level = log_level == "debug"     ? serve::Level::Debug
                       : log_level == "info"    ? serve::Level::Info
                       : log_level == "warning" ? serve::Level::Warning
                                                : serve::Level::Error;
    result.log_json = log == "json" || (log == "auto" && isatty(STDERR_FILENO) == 0);
    const bool korean = context.language == report::Language::Korean;
    result.listening = [korean, folder = models, server = result.server](const std::string& url) {
      if (korean) {
        fmt::print("lapse가 {}의 모델을 {} 에서 서빙합니다\n", folder, url);
      } else {
        fmt::print("lapse serves the models in {} on {}\n", folder, url);
      }
      if (has_photo_model(folder)) fmt::print("{}: {}\n", korean ? "사진 앱" : "The photo app", page_url(server, url));
      std::fflush(stdout);
    };
    return result;
  }

 private:
  Result<void> read_address(serve::http::ServerOptions& server) const {
    const std::size_t colon = listen.rfind(':');
    unsigned port = 0;
    const char* const end = listen.data() + listen.size();
    const bool sound = colon != std::string::npos && colon + 1 < listen.size() &&
                       std::from_chars(listen.data() + colon + 1, end, port).ptr == end && port <= 65535;
    if (!sound) return fail(ErrorCode::BadUse, fmt::format("'{}' is no ADDRESS:PORT", listen), "such as 127.0.0.1:8000 or [::1]:8000");
    server.address = listen.substr(0, colon);
    if (server.address.starts_with('[') && server.address.ends_with(']'))
      server.address = server.address.substr(1, server.address.size() - 2);
    if (server.address == "localhost") server.address = "127.0.0.1";
    server.port = static_cast<std::uint16_t>(port);
    return {};
  }
};

}  // namespace

Command add_serve(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  options->add_to(*app.add_subcommand("serve", "Serve models over HTTP, now or later: what is acknowledged is never lost"));
  return [options, &context] {
    const auto front = options->read(context);
    if (!front) return print_error(front.error(), context.language);
    const auto status = serve::serve(*front);
    return status ? *status : print_error(status.error(), context.language);
  };
}

}  // namespace lapse::cli
