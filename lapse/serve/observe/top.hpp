#pragma once
// What `lapse top` shows, made of two scrapes: numbers first, then text that fits a width. Pure functions.

#include <lapse/serve/observe/exposition.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lapse::serve {

struct TopQuantiles {
  std::optional<double> p50, p99;  // seconds: at most so much
};

struct TopModel {
  std::string name;
  double queued = 0, running = 0, workers = 0, restarts = 0;
  std::optional<double> done_rate, failed_rate;  // a second; nothing with one scrape only
  TopQuantiles ack, queue, forward;
  std::optional<double> batch;  // mean requests of a forward pass
};

struct TopView {
  std::string version;
  double memory = 0, connections = 0;  // bytes
  std::optional<double> request_rate, rejected_rate;
  std::vector<TopModel> models;
};

/// Between the scrapes; with one only: since the server's start, and no rates.
TopView view(const Exposition* before, const Exposition& now, double seconds);

/// A table where it fits into `width` columns, else a few short lines a model. Lines end in '\n'.
std::string draw(const TopView& view, std::size_t width, bool korean);

}  // namespace lapse::serve
