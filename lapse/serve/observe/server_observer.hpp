#pragma once
// The one Observer of a server: what it is told becomes Prometheus metrics (https://prometheus.io/docs/practices/naming) and log lines.
//
// What is counted as it happens lives here; what simply is (queues, workers, memory) is handed in at the scrape, so it can't go stale, and
// a model that is gone takes its series with it.
//
// Labels are bounded: methods and routes are those of the interface ("other", "unmatched" for the rest), models those that exist
// (kModels at most between two scrapes, then "other").
//
// Threads: any. No call blocks but for a short lock and the log's write(2).

#include <lapse/serve/dispatch/dispatcher.hpp>
#include <lapse/serve/observe/log.hpp>
#include <memory>
#include <string>
#include <vector>

namespace lapse::serve {

/// The state of the server at the moment of a scrape.
struct Scrape {
  std::vector<jobs::QueueDepth> queues;  // JobStore::depths()
  std::vector<ModelStatus> models;       // Dispatcher::models()
  std::size_t connections = 0;           // http::Server::connections()
  std::string data;                      // folder of the blobs: its free bytes; empty: not told
};

class ServerObserver final : public Observer {
 public:
  static constexpr std::size_t kModels = 1000;

  explicit ServerObserver(Level least, jobs::Clock clock = jobs::system_now);
  ServerObserver(std::unique_ptr<Log> log, jobs::Clock clock);
  ~ServerObserver() override;

  void log(Level level, std::string_view message, const Fields& fields = {}) override;
  void request(std::string_view method, std::string_view route, unsigned status, Duration took) override;
  void accepted(const std::string& model, Duration took, std::uint64_t bytes) override;
  void ended(const std::string& model, std::string_view how, const jobs::Trace& trace, bool direct) override;
  void delivered(const std::string& model, Duration since_stored) override;
  void batch(const std::string& model, std::uint32_t size, Duration forward) override;
  void worker(const std::string& model, std::string_view what) override;
  void rejected(std::string_view why) override;

  /// The answer to GET /metrics, of this type.
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";
  std::string exposition(const Scrape& scrape);

 private:
  struct Counted;  // prometheus-cpp's types stay inside
  jobs::Clock clock_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Counted> counted_;
};

}  // namespace lapse::serve
