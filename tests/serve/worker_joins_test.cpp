// What happens to requests that share a forward pass, and to those that wait behind one.

#include <dlfcn.h>
#include <gmock/gmock.h>

#include <cmath>
#include <lapse/engine/catalogue.hpp>

#include "serve/front_end.hpp"

namespace lapse::serve {
namespace {

using How = wire::Finished::How;
using Request = std::pair<std::string, std::uint64_t>;
using ::testing::UnorderedElementsAre;

constexpr const char* kMoody = LAPSE_BINARY_DIR "/tests/moody_engine.so";

template <class Function>
Function* moody(const char* name) {
  return reinterpret_cast<Function*>(dlsym(dlopen(kMoody, RTLD_NOW), name));
}

wire::Load moody_load(int max_batch) {
  auto load = load_of(LAPSE_SOURCE_DIR "/README.md", max_batch);  // any file: it takes no model
  load.engine = kMoody;
  return load;
}

/// x [rows, 4] whose rows begin with `order`.
Request ordered(float order, std::int64_t rows = 1) {
  auto request = request_of({rows, 4}, 1);
  for (std::int64_t row = 0; row < rows; ++row) {
    const float numbers[]{order, 1, 2, 3};
    std::memcpy(request.first.data() + request.second + static_cast<std::size_t>(row) * 16, numbers, 16);
  }
  return request;
}

std::vector<float> output_of(const FrontEnd::Answer& answer) {
  const std::string bytes = answer.body.substr(answer.finished.header_length);
  std::vector<float> numbers(bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

class JoinedRequests : public ::testing::Test {
 protected:
  void SetUp() override {
    moody<void(int)>("moody_gate")(0);
    moody<int()>("moody_passes")();
  }
  void TearDown() override { open_gate(); }
  static void open_gate() { moody<void(int)>("moody_gate")(1); }
  static int passes() { return moody<int()>("moody_passes")(); }

  FrontEnd front;  // ends after TearDown has opened the gate, however the test went
};

TEST_F(JoinedRequests, GoThroughTheModelTogetherAndComeOutApart) {
  EXPECT_TRUE(front.load(moody_load(8)).batches);
  front.run({ordered(1), ordered(2, 3), ordered(4, 2)});
  const auto started = front.hear_one<wire::Started>();
  EXPECT_EQ(started.keys, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(started.rows, 6u);
  const auto answers = front.answers(3);
  EXPECT_EQ(passes(), 1);
  EXPECT_EQ(output_of(answers.at(1)), (std::vector<float>{2, 2, 4, 6}));
  EXPECT_EQ(output_of(answers.at(2)), (std::vector<float>{4, 2, 4, 6, 4, 2, 4, 6, 4, 2, 4, 6}));
  EXPECT_EQ(output_of(answers.at(3)).size(), 8u);
  EXPECT_EQ(answers.at(2).finished.trace.batch_size, 3u);
  EXPECT_EQ(answers.at(2).finished.rows, 3u);
  EXPECT_EQ(answers.at(1).finished.trace.started, answers.at(3).finished.trace.started);
}

TEST_F(JoinedRequests, AreNoMoreRowsThanAllowed) {
  front.load(moody_load(4));
  front.run({ordered(1, 3), ordered(2, 2), ordered(3), ordered(4, 5)});
  std::vector<std::vector<std::uint64_t>> started;
  for (int i = 0; i < 3; ++i) started.push_back(front.hear_one<wire::Started>().keys);
  EXPECT_THAT(started,
              UnorderedElementsAre(std::vector<std::uint64_t>{1, 3}, std::vector<std::uint64_t>{2}, std::vector<std::uint64_t>{4}));
  for (const auto& [key, answer] : front.answers(4)) EXPECT_EQ(answer.finished.how, How::Done) << key;
}

TEST_F(JoinedRequests, AreNotHarmedByAPoisonousOne) {
  front.load(moody_load(8));
  front.run({ordered(1), ordered(666), ordered(3)});
  const auto answers = front.answers(3);
  EXPECT_EQ(passes(), 4);
  EXPECT_EQ(output_of(answers.at(1)), (std::vector<float>{2, 2, 4, 6}));
  EXPECT_EQ(output_of(answers.at(3)), (std::vector<float>{6, 2, 4, 6}));
  EXPECT_EQ(answers.at(1).finished.trace.batch_size, 1u);
  ASSERT_EQ(answers.at(2).finished.how, How::Failed);
  EXPECT_EQ(answers.at(2).finished.error->message, "this request is poison");
  EXPECT_FALSE(answers.at(2).finished.retryable);
}

TEST_F(JoinedRequests, MayBeTriedAgainWhenMemoryRanOut) {
  front.load(moody_load(8));
  front.run({ordered(1), ordered(13)});
  const auto answers = front.answers(2);
  EXPECT_EQ(answers.at(1).finished.how, How::Done);
  EXPECT_EQ(answers.at(2).finished.error->code, ErrorCode::OutOfMemory);
  EXPECT_TRUE(answers.at(2).finished.retryable);
}

TEST_F(JoinedRequests, AreAllHandedBackWhenTheDeviceIsLostAndTheWorkerEnds) {
  front.load(moody_load(2));
  front.run({ordered(1), ordered(99), ordered(3)});
  const auto answers = front.answers(3);
  for (const std::uint64_t key : {1, 2}) {
    EXPECT_EQ(answers.at(key).finished.how, How::Failed) << key;
    EXPECT_TRUE(answers.at(key).finished.retryable) << key;
  }
  EXPECT_EQ(answers.at(3).finished.how, How::Released) << "it was not started";
  ASSERT_TRUE(front.wait());
  EXPECT_EQ(*front.status, exit_status(ErrorCode::DeviceUnusable));
}

TEST_F(JoinedRequests, RunOneByOneWhereOutputsHaveNoBatch) {
  auto load = moody_load(8);
  load.options = {{"sum", "1"}};
  front.load(load);
  ::testing::internal::CaptureStderr();
  front.run({ordered(1), ordered(2)});
  auto answers = front.answers(2);
  EXPECT_EQ(passes(), 3);
  EXPECT_EQ(output_of(answers.at(1)), std::vector<float>{14});
  EXPECT_EQ(output_of(answers.at(2)), std::vector<float>{16});
  EXPECT_FALSE(front.hear_one<wire::Loaded>().batches) << "it is said again, so that nobody waits for company";
  front.run({ordered(3), ordered(4)}, 10);
  answers = front.answers(2);
  EXPECT_EQ(passes(), 2);
  EXPECT_EQ(output_of(answers.at(11)), std::vector<float>{20});
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::ContainsRegex("^lapse work: m: the outputs[^\n]*\n$"));
}

TEST_F(JoinedRequests, AreCancelledAtOnceBeforeTheyStart) {
  front.load(moody_load(1));
  front.run({ordered(500), ordered(1), ordered(2)});
  EXPECT_EQ(front.hear_one<wire::Started>().keys, std::vector<std::uint64_t>{1});
  front.send(wire::Cancel{{2, 77}});
  const auto cancelled = front.hear_one<wire::Finished>();  // while the first is still running
  EXPECT_EQ(cancelled.key, 2u);
  EXPECT_EQ(cancelled.how, How::Cancelled);
  EXPECT_EQ(cancelled.stopped, "before it started");
  open_gate();
  const auto answers = front.answers(2);
  EXPECT_EQ(answers.at(1).finished.how, How::Done);
  EXPECT_EQ(answers.at(3).finished.how, How::Done);
  EXPECT_EQ(passes(), 2);
}

TEST_F(JoinedRequests, AreDroppedAfterThePassThatWasRunning) {
  front.load(moody_load(2));
  front.run({ordered(500), ordered(1)});
  front.hear_one<wire::Started>();
  front.send(wire::Cancel{{1}});
  front.run({{"no request", 0}}, 9);
  front.answers(1);  // so the cancel before it was read, too
  open_gate();
  const auto answers = front.answers(2);
  EXPECT_EQ(answers.at(1).finished.how, How::Cancelled);
  EXPECT_EQ(answers.at(1).finished.stopped, "after the forward pass that was running");
  EXPECT_TRUE(answers.at(1).body.empty());
  EXPECT_EQ(answers.at(2).finished.how, How::Done);
}

TEST_F(JoinedRequests, LeaveNothingBehindWhenTheFrontHangsUp) {
  front.load(moody_load(1));
  front.run({ordered(500), ordered(1), ordered(2)});
  front.hear_one<wire::Started>();
  std::thread opener([] { open_gate(); });
  front.hang_up();
  opener.join();
  EXPECT_LE(passes(), 3);
}

TEST_F(JoinedRequests, AreReleasedWhereTheDiskHasNoRoomForTheirResults) {
  front.load(moody_load(1));
  const auto [body, length] = ordered(1);
  wire::Item item;
  item.key = 1;
  item.blob = *MemoryBlobs(front.shelf).put(std::as_bytes(std::span(body)));
  item.header_length = length;
  front.shelf->full = true;
  front.send(wire::Run{{item}});
  const auto finished = front.answers(1).at(1).finished;
  EXPECT_EQ(finished.how, How::Released);
  EXPECT_EQ(finished.error->code, ErrorCode::Unavailable);
}

TEST_F(JoinedRequests, AreNotStartedAfterTheirDeadline) {
  front.load(moody_load(1));
  front.run({ordered(500)});
  front.hear_one<wire::Started>();
  const auto [body, length] = ordered(2);
  wire::Item late, patient;
  late.key = 7;
  late.size = body.size();
  late.header_length = length;
  patient = late;
  late.deadline = jobs::system_now();  // in time when it was sent, and past when its turn comes
  patient.key = 8;
  patient.deadline = jobs::system_now() + std::chrono::hours{1};
  front.send(wire::Run{{late, patient}}, body);
  open_gate();
  const auto answers = front.answers(3);
  EXPECT_EQ(answers.at(7).finished.how, How::Released);
  EXPECT_EQ(answers.at(7).finished.error->code, ErrorCode::Deadline);
  EXPECT_EQ(answers.at(8).finished.how, How::Done);
  EXPECT_EQ(passes(), 2);
}

TEST_F(JoinedRequests, AreKnownToRunByTheWorkersSignOfLife) {
  front.load(moody_load(1));
  front.run({ordered(500)});
  front.hear_one<wire::Started>();
  EXPECT_TRUE(front.hear_one<wire::Alive>().running_since);
  open_gate();
  front.answers(1);
  EXPECT_FALSE(front.hear_one<wire::Alive>().running_since);
}

// ---- on ONNX Runtime ----

class OnnxRuntime : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto api = engine::find_engine("onnxruntime"); !api) {
      if (std::getenv("LAPSE_TEST_ALL_ENGINES") != nullptr) FAIL() << api.error().message;
      GTEST_SKIP() << api.error().message;
    }
  }
  static wire::Load demo(int max_batch) { return load_of(LAPSE_SOURCE_DIR "/models/demo/model.onnx", max_batch); }

  // What the engine gives without a worker.
  static std::string direct(const Request& request) {
    auto model = Model::load(demo(1));
    EXPECT_TRUE(model) << model.error().message;
    const auto parsed = oip::parse_request(request.first, request.second);
    const auto view = parsed->inputs[0].tensor.view();
    const auto pass = model->infer({&view, 1});
    EXPECT_TRUE(pass) << pass.error().message;
    return {reinterpret_cast<const char*>(pass->outputs[0].data()), pass->outputs[0].bytes()};
  }
  static std::string output(const FrontEnd::Answer& answer) { return answer.body.substr(answer.finished.header_length); }
};

TEST_F(OnnxRuntime, GivesTheSameBitsAsWithoutAWorker) {
  FrontEnd front;
  const auto loaded = front.load(demo(1));
  EXPECT_EQ(loaded.platform, "onnxruntime");
  EXPECT_FALSE(loaded.batches);
  const std::vector<Request> requests{request_of({1, 1, 96, 96}, 1), request_of({2, 1, 96, 96}, 2)};
  front.run(requests);
  const auto answers = front.answers(2);
  EXPECT_EQ(output(answers.at(1)), direct(requests[0]));
  EXPECT_EQ(output(answers.at(2)), direct(requests[1]));
}

// Rows of this model don't touch each other, but the library may choose another kernel for another batch: measured 0, allowed 1e-5.
TEST_F(OnnxRuntime, GivesTheSameToJoinedRequestsAsToSingleOnes) {
  FrontEnd front;
  EXPECT_TRUE(front.load(demo(8)).batches);
  std::vector<Request> requests;
  for (std::uint64_t seed = 0; seed < 5; ++seed) requests.push_back(request_of({1, 1, 96, 96}, seed));
  front.run(requests);
  const auto answers = front.answers(requests.size());
  float worst = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto& answer = answers.at(i + 1);
    EXPECT_EQ(answer.finished.trace.batch_size, 5u);
    const auto joined = output_of(answer);
    const std::string bytes = direct(requests[i]);
    ASSERT_EQ(joined.size() * sizeof(float), bytes.size());
    for (std::size_t k = 0; k < joined.size(); ++k) {
      float single = 0;
      std::memcpy(&single, bytes.data() + k * sizeof(float), sizeof(float));
      worst = std::max(worst, std::abs(single - joined[k]));
    }
  }
  RecordProperty("worst", std::to_string(worst));
  EXPECT_LE(worst, 1e-5F);
}

TEST(Simulated, DevicesTellTheirCopiesByTheirOwnMarks) {
  FrontEnd front;
  front.load(load_of("sim:time=virtual,device=5ms,h2d=2ms,d2h=1ms"));
  front.run({request_of({1, 4}, 1)});
  const auto trace = front.answers(1).at(1).finished.trace;
  EXPECT_EQ(trace.h2d, std::chrono::milliseconds{2});
  EXPECT_EQ(trace.forward, std::chrono::milliseconds{5});
  EXPECT_EQ(trace.d2h, std::chrono::milliseconds{1});
}

}  // namespace
}  // namespace lapse::serve
