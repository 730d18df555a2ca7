// The dispatcher over real worker processes.

#include <serve/dispatch_case.hpp>

namespace lapse::serve {
namespace {

using jobs::State;
using std::chrono::milliseconds;

using Dispatching = DispatchCase;

TEST_F(Dispatching, JobsAndDirectRequestsComeHomeWithTheirOwnResults) {
  model("n", {{"model", "null"}});
  start();
  ASSERT_TRUE(becomes([&] { return ready("n"); }));
  for (int i = 0; i < 50; ++i) submit("n", fmt::format("j{}", i), static_cast<float>(i));
  std::vector<std::future<Result<DirectReply>>> direct;
  for (int i = 0; i < 50; ++i) direct.push_back(infer("n", static_cast<float>(100 + i)));
  for (int i = 0; i < 50; ++i) {
    const auto reply = direct[static_cast<std::size_t>(i)].get();
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(first_of(reply->body), static_cast<float>(100 + i));
    const std::string id = fmt::format("j{}", i);
    ASSERT_TRUE(becomes([&] { return ended(id); }));
    EXPECT_EQ(job(id).state, State::Done);
    EXPECT_EQ(job(id).attempt, 1);
    EXPECT_EQ(result_of(job(id)), static_cast<float>(i));
    EXPECT_TRUE(job(id).trace.forward);
  }
  EXPECT_EQ(status("n").statistics.successes, 100U);
  EXPECT_EQ(status("n").platform, "null");
  ASSERT_EQ(status("n").signature.inputs.size(), 1U);
  EXPECT_TRUE(ask([&] { return dispatcher_->estimate("n", 3); }));
}

// Not a check but a figure: run with --gtest_also_run_disabled_tests.
TEST_F(Dispatching, DISABLED_JobsASecond) {
  open_store();
  constexpr int kJobs = 2048, kClients = 32;
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([this, client] {
      for (int i = client; i < kJobs; i += kClients) submit("n", fmt::format("j{}", i), static_cast<float>(i % 100));
    });
  }
  for (std::thread& client : clients) client.join();
  model("n", {{"model", "null"}});
  start();
  ASSERT_TRUE(becomes([&] { return ready("n"); }));
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(becomes([&] { return watcher_.counted("ended done") == kJobs; }));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{:.0f} jobs a second\n", kJobs / took.count());
}

TEST_F(Dispatching, TheProjectsOwnModelRunsFromItsFolder) {
  if (!std::filesystem::exists(LAPSE_BINARY_DIR "/engines/lapse-engine-onnxruntime.so")) GTEST_SKIP() << "no ONNX Runtime";
  std::filesystem::create_directory_symlink(LAPSE_SOURCE_DIR "/models/demo", folder_ / "models/demo");
  start();
  ASSERT_TRUE(becomes([&] { return status("demo").state != ModelState::Loading; }));
  const auto demo = status("demo");
  ASSERT_EQ(demo.state, ModelState::Ready) << demo.reason;
  EXPECT_EQ(demo.platform, "onnxruntime");
  EXPECT_EQ(demo.version, "1");
  EXPECT_FALSE(demo.signature.outputs.empty());
}

TEST_F(Dispatching, WhatIsNotThereIsSaidSo) {
  start();
  const auto unknown = [&] { return infer("nobody", 1).get().error().code; };
  EXPECT_TRUE(becomes([&] { return unknown() == ErrorCode::NotFound; }));  // unavailable before the first look into the folder
}

TEST_F(Dispatching, RequestsAreJoinedAndEachGetsItsOwnRows) {
  open_store();
  for (int i = 0; i < 8; ++i) submit("s", fmt::format("j{}", i), static_cast<float>(i));
  model("s", {{"model", "sim:device=20ms"}, {"max_batch", 8}, {"max_delay_ms", 5000}});
  start();
  for (int i = 0; i < 8; ++i) {
    const std::string id = fmt::format("j{}", i);
    ASSERT_TRUE(becomes([&] { return ended(id); }));
    EXPECT_EQ(job(id).trace.batch_size, 8U);
    EXPECT_EQ(result_of(job(id)), static_cast<float>(i));
  }
  EXPECT_EQ(watcher_.counted("batch"), 1);
}

TEST_F(Dispatching, WhatComesWhileAPassRunsGoesTogetherInTheNextOne) {
  model("s", {{"model", "sim:device=700ms"}, {"max_batch", 8}});
  start();
  ASSERT_TRUE(becomes([&] { return ready("s"); }));
  submit("s", "first", 0);
  ASSERT_TRUE(becomes([&] { return job("first").state == State::Running; }));  // alone, as nobody waits for company
  std::vector<std::future<Result<DirectReply>>> replies;
  for (int i = 0; i < 6; ++i) replies.push_back(infer("s", static_cast<float>(i)));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(first_of(replies[static_cast<std::size_t>(i)].get()->body), static_cast<float>(i));
  const auto statistics = status("s").statistics;
  EXPECT_EQ(statistics.executions, 2U);
  EXPECT_EQ(statistics.batches.at(1).count, 1U);
  EXPECT_EQ(statistics.batches.at(6).count, 1U);
}

TEST_F(Dispatching, RowsFillABatchAndAreCounted) {
  model("s", {{"model", "sim:device=1ms"}, {"max_batch", 8}, {"max_delay_ms", 3'600'000}});
  start();
  ASSERT_TRUE(becomes([&] { return ready("s"); }));
  auto full = infer("s", 1, std::make_shared<Ticket>(), {}, 8);
  ASSERT_EQ(full.wait_for(std::chrono::minutes{1}), std::future_status::ready) << "it waits for company that has no room";
  ASSERT_TRUE(full.get());
  auto six = infer("s", 2, std::make_shared<Ticket>(), {}, 6), two = infer("s", 3, std::make_shared<Ticket>(), {}, 2);
  ASSERT_TRUE(six.get() && two.get());
  const auto statistics = status("s").statistics;
  EXPECT_EQ(statistics.successes, 3U);
  EXPECT_EQ(statistics.inferences, 16U);
  EXPECT_EQ(statistics.executions, 2U);
  EXPECT_EQ(statistics.batches.at(8).count, 2U);
}

TEST_F(Dispatching, NobodyWaitsForCompanyWhereRequestsCanNotBeJoined) {
  write("m.onnx", "looked at by nobody");
  model("m", {{"engine", LAPSE_BINARY_DIR "/tests/moody_engine.so"},
              {"engine_options", {{"sum", "1"}}},
              {"max_batch", 2},
              {"max_delay_ms", 3'600'000}});
  start();
  ASSERT_TRUE(becomes([&] { return ready("m"); }));
  EXPECT_TRUE(status("m").batches);
  auto first = infer("m", 1), second = infer("m", 2);
  EXPECT_EQ(first_of(first.get()->body), 8.0F);
  EXPECT_EQ(first_of(second.get()->body), 16.0F) << "each its own";
  ASSERT_TRUE(becomes([&] { return !status("m").batches; }));
  auto lone = infer("m", 3);
  ASSERT_EQ(lone.wait_for(std::chrono::minutes{1}), std::future_status::ready);
  EXPECT_EQ(first_of(lone.get()->body), 24.0F);
}

TEST_F(Dispatching, NothingIsStartedAfterItsDeadlineAlsoBehindARunningPass) {
  model("s", {{"model", "sim:device=1s"}});
  start();
  ASSERT_TRUE(becomes([&] { return ready("s"); }));
  submit("s", "runs", 1);
  ASSERT_TRUE(becomes([&] { return job("runs").state == State::Running; }));
  submit("s", "late", 2, milliseconds{100});
  ASSERT_TRUE(becomes([&] { return ended("late"); }));
  EXPECT_EQ(job("late").state, State::Expired);
  EXPECT_EQ(job("late").attempt, 0);
  ASSERT_TRUE(becomes([&] { return ended("runs"); }));
  auto runs = infer("s", 3);
  hand_on();
  auto late = infer("s", 4, std::make_shared<Ticket>(), milliseconds{100});
  EXPECT_EQ(late.get().error().code, ErrorCode::Deadline);
  EXPECT_TRUE(runs.get());
  EXPECT_EQ(status("s").statistics.inferences, 2U);
  EXPECT_TRUE(becomes([&] { return watcher_.counted("ended expired") == 1; }));
}

TEST_F(Dispatching, ADiskWithoutRoomForResultsCostsNoAttempt) {
  open_store();
  for (int i = 0; i < 20; ++i) submit("n", fmt::format("j{}", i), static_cast<float>(i));
  std::vector<std::filesystem::path> trays;
  for (const auto& tray : std::filesystem::directory_iterator(folder_ / "blobs/incoming")) trays.push_back(tray);
  for (const auto& tray : trays) {  // as good as full
    std::filesystem::remove(tray);
    std::filesystem::create_symlink("nowhere", tray);
  }
  model("n", {{"model", "null"}, {"max_batch", 4}});
  start();
  ASSERT_TRUE(becomes([&] { return watcher_.said("a job could not be finished") >= 4; }));  // more than there are attempts
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(ended(fmt::format("j{}", i)));
  EXPECT_TRUE(infer("n", 5).get()) << "this one needs no disk";
  for (const auto& tray : trays) {
    std::filesystem::remove(tray);
    std::filesystem::create_directory(tray);
  }
  for (int i = 0; i < 20; ++i) {
    const std::string id = fmt::format("j{}", i);
    ASSERT_TRUE(becomes([&] { return ended(id); }));
    EXPECT_EQ(job(id).state, State::Done);
    EXPECT_EQ(job(id).attempt, 1);
    EXPECT_EQ(result_of(job(id)), static_cast<float>(i));
  }
}

TEST_F(Dispatching, AModelThatCrashesWhenItIsLoadedAgainLeavesNobodyWaiting) {
  write("p.onnx", "looked at by nobody");
  model("p", {{"engine", CRASHING_ENGINE}});
  start();
  ASSERT_TRUE(becomes([&] { return ready("p"); }));
  write("crash", "");
  ::kill(watcher_.pids().at(0), SIGKILL);
  ASSERT_TRUE(becomes([&] { return !ready("p"); }));
  const auto reply = infer("p", 1).get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::Unavailable);
  EXPECT_NE(status("p").reason.find("while it loaded the model"), std::string::npos) << status("p").reason;
  std::filesystem::remove(folder_ / "models/crash");
  EXPECT_TRUE(becomes([&] { return ready("p"); }));
  EXPECT_TRUE(infer("p", 1).get());
}

TEST_F(Dispatching, AJobWhoseWorkerIsKilledIsDoneByTheNextOne) {
  model("s", {{"model", "sim:device=1500ms"}});
  start();
  submit("s", "j", 7);
  ASSERT_TRUE(becomes([&] { return job("j").state == State::Running; }));
  ::kill(watcher_.pids().at(0), SIGKILL);
  ASSERT_TRUE(becomes([&] { return ended("j"); }));
  EXPECT_EQ(job("j").state, State::Done);
  EXPECT_EQ(job("j").attempt, 2);
  EXPECT_EQ(result_of(job("j")), 7.0F);
  EXPECT_EQ(watcher_.counted("worker crashed"), 1);
}

TEST_F(Dispatching, ADirectRequestWhoseWorkerIsKilledIsAnswered) {
  model("s", {{"model", "sim:device=20s"}});
  start();
  ASSERT_TRUE(becomes([&] { return ready("s"); }));
  auto reply = infer("s", 1);
  hand_on();
  ::kill(watcher_.pids().at(0), SIGKILL);
  EXPECT_EQ(reply.get().error().code, ErrorCode::Unavailable);
}

TEST_F(Dispatching, APoisonousInputFailsAloneAndItsNeighboursAreDone) {
  open_store();
  for (int i = 0; i < 8; ++i) submit("p", fmt::format("j{}", i), i == 3 ? -1.0F : static_cast<float>(i));
  write("p.onnx", "looked at by nobody");
  model("p", {{"engine", CRASHING_ENGINE}, {"max_batch", 8}, {"max_delay_ms", 5000}});
  start();
  for (int i = 0; i < 8; ++i) {
    const std::string id = fmt::format("j{}", i);
    ASSERT_TRUE(becomes([&] { return ended(id); }));
    EXPECT_EQ(job(id).state, i == 3 ? State::Failed : State::Done) << id;
    if (i != 3) {
      EXPECT_LE(job(id).attempt, 2) << "taken along more than once";
    }
  }
  EXPECT_EQ(job("j3").attempt, 3);
  EXPECT_NE(job("j3").error->message.find("signal 6"), std::string::npos) << job("j3").error->message;
  EXPECT_EQ(watcher_.counted("worker crashed"), 3);
}

TEST_F(Dispatching, AWorkerThatWasThoughtDeadCanNotOverwriteAResult) {
  options_.kill_unresponsive = false;
  options_.lease = milliseconds{1000};
  options_.heartbeat = milliseconds{300};
  options_.silence = milliseconds{4000};
  model("s", {{"model", "sim:device=1500ms"}, {"instances", 2}});
  start();
  ASSERT_TRUE(becomes([&] { return watcher_.pids().size() == 2; }));
  submit("s", "a", 1);
  submit("s", "b", 2);
  ASSERT_TRUE(becomes([&] { return job("a").state == State::Running && job("b").state == State::Running; }));
  const int zombie = watcher_.pids().at(0);
  ::kill(zombie, SIGSTOP);
  EXPECT_TRUE(becomes([&] { return store_.sweep(100) && ended("a") && ended("b"); }));
  ::kill(zombie, SIGCONT);
  EXPECT_TRUE(becomes([&] { return watcher_.counted("rejected fenced") > 0; }));
  EXPECT_EQ(std::max(job("a").attempt, job("b").attempt), 2);
  EXPECT_EQ(result_of(job("a")), 1.0F);
  EXPECT_EQ(result_of(job("b")), 2.0F);
}

TEST_F(Dispatching, ASilentWorkerIsKilledAndReplaced) {
  options_.silence = milliseconds{2000};
  model("s", {{"model", "sim:device=1500ms"}});
  start();
  submit("s", "j", 5);
  ASSERT_TRUE(becomes([&] { return job("j").state == State::Running; }));
  ::kill(watcher_.pids().at(0), SIGSTOP);
  ASSERT_TRUE(becomes([&] { return ended("j"); }));
  EXPECT_EQ(job("j").state, State::Done);
  EXPECT_EQ(job("j").attempt, 2);
  EXPECT_EQ(watcher_.counted("worker killed"), 1);
}

TEST_F(Dispatching, APassThatTakesTooLongIsEnded) {
  limits_.max_attempts = 1;
  model("s", {{"model", "sim:device=600s"}, {"timeout_seconds", 0.5}});
  start();
  submit("s", "j", 5);
  ASSERT_TRUE(becomes([&] { return ended("j"); }));
  EXPECT_EQ(job("j").state, State::Failed);
  EXPECT_EQ(watcher_.counted("worker killed"), 1);
}

TEST_F(Dispatching, AModelIsReplacedUnderLoadWithoutAFailure) {
  model("n", {{"model", "null"}});
  start();
  ASSERT_TRUE(becomes([&] { return ready("n"); }));
  int next = 0;
  for (int round = 0; round < 3; ++round) {
    const auto before = watcher_.pids().size();
    model("n", {{"model", round % 2 == 0 ? "sim:device=1ms" : "null"}, {"max_batch", 4}});
    const std::string platform = round % 2 == 0 ? "sim" : "null";
    ASSERT_TRUE(becomes([&] {
      auto direct = infer("n", 9);
      submit("n", fmt::format("j{}", next++), 3);
      const auto reply = direct.get();
      EXPECT_TRUE(reply) << reply.error().message;
      return status("n").platform == platform;
    }));
    EXPECT_EQ(watcher_.pids().size(), before + 1);
  }
  for (int i = 0; i < next; ++i) {
    ASSERT_TRUE(becomes([&] { return ended(fmt::format("j{}", i)); }));
    EXPECT_EQ(job(fmt::format("j{}", i)).state, State::Done);
    EXPECT_EQ(job(fmt::format("j{}", i)).attempt, 1);
  }
  EXPECT_EQ(watcher_.counted("worker crashed"), 0);
}

TEST_F(Dispatching, JobsOfARemovedModelWaitUntilItIsBack) {
  model("n", {{"model", "null"}});
  start();
  ASSERT_TRUE(becomes([&] { return ready("n"); }));
  std::filesystem::remove(folder_ / "models/n.json");
  ASSERT_TRUE(becomes([&] { return ask([&] { return dispatcher_->models(); }).empty(); }));
  EXPECT_EQ(infer("n", 1).get().error().code, ErrorCode::NotFound);
  submit("n", "j", 4);
  EXPECT_EQ(job("j").state, State::Queued);
  model("n", {{"model", "null"}});
  ASSERT_TRUE(becomes([&] { return ended("j"); }));
  EXPECT_EQ(result_of(job("j")), 4.0F);
}

TEST_F(Dispatching, AModelThatWasRemovedIsForgottenAndANewOneWhenItIsBack) {
  model("n", {{"model", "null"}});
  start();
  ASSERT_TRUE(becomes([&] { return ready("n"); }));
  EXPECT_TRUE(infer("n", 1).get());
  EXPECT_EQ(status("n").statistics.successes, 1u);
  std::filesystem::remove(folder_ / "models/n.json");
  const int worker = watcher_.pids().at(0);
  ASSERT_TRUE(becomes([&] { return ::kill(worker, 0) != 0; }));
  ASSERT_TRUE(becomes([&] {
    model("n", {{"model", "null"}});
    const bool fresh = becomes([&] { return ready("n"); }) && status("n").statistics.successes == 0;
    std::filesystem::remove(folder_ / "models/n.json");
    return fresh;
  }));
}

TEST_F(Dispatching, ABrokenModelSaysWhyAndIsTriedAgainWhenItChanges) {
  write("bad.onnx", "half a file");
  write("odd.json", R"({"model": "null", "max_bach": 3})");
  model("good", {{"model", "null"}});
  start();
  ASSERT_TRUE(becomes([&] { return ready("good"); }));
  ASSERT_TRUE(becomes([&] { return status("bad").state == ModelState::Unavailable; }));
  EXPECT_FALSE(status("bad").reason.empty());
  const auto reply = infer("bad", 1).get();
  EXPECT_EQ(reply.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(reply.error().message.find('\n'), std::string::npos);
  write("bad.onnx", "another file");
  model("bad", {{"engine", CRASHING_ENGINE}});
  EXPECT_TRUE(becomes([&] { return ready("bad"); }));
  EXPECT_EQ(first_of(infer("bad", 2).get()->body), 2.0F);
}

TEST_F(Dispatching, ARequestThatNobodyWaitsForIsNotStarted) {
  model("s", {{"model", "sim:device=700ms"}, {"max_waiting", 2}});
  start();
  ASSERT_TRUE(becomes([&] { return ready("s"); }));
  auto busy = infer("s", 1);
  hand_on();
  const auto ticket = std::make_shared<Ticket>();
  std::future<Result<DirectReply>> abandoned, late, refused;
  ask([&] {  // one right after the other: none has gone when the next one comes
    abandoned = infer("s", 2, ticket);
    late = infer("s", 3, std::make_shared<Ticket>(), milliseconds{50});
    refused = infer("s", 4);
    return 0;
  });
  EXPECT_EQ(refused.get().error().code, ErrorCode::Busy);
  ask([&] { return ticket->abandon(), 0; });
  EXPECT_EQ(abandoned.get().error().code, ErrorCode::Cancelled);
  EXPECT_EQ(late.get().error().code, ErrorCode::Deadline);
  EXPECT_TRUE(busy.get());
  EXPECT_EQ(status("s").statistics.inferences, 1U);
  EXPECT_EQ(watcher_.counted("answered cancelled"), 1);
  EXPECT_EQ(watcher_.counted("answered expired"), 1);
  EXPECT_EQ(watcher_.counted("answered done"), 1);
}

TEST_F(Dispatching, ARunningJobIsCancelled) {
  model("s", {{"model", "sim:device=1500ms"}});
  start();
  const auto submitted = submit("s", "j", 1);
  ASSERT_TRUE(becomes([&] { return job("j").state == State::Running; }));
  ASSERT_TRUE(store_.cancel("o", "j"));
  ask([&] { return dispatcher_->cancelled(submitted.number), 0; });
  ASSERT_TRUE(becomes([&] { return ended("j"); }));
  EXPECT_EQ(job("j").state, State::Cancelled);
  EXPECT_FALSE(job("j").stopped.empty());
}

TEST_F(Dispatching, AFullDiskAtTheEndLosesNothing) {
  store_.full = 3;
  model("n", {{"model", "null"}});
  start();
  submit("n", "j", 6);
  ASSERT_TRUE(becomes([&] { return ended("j"); }));
  EXPECT_EQ(store_.failed, 3);
  EXPECT_EQ(job("j").state, State::Done);
  EXPECT_EQ(job("j").attempt, 1);
  EXPECT_EQ(result_of(job("j")), 6.0F);
}

TEST_F(Dispatching, DrainingGivesBackWhatDoesNotEndInTime) {
  model("s", {{"model", "sim:device=60s"}});
  start();
  submit("s", "a", 1);
  submit("s", "b", 2);
  submit("s", "c", 3);
  ASSERT_TRUE(becomes([&] { return job("a").state == State::Running; }));
  drain(milliseconds{10});
  for (const char* id : {"a", "b", "c"}) {
    EXPECT_EQ(job(id).state, State::Queued) << id;
    EXPECT_EQ(job(id).attempt, 0) << id;
  }
  const int worker = watcher_.pids().at(0);
  EXPECT_TRUE(becomes([&] { return ::kill(worker, 0) != 0; }));
}

TEST_F(Dispatching, DrainingWaitsForWhatIsRunning) {
  model("s", {{"model", "sim:device=300ms"}});
  start();
  submit("s", "a", 1);
  ASSERT_TRUE(becomes([&] { return job("a").state == State::Running; }));
  auto reply = infer("s", 2);
  drain(std::chrono::seconds{30});
  EXPECT_EQ(job("a").state, State::Done);
  EXPECT_EQ(infer("s", 3).get().error().code, ErrorCode::Unavailable);
}

}  // namespace
}  // namespace lapse::serve
