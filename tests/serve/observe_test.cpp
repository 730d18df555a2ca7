// Metrics as Prometheus reads them, and the log.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <lapse/serve/observe/exposition.hpp>
#include <lapse/serve/observe/log.hpp>
#include <lapse/serve/observe/metrics.hpp>
#include <lapse/serve/observe/top.hpp>
#include <lapse/serve/observe/witness.hpp>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

namespace lapse::serve {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr jobs::Time kNow{1'000'000s};

jobs::Trace trace() {
  jobs::Trace out;
  out.accepted = out.queued = kNow;
  out.claimed = kNow + 10ms;
  out.batched = kNow + 11ms;
  out.started = kNow + 15ms;
  out.h2d = 1ms;
  out.forward = 5ms;
  out.d2h = 2ms;
  out.stored = kNow + 30ms;
  return out;
}

jobs::Job job(jobs::State state = jobs::State::Done) {
  jobs::Job out;
  out.spec.id = "j";
  out.spec.owner = "ann";
  out.spec.model = "m";
  out.spec.input.blob.size = 100;
  out.state = state;
  out.attempt = 1;
  out.trace = trace();
  return out;
}

jobs::Job delivered(jobs::State state = jobs::State::Done) {
  jobs::Job out = job(state);
  out.trace.delivered = *out.trace.stored + 4ms;
  return out;
}

struct Served {
  std::vector<jobs::QueueDepth> queues{{"m", 7, 2, 1024, kNow - 3s}};
  std::vector<ModelStatus> models;
  Served() {
    models.emplace_back();
    models.back().name = "m";
    models.back().version = "1";
    models.back().workers = 2;
  }
  Metrics::Now now() const { return {queues, models, 5, 1, 4096}; }
};

void fill(Metrics& metrics) {
  metrics.request("GET", "/v2", 200, 1ms);
  metrics.request("BREW", "", 404, 1ms);
  metrics.accepted(job(), 2ms);
  metrics.ended(job());
  metrics.answered("m", "done", trace());
  metrics.delivered(delivered());
  metrics.batch("m", 3, 5ms);
  metrics.worker("m", "crashed");
  metrics.rejected("queue_full");
}

TEST(Metrics, EveryFamilyIsExplainedTypedAndInBaseUnits) {
  Metrics metrics{[] { return kNow; }};
  fill(metrics);
  std::istringstream text{metrics.exposition(Served{}.now())};
  std::string line, helped, type;
  int families = 0;
  while (std::getline(text, line)) {
    if (line.starts_with("# HELP ")) {
      helped = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_GT(line.size(), 7 + helped.size() + 8) << line;
    } else if (line.starts_with("# TYPE ")) {
      type = line.substr(line.rfind(' ') + 1);
      EXPECT_TRUE(line.starts_with("# TYPE " + helped + " ")) << line;
      EXPECT_EQ(helped.ends_with("_total"), type == "counter") << line;
      EXPECT_THAT(helped, testing::MatchesRegex("(lapse|process)_[a-z0-9_]+"));
      EXPECT_THAT(helped, Not(testing::ContainsRegex("_(ms|us|ns|milliseconds|kib|mib|percent)(_|$)")));
      ++families;
    } else {
      EXPECT_TRUE(line.starts_with(helped)) << line << " belongs to " << helped;
    }
  }
  EXPECT_GT(families, 25);
}

TEST(Metrics, StagesAreThoseOfAJobsDocument) {
  Metrics metrics{[] { return kNow; }};
  fill(metrics);
  const auto read = *Exposition::parse(metrics.exposition(Served{}.now()));
  const std::vector<std::pair<std::string, double>> expected{
      {"accepted", 2e-3}, {"queue", 10e-3}, {"dispatch", 1e-3}, {"batch_wait", 4e-3}, {"h2d", 1e-3},
      {"forward", 5e-3},  {"d2h", 2e-3},    {"store", 7e-3},    {"total", 30e-3},     {"delivery", 4e-3}};
  for (const auto& [stage, seconds] : expected) {
    EXPECT_NEAR(read.sum("lapse_job_" + stage + "_seconds_sum"), seconds, 1e-12) << stage;
    EXPECT_EQ(read.sum("lapse_job_" + stage + "_seconds_count"), 1) << stage;
  }
  EXPECT_EQ(read.sum("lapse_direct_forward_seconds_count"), 1);
  for (const char* stage : {"dispatch", "store", "total", "delivery"}) {
    EXPECT_TRUE(read.of(fmt::format("lapse_direct_{}_seconds_count", stage)).empty()) << stage;
  }
  EXPECT_EQ(read.sum("lapse_job_accepted_bytes_total"), 100);
  EXPECT_EQ(read.sum("lapse_jobs_ended_total", {{"model", "m"}, {"state", "done"}}), 1);
  EXPECT_EQ(read.sum("lapse_queue_oldest_seconds"), 3);
  EXPECT_EQ(read.sum("lapse_queue_jobs", {{"state", "queued"}}), 7);
  EXPECT_EQ(read.sum("lapse_workers"), 2);
  EXPECT_EQ(read.sum("lapse_http_requests_total", {{"method", "other"}, {"route", "unmatched"}, {"status", "404"}}), 1);
}

TEST(Metrics, OnlyTheTimesOfJobsThatAreDoneAreCounted) {
  Metrics metrics{[] { return kNow; }};
  for (const auto state : {jobs::State::Failed, jobs::State::Cancelled, jobs::State::Expired, jobs::State::Queued}) {
    metrics.ended(job(state));
    metrics.delivered(delivered(state));
  }
  const auto read = *Exposition::parse(metrics.exposition(Served{}.now()));
  for (const char* state : {"failed", "cancelled", "expired"})
    EXPECT_EQ(read.sum("lapse_jobs_ended_total", {{"state", state}}), 1) << state;
  EXPECT_TRUE(read.of("lapse_job_total_seconds_count").empty());
  EXPECT_TRUE(read.of("lapse_job_delivery_seconds_count").empty());
  EXPECT_EQ(read.sum("lapse_job_retries_total", {{"model", "m"}}), 1) << "queued again";
}

TEST(Metrics, HistogramsAreCumulativeAndEndInTheirCount) {
  Metrics metrics{[] { return kNow; }};
  for (int i = 0; i < 50; ++i) metrics.accepted(job(), 100us * i * i);
  metrics.accepted(job(), 5h);
  const auto read = *Exposition::parse(metrics.exposition(Served{}.now()));
  const auto buckets = read.buckets("lapse_job_accepted_seconds");
  double before = 0;
  for (const auto& [bound, count] : buckets) {
    EXPECT_GE(count, before) << bound;
    before = count;
  }
  EXPECT_EQ(buckets.size(), 25u);
  EXPECT_EQ(buckets.begin()->second, 2);  // 0 and exactly 100 µs
  EXPECT_EQ(before, 51);
  EXPECT_EQ(read.sum("lapse_job_accepted_seconds_count"), 51);
}

TEST(Metrics, AModelThatIsGoneTakesItsSeriesWithIt) {
  Metrics metrics{[] { return kNow; }};
  metrics.batch("gone", 1, 1ms);
  metrics.batch("m", 1, 1ms);
  const std::string text = metrics.exposition(Served{}.now());
  EXPECT_THAT(text, Not(HasSubstr("gone")));
  EXPECT_THAT(text, HasSubstr(R"(lapse_batch_size_count{model="m"} 1)"));
}

TEST(Metrics, NoFloodOfNamesMakesMoreSeriesThanTheBound) {
  Metrics metrics{[] { return kNow; }};
  for (std::size_t i = 0; i < 3 * Metrics::kModels; ++i) metrics.worker("model" + std::to_string(i), "started");
  const auto read = *Exposition::parse(metrics.exposition({}));
  EXPECT_EQ(read.of("lapse_worker_events_total").size(), 1u);
  EXPECT_EQ(read.sum("lapse_worker_events_total", {{"model", "other"}}), 2 * static_cast<double>(Metrics::kModels));
}

/// What a log wrote into a pipe.
class LogTest : public testing::Test {
 protected:
  LogTest() { EXPECT_EQ(::pipe(pipe_.data()), 0); }
  ~LogTest() override {
    for (const int end : pipe_) ::close(end);
  }
  std::vector<std::string> lines() {
    std::string text(1 << 20, '\0');
    ::write(pipe_[1], "\n", 1);  // so that reading never waits
    text.resize(static_cast<std::size_t>(::read(pipe_[0], text.data(), text.size())));
    text.pop_back();
    std::istringstream in{text};
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }
  std::unique_ptr<Log> log(bool json, Level least = Level::Debug) {
    return std::make_unique<Log>(pipe_[1], least, json, [this] { return now_; });
  }
  jobs::Time now_ = kNow;
  std::array<int, 2> pipe_{};
};

TEST_F(LogTest, ALineIsOneJsonObjectWhateverIsInIt) {
  log(true)->write(Level::Warning, "worker crashed", {{"job", "a\nb\x1b[2J\"\xff"}, {"model", "m"}});
  const auto written = lines();
  ASSERT_EQ(written.size(), 1u);
  const auto line = nlohmann::json::parse(written[0]);
  EXPECT_EQ(line["time"], "1970-01-12T13:46:40.000000000Z");
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["message"], "worker crashed");
  EXPECT_EQ(line["model"], "m");
  EXPECT_THAT(written[0], Not(HasSubstr("\x1b")));
}

TEST_F(LogTest, ForPeopleNothingSteersTheTerminal) {
  log(false)->write(Level::Info, "model ready", {{"model", "m"}, {"reason", "two words\r\n\x1b[2J\xc2\x9b\x7f"}});
  const auto written = lines();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0], "13:46:40.000 INFO    model ready  model=m reason=\"two words\\r\\n\\u001b[2J??\"");
}

TEST_F(LogTest, SecretsNeverGetIn) {
  const std::string token = "lapse_arNcxi7CVu0cI7gt92Qj5KUlLAS05SA_n9ClIcMN_YM";
  for (const bool json : {true, false}) {
    log(json)->write(Level::Error, "asked with " + token,
                     {{"Authorization", "Basic x"},
                      {"cookie", "y=arNcxi7"},
                      {"url", "/?t=" + token},
                      {"head", "a; lapse_session=abcdefghijklmnopqrstuvwxyz.0123456789; b"}});
  }
  for (const std::string& line : lines()) {
    for (const char* secret : {"arNcxi7", "Basic", "n9ClIcMN", "abcdefgh", "0123456789"}) EXPECT_THAT(line, Not(HasSubstr(secret)));
    EXPECT_THAT(line, HasSubstr("asked with lapse_…"));
  }
}

TEST_F(LogTest, AFloodIsSummedUpAndOthersAreHeard) {
  const auto log = this->log(true);
  for (int i = 0; i < 500; ++i) log->write(Level::Error, "the same", {{"n", std::to_string(i)}});
  log->write(Level::Error, "another");
  EXPECT_EQ(lines().size(), Log::kLinesOfOneMessage + 1);
  now_ += 1s;
  log->write(Level::Error, "the same");
  const auto after = lines();
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(nlohmann::json::parse(after[0])["not_shown"], "480");
}

TEST_F(LogTest, WhatIsBelowTheLevelIsNotWritten) {
  log(true, Level::Warning)->write(Level::Info, "quiet");
  EXPECT_TRUE(lines().empty());
  EXPECT_EQ(*parse_level("warning"), Level::Warning);
  EXPECT_FALSE(parse_level("loud"));
}

TEST_F(LogTest, EveryLineOfAJobHasItsIdAndItsOwner) {
  const auto log = this->log(true);
  Metrics metrics;
  Witness witness{*log, metrics};
  witness.accepted(job(jobs::State::Queued), 1ms);
  auto retried = job(jobs::State::Queued), failed = job(jobs::State::Failed), cancelled = job(jobs::State::Cancelled);
  retried.error = failed.error = Error{ErrorCode::OutOfMemory, "no memory", ""};
  cancelled.stopped = "before it started";
  for (const auto& ended : {retried, failed, cancelled, job(jobs::State::Expired), job()}) witness.ended(ended);
  std::vector<std::string> said;
  for (const std::string& written : lines()) {
    const auto line = nlohmann::json::parse(written);
    EXPECT_EQ(line["job"], "j");
    EXPECT_EQ(line["owner"], "ann");
    EXPECT_EQ(line["model"], "m");
    EXPECT_EQ(line["attempt"], "1");
    said.push_back(fmt::format("{}: {} {}", std::string(line["level"]), std::string(line["message"]),
                               line.value("reason", line.value("stopped", ""))));
  }
  EXPECT_THAT(said, testing::ElementsAre("debug: job accepted ", "warning: an attempt failed, and the job is queued again no memory",
                                         "warning: job failed no memory", "info: job cancelled before it started", "info: job expired ",
                                         "debug: job done "));
}

TEST(Exposition, ReadsLabelsEscapesAndInfinity) {
  const auto read = Exposition::parse("# HELP a b\na{x=\"q\\\"\\\\\\n}\",y=\"2\"} 1.5e3 123\na 2\n\nb_bucket{le=\"+Inf\"} 4\r\n");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->of("a").front().labels.at("x"), "q\"\\\n}");
  EXPECT_EQ(read->sum("a"), 1502);
  EXPECT_EQ(read->sum("a", {{"y", "2"}}), 1500);
  EXPECT_EQ(read->buckets("b").size(), 1u);
}

TEST(Exposition, RefusesWhatIsNone) {
  for (const char* text :
       {"<html>", "a", "a{", "a{x}", "a{x=1} 1", "a{x=\"1} 1", "a{x=\"1\" 1", "a{x=\"\\", "a one", "{} 1", "a{=\"\"} 1"}) {
    EXPECT_EQ(Exposition::parse(text).error().code, ErrorCode::BadInput) << text;
  }
}

TEST(Exposition, SurvivesAnyBytes) {
  Metrics metrics{[] { return kNow; }};
  fill(metrics);
  const std::string good = metrics.exposition(Served{}.now());
  std::mt19937 random{1};
  for (int round = 0; round < 500; ++round) {
    std::string bad = good.substr(0, random() % good.size());
    for (int i = 0; i < 5 && !bad.empty(); ++i) bad[random() % bad.size()] = static_cast<char>(random());
    const auto read = Exposition::parse(bad);
    if (read) draw(view(nullptr, *read, 0), random() % 100, round % 2 == 0);
  }
}

TEST(Exposition, AQuantileIsAtMostItsBucketsBound) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(quantile({}, 0.5), std::nullopt);
  EXPECT_EQ(quantile({{1, 0}, {infinity, 0}}, 0.5), std::nullopt);
  EXPECT_EQ(quantile({{1, 0}, {2, 1}, {infinity, 1}}, 0.5), 2);
  EXPECT_EQ(quantile({{1, 50}, {2, 98}, {5, 100}, {infinity, 100}}, 0.5), 1);
  EXPECT_EQ(quantile({{1, 50}, {2, 98}, {5, 100}, {infinity, 100}}, 0.99), 5);
  EXPECT_EQ(quantile({{1, 0}, {infinity, 1}}, 0.5), infinity);
}

TEST(Top, ShowsRatesBetweenTwoScrapesAndFitsTheWidth) {
  Metrics metrics{[] { return kNow; }};
  fill(metrics);
  const auto before = *Exposition::parse(metrics.exposition(Served{}.now()));
  for (int i = 0; i < 20; ++i) metrics.ended(job());
  metrics.batch("m", 5, 50ms);
  const auto now = *Exposition::parse(metrics.exposition(Served{}.now()));
  const TopView between = view(&before, now, 2);
  ASSERT_EQ(between.models.size(), 1u);
  EXPECT_EQ(between.models[0].done_rate, 10);
  EXPECT_EQ(between.models[0].failed_rate, 0);
  EXPECT_EQ(between.models[0].batch, 5);
  EXPECT_EQ(between.models[0].queue.p99, 0.01);
  EXPECT_EQ(between.models[0].restarts, 1);
  EXPECT_EQ(view(&now, before, 1).models[0].done_rate, 1) << "a server that was started anew counts from nothing";
  EXPECT_EQ(view(nullptr, now, 0).models[0].done_rate, std::nullopt);
  for (const std::size_t width : {40u, 80u}) {
    std::istringstream text{draw(between, width, false)};
    for (std::string line; std::getline(text, line);) {
      std::size_t columns = 0;
      for (const char c : line) columns += (static_cast<unsigned char>(c) & 0xc0u) != 0x80u ? 1 : 0;
      EXPECT_LE(columns, width) << line;
    }
  }
  EXPECT_THAT(draw(between, 200, false), HasSubstr("ack ≤p50/p99"));
  EXPECT_THAT(draw(between, 200, true), HasSubstr("대기"));
}

}  // namespace
}  // namespace lapse::serve
