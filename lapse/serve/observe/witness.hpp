#pragma once
// The observer of a running server: everything goes to the metrics, and what people should read to the log.

#include <lapse/serve/observe/log.hpp>
#include <lapse/serve/observe/metrics.hpp>

namespace lapse::serve {

class Witness final : public Observer {
 public:
  Witness(Log& log, Metrics& metrics) : log_(log), metrics_(metrics) {}

  void log(Level level, std::string_view message, const Fields& fields = {}) override { log_.write(level, message, fields); }
  void request(std::string_view method, std::string_view route, unsigned status, Duration took) override {
    metrics_.request(method, route, status, took);
  }
  void accepted(const std::string& model, Duration took, std::uint64_t bytes) override { metrics_.accepted(model, took, bytes); }
  void ended(const std::string& model, std::string_view how, const jobs::Trace& trace, bool direct) override {
    metrics_.ended(model, how, trace, direct);
  }
  void delivered(const std::string& model, Duration since_stored) override { metrics_.delivered(model, since_stored); }
  void batch(const std::string& model, std::uint32_t size, Duration) override { metrics_.batch(model, size); }
  void worker(const std::string& model, std::string_view what) override { metrics_.worker(model, what); }
  void rejected(std::string_view why) override { metrics_.rejected(why); }

 private:
  Log& log_;
  Metrics& metrics_;
};

}  // namespace lapse::serve
