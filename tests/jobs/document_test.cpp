#include <gtest/gtest.h>

#include <lapse/jobs/document.hpp>
#include <nlohmann/json.hpp>

namespace lapse::jobs {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

Job queued_job() {
  Job job;
  job.spec.id = "one";
  job.spec.model = "model";
  job.max_attempts = 5;
  job.trace.accepted = job.trace.queued = Time{1'700'000'000s} + 5ns;
  return job;
}

TEST(Document, TimesAreRfc3339WithNanoseconds) {
  EXPECT_EQ(rfc3339(Time{}), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(rfc3339(Time{1'700'000'000s} + 5ns), "2023-11-14T22:13:20.000000005Z");
  EXPECT_EQ(rfc3339(Time{-1ns}), "1969-12-31T23:59:59.999999999Z");
}

TEST(Document, AQueuedJobHasNothingOfWhatComesLater) {
  EXPECT_EQ(json::parse(describe(queued_job())),
            json::parse(R"({"id":"one","model":"model","version":"","state":"queued","priority":0,"attempt":0,"max_attempts":5,
                            "input":{"href":"/v2/jobs/one/input","bytes":0,"content_type":""},"cancelling":false,"times":{"accepted":"2023-11-14T22:13:20.000000005Z",
                            "queued":"2023-11-14T22:13:20.000000005Z"},"durations":{},"batch_size":0})"));
}

TEST(Document, ADoneJobHasItsResultAndItsDurations) {
  Job job = queued_job();
  job.state = State::Done;
  job.result = Payload{};
  job.result->blob.size = 123;
  job.result->content_type = "application/octet-stream";
  job.result->header_length = 61;
  job.trace.claimed = job.trace.queued + 2s;
  job.trace.batched = job.trace.queued + 3s;
  job.trace.started = job.trace.queued + 4s;
  job.trace.h2d = 10ms;
  job.trace.forward = 500ms;
  job.trace.d2h = 20ms;
  job.trace.stored = job.trace.queued + 5s;
  job.trace.delivered = job.trace.queued + 6s;
  job.trace.batch_size = 8;
  job.expires = job.trace.queued + 1h;
  const json document = json::parse(describe(job));
  EXPECT_EQ(document["result"], json::parse(R"({"href":"/v2/jobs/one/result","bytes":123,
                                                "content_type":"application/octet-stream","header_length":61})"));
  const json durations = document["durations"];
  EXPECT_EQ(durations, json::parse(R"({"queue_seconds":2.0,"dispatch_seconds":1.0,"batch_wait_seconds":1.0,"h2d_seconds":0.01,
                                       "forward_seconds":0.5,"d2h_seconds":0.02,"store_seconds":0.47,"total_seconds":5.0,
                                       "delivery_seconds":1.0})"));
  double sum = 0;
  for (const char* stage : {"queue", "dispatch", "batch_wait", "h2d", "forward", "d2h", "store"}) {
    sum += durations[std::string(stage) + "_seconds"].get<double>();
  }
  EXPECT_DOUBLE_EQ(sum, durations["total_seconds"]) << "no gap between the stages";
  EXPECT_EQ(document["expires"], "2023-11-14T23:13:20.000000005Z");
  EXPECT_EQ(document["batch_size"], 8);
  EXPECT_FALSE(document.contains("error") || document.contains("stopped") || document.contains("progress"));
}

TEST(Document, AJobIsShownWithItsLabelItsInputAndWhatIsToBeSaidOfItsResult) {
  Job job = queued_job();
  job.spec.label = "IMG_1234.jpg";
  job.spec.input.blob.size = 77;
  job.spec.input.content_type = "image/jpeg";
  job.notes = {"the 16 bits of a colour become 8"};
  json document = json::parse(describe(job));
  EXPECT_EQ(document["label"], "IMG_1234.jpg");
  EXPECT_EQ(document["input"], json::parse(R"({"href":"/v2/jobs/one/input","bytes":77,"content_type":"image/jpeg"})"));
  EXPECT_FALSE(document.contains("notes")) << "there is no result yet";
  job.state = State::Done;
  job.result = Payload{};
  EXPECT_EQ(json::parse(describe(job))["notes"], json::parse(R"(["the 16 bits of a colour become 8"])"));
}

TEST(Document, APhotosStagesOverlapSoNothingIsLeftForStoring) {
  Job job = queued_job();
  job.trace.started = job.trace.queued + 1s;
  job.trace.preprocess = 3s;
  job.trace.forward = 4s;
  job.trace.postprocess = 2s;
  job.trace.stored = job.trace.queued + 6s;
  EXPECT_EQ(json::parse(describe(job))["durations"],
            json::parse(R"({"preprocess_seconds":3.0,"forward_seconds":4.0,"postprocess_seconds":2.0,"total_seconds":6.0})"));
}

TEST(Document, OnlyTheStateDecidesWhatStandsInIt) {
  Job job = queued_job();
  job.error = Error{ErrorCode::BadInput, "of an earlier attempt", ""};
  job.stopped = "x";
  job.cancel_requested = true;
  job.state = State::Running;
  json document = json::parse(describe(job));
  EXPECT_FALSE(document.contains("error") || document.contains("stopped"));
  EXPECT_TRUE(document["cancelling"]);
  EXPECT_FALSE(document.contains("progress")) << "not known yet";
  job.progress = {3, 12};
  EXPECT_EQ(json::parse(describe(job))["progress"], json::parse(R"({"done":3,"total":12})"));
  job.state = State::Failed;
  document = json::parse(describe(job));
  EXPECT_EQ(document["error"], json::parse(R"({"code":"bad_input","message":"of an earlier attempt","hint":""})"));
  EXPECT_FALSE(document["cancelling"]);
}

TEST(Document, ATimeOfDayThatWasSetBackGivesNoNegativeDuration) {
  Job job = queued_job();
  job.trace.claimed = job.trace.queued - 1s;
  EXPECT_EQ(json::parse(describe(job))["durations"]["queue_seconds"], 0.0);
}

TEST(Document, BytesThatAreNoTextAreReplaced) {
  Job job = queued_job();
  job.spec.model = "\xff";
  EXPECT_EQ(json::parse(describe(job))["model"], "\xef\xbf\xbd");
}

TEST(Document, StatesAreReadAndWritten) {
  for (const State state : {State::Queued, State::Running, State::Done, State::Failed, State::Cancelled, State::Expired}) {
    EXPECT_EQ(parse_state(name(state)).value(), state);
  }
  EXPECT_EQ(parse_state("Done").error().code, ErrorCode::BadInput);
}

}  // namespace
}  // namespace lapse::jobs
