#pragma once
// The observer of a running server: everything goes to the metrics, and what people should read to the log.
//
// Of every job the log has two lines or more, each with its id and owner: accepted and done (debug), cancelled or expired (info), failed,
// or a failed attempt that is followed by another (warning).

#include <lapse/serve/observe/log.hpp>
#include <lapse/serve/observe/metrics.hpp>
#include <lapse/serve/observe/observer.hpp>

namespace lapse::serve {

class Witness final : public Observer {
 public:
  Witness(Log& log, Metrics& metrics) : log_(log), metrics_(metrics) {}

  void log(Level level, std::string_view message, const Fields& fields = {}) override { log_.write(level, message, fields); }
  void request(std::string_view method, std::string_view route, unsigned status, Duration took) override {
    metrics_.request(method, route, status, took);
  }
  void accepted(const jobs::Job& job, Duration took) override;
  void ended(const jobs::Job& job) override;
  void delivered(const jobs::Job& job) override { metrics_.delivered(job); }
  void answered(const std::string& model, std::string_view how, const jobs::Trace& trace) override { metrics_.answered(model, how, trace); }
  void batch(const std::string& model, std::uint32_t size, Duration forward) override { metrics_.batch(model, size, forward); }
  void worker(const std::string& model, std::string_view what) override { metrics_.worker(model, what); }
  void rejected(std::string_view why) override { metrics_.rejected(why); }

 private:
  Log& log_;
  Metrics& metrics_;
};

}  // namespace lapse::serve
