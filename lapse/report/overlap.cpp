#include <algorithm>
#include <lapse/base/version.hpp>
#include <lapse/host/fingerprint.hpp>
#include <lapse/report/json_parts.hpp>
#include <lapse/report/overlap.hpp>
#include <nlohmann/json.hpp>

namespace lapse::report {
namespace {

using Json = nlohmann::ordered_json;
using pipeline::BatchTimes;
using pipeline::Overlap;
using pipeline::OverlapPlan;
using pipeline::Round;
using pipeline::Step;
using pipeline::WayFigures;

bool on_device(Step step, bool asynchronous) { return asynchronous && step != Step::Prepare && step != Step::Consume; }

Json stages(const Overlap& overlap, const OverlapPlan& plan, bool asynchronous) {
  Json out = Json::array();
  for (const Step step : overlap.steps) {
    out.push_back({{"name", pipeline::name(step)},
                   {"where", on_device(step, asynchronous) ? "device" : "host"},
                   {"threads", step == Step::Prepare ? plan.workers : 1}});
  }
  return out;
}

Json ratio(const pipeline::PairedRatio& ratio) {
  const auto end = [&](double value) { return ratio.ranks ? number_json(value) : Json(nullptr); };
  return {{"value", number_json(ratio.value)}, {"low", end(ratio.low)}, {"high", end(ratio.high)}};
}

Json spans(const Round& round, const std::vector<Step>& steps) {
  std::vector<const BatchTimes*> batches;
  for (const BatchTimes& times : round.batches) batches.push_back(&times);
  std::ranges::sort(batches, {}, [](const BatchTimes* times) { return times->batch; });
  Json out = Json::array();
  for (const BatchTimes* times : batches) {
    if (out.size() + steps.size() > kSpans) break;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const BatchTimes::Span& span = times->at(steps[i]);
      out.push_back({i, times->batch, (span.begin - round.begin).count(), (span.end - span.begin).count()});
    }
  }
  return out;
}

Json way(const std::vector<Round>& rounds, const WayFigures& figures, const std::vector<Step>& steps) {
  Json measured = Json::array(), latencies = Json::array(), starts = Json::array();
  for (const Round& round : rounds) {
    if (&round != &rounds.front()) {
      measured.push_back({{"items", round.items}, {"batches", round.batches.size()}, {"duration_ns", round.duration.count()}});
    }
    for (const BatchTimes& times : round.batches) {
      latencies.push_back(times.latency().count());
      starts.push_back((times.at(Step::Prepare).begin - rounds.front().begin).count());
    }
  }
  Json latency{{"count", figures.latency.count}};
  latency.update(summary_json(figures.latency));
  return {{"throughput_per_s", number_json(figures.throughput_per_s)},
          {"rounds", std::move(measured)},
          {"busy_ns", figures.busy_ns},
          {"utilisation", figures.utilisation},
          {"latency", std::move(latency)},
          {"warmup", rounds.front().batches.size()},
          {"latency_ns", std::move(latencies)},
          {"start_ns", std::move(starts)},
          {"spans", spans(rounds.back(), steps)}};
}

Json answer(const pipeline::Agreement& agreement) {
  const char* verdict = agreement.random > 0 ? "random" : agreement.different > 0 ? "different" : "equal";
  return {{"verdict", verdict}, {"items", agreement.items}, {"different", agreement.different}, {"random", agreement.random}};
}

Json skipped(const OverlapSubject& subject) {
  Json files = Json::array();
  for (const SkippedRow& row : subject.skipped) files.push_back({{"file", row.file}, {"reason", row.reason}});
  return {{"count", subject.skipped_count}, {"files", std::move(files)}};
}

}  // namespace

nlohmann::ordered_json to_json(const Overlap& overlap, const OverlapPlan& plan, const OverlapSubject& subject) {
  const pipeline::OverlapFigures figures = pipeline::figures(overlap, plan);
  Json failure;
  if (overlap.failure) {
    failure = {{"code", lapse::name(overlap.failure->code)}, {"message", overlap.failure->message}, {"hint", overlap.failure->hint}};
  }
  return {{"schema", kPipelineSchema},
          {"lapse", version()},
          {"created", created_now()},
          {"argv", subject.argv},
          {"failure", std::move(failure)},
          {"subject",
           {{"model", subject.model},
            {"engine", subject.engine},
            {"engine_version", subject.engine_version},
            {"device", subject.device},
            {"threads", subject.threads},
            {"batch", subject.batch},
            {"asynchronous", subject.asynchronous},
            {"source", subject.source},
            {"items", overlap.synchronous.back().items},
            {"batches", plan.batches},
            {"workers", plan.workers},
            {"depth", plan.depth},
            {"in_flight", subject.asynchronous ? plan.in_flight : 1}}},
          {"environment", fingerprint_json(host::fingerprint())},
          {"stages", stages(overlap, plan, subject.asynchronous)},
          {"speedup", ratio(figures.speedup)},
          {"bound",
           {{"stage", pipeline::name(figures.bound)},
            {"throughput_per_s", number_json(figures.bound_per_s)},
            {"efficiency", ratio(figures.efficiency)}}},
          {"answer", answer(overlap.agreement)},
          {"skipped", skipped(subject)},
          {"ways",
           {{"synchronous", way(overlap.synchronous, figures.synchronous, overlap.steps)},
            {"asynchronous", way(overlap.asynchronous, figures.asynchronous, overlap.steps)}}}};
}

std::string to_trace(const Overlap& overlap, const OverlapSubject& subject) {
  const device::Instant zero = std::min(overlap.synchronous.front().begin, overlap.asynchronous.front().begin);
  const auto microseconds = [](Duration duration) { return static_cast<double>(duration.count()) / 1e3; };
  Json events = Json::array();
  const auto name_it = [&](const char* what, int process, int lane, const std::string& text) {
    events.push_back({{"ph", "M"}, {"name", what}, {"pid", process}, {"tid", lane}, {"args", {{"name", text}}}});
  };
  // Lanes: the device's and the other host threads by their step, those who prepare behind them.
  constexpr int kFirstWorker = 10;
  const auto lane_of = [](Step step, std::uint32_t worker) {
    return step == Step::Prepare ? kFirstWorker + static_cast<int>(worker) : static_cast<int>(step);
  };
  for (const bool asynchronous : {false, true}) {
    const int process = asynchronous ? 2 : 1;
    const auto& rounds = asynchronous ? overlap.asynchronous : overlap.synchronous;
    name_it("process_name", process, 0, asynchronous ? "asynchronous" : "synchronous");
    for (const Step step : overlap.steps) {
      if (step != Step::Prepare) {
        name_it("thread_name", process, lane_of(step, 0),
                std::string(on_device(step, subject.asynchronous) ? "device: " : "host: ") + std::string(pipeline::name(step)));
      }
    }
    std::uint32_t workers = 0;
    for (std::size_t round = 0; round < rounds.size(); ++round) {
      for (const BatchTimes& times : rounds[round].batches) {
        workers = std::max(workers, times.worker + 1);
        for (const Step step : overlap.steps) {
          const BatchTimes::Span& span = times.at(step);
          events.push_back({{"ph", "X"},
                            {"name", pipeline::name(step)},
                            {"cat", on_device(step, subject.asynchronous) ? "device" : "host"},
                            {"pid", process},
                            {"tid", lane_of(step, times.worker)},
                            {"ts", microseconds(span.begin - zero)},
                            {"dur", microseconds(span.end - span.begin)},
                            {"args", {{"batch", times.batch}, {"items", times.items}, {"round", round}, {"warmup", round == 0}}}});
        }
      }
    }
    for (std::uint32_t worker = 0; worker < workers; ++worker) {
      name_it("thread_name", process, lane_of(Step::Prepare, worker), "host: preprocess " + std::to_string(worker));
    }
  }
  const Json trace{{"displayTimeUnit", "ms"},
                   {"otherData", {{"model", subject.model}, {"engine", subject.engine}, {"device", subject.device}, {"lapse", version()}}},
                   {"traceEvents", std::move(events)}};
  return trace.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace lapse::report
