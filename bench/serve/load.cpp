// The load client of `lapse serve`'s figures: it does little itself (one thread, one more for the health watch), so that the server's
// times are what is seen. Prints one JSON document.
//   load submit|through|hold --address 127.0.0.1:8000 …       (load --help-all)

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <stdexcept>

#include "load/modes.hpp"

namespace {

load::Address parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(text.data() + std::min(colon + 1, text.size()), text.data() + text.size(), port);
  if (colon == std::string::npos || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
    throw std::runtime_error("--address wants HOST:PORT, not " + text);
  }
  return {text.substr(0, colon), port};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Load client for asynchronous model serving"};
  app.require_subcommand(1);
  app.fallthrough();
  load::Target target;
  std::string address;
  std::vector<std::string> headers;
  target.prefix = fmt::format("j{:x}", std::chrono::system_clock::now().time_since_epoch().count());
  app.add_option("--address", address, "HOST:PORT, the host as a number")->required();
  app.add_option("--method", target.method, "of a submission")->capture_default_str();
  app.add_option("--path", target.path, "of a submission; {id} is the job's")->capture_default_str();
  app.add_option("--header", headers, "\"Name: value\", more than one is fine");
  app.add_option("--prefix", target.prefix, "of ids (default: the time)");
  app.add_option("--seed", target.seed, "of bodies: another seed, other bytes (default: the time)");
  app.add_option("--input", target.input, "name of the input tensor")->capture_default_str();
  app.add_option("--shape", target.shape, "of the input tensor, FP32")->capture_default_str();
  target.seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());

  load::Submit submit;
  auto* submitting = app.add_subcommand("submit", "submissions in a closed loop: how long until they are acknowledged");
  submitting->add_option("--clients", submit.clients)->capture_default_str()->check(CLI::PositiveNumber);
  submitting->add_option("--count", submit.count, "submissions; 0: for --seconds")->capture_default_str();
  submitting->add_option("--seconds", submit.seconds)->capture_default_str();
  submitting->add_option("--accepted", submit.accepted, "status of an acknowledgement")->capture_default_str();
  submitting->add_option("--health", submit.health, "path to ask meanwhile, on a schedule");
  submitting->add_option("--health-every", submit.health_every, "seconds")->capture_default_str();
  submitting->add_option("--samples", submit.samples, "file for every sample (CSV)");
  submitting->add_option("--health-samples", submit.health_samples, "file for every sample of the health watch (CSV)");
  submitting->add_option("--answers", submit.answers, "file for id, status and body of every answer (TSV)");

  load::Through through;
  auto* going_through = app.add_subcommand("through", "jobs from submission to result: how many a second");
  going_through->add_option("--outstanding", through.outstanding)->capture_default_str()->check(CLI::PositiveNumber);
  going_through->add_option("--rate", through.rate, "submissions a second, evenly; 0: as fast as they go")->capture_default_str();
  going_through->add_option("--warmup", through.warmup, "seconds")->capture_default_str();
  going_through->add_option("--seconds", through.seconds)->capture_default_str();
  going_through->add_flag("!--no-fetch", through.fetch, "leave the results there");
  going_through->add_option("--samples", through.samples, "file for every sample (CSV)");

  load::Hold hold;
  auto* holding = app.add_subcommand("hold", "open streams and idle connections, held while jobs flow");
  holding->add_option("--streams", hold.streams)->capture_default_str();
  holding->add_option("--owners", hold.owners, "sessions that the streams are shared out to")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  holding->add_option("--idle", hold.idle)->capture_default_str();
  holding->add_option("--seconds", hold.seconds)->capture_default_str();
  holding->add_option("--jobs", hold.jobs, "a second")->capture_default_str()->check(CLI::PositiveNumber);
  holding->add_option("--patience", hold.patience, "seconds, for what must open and for the last ends")->capture_default_str();
  holding->add_option("--process", hold.process, "of the server's front: its memory is looked at");

  try {
    app.parse(argc, argv);
    target.address = parse_address(address);
    for (const std::string& each : headers) target.headers += each + "\r\n";
    const auto json = submitting->parsed()      ? load::submit(target, submit)
                      : going_through->parsed() ? load::through(target, through)
                                                : load::hold(target, hold);
    fmt::print("{}\n", json.dump(2));
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "load: {}\n", error.what());
    return 1;
  }
}
