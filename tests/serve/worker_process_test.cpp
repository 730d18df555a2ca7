// Worker processes in the hands of a front that lets go of them at any moment. Any program will do for a worker here.

#include <lapse/serve/dispatch/worker_process.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace lapse::serve {
namespace {

struct Heard {
  std::vector<std::string> lines;
  std::optional<std::string> how;
  WorkerProcess::Listener listener() {
    return {[](const wire::ToFront&, const std::string&) {}, [this](std::string line) { lines.push_back(std::move(line)); },
            [this](std::string end) { how = std::move(end); }};
  }
};

TEST(WorkerProcess, OfWhichNobodyHoldsAnythingIsStillReadToItsEndAndBuried) {
  net::io_context context;
  Heard heard;
  ASSERT_TRUE(WorkerProcess::start(context, "/bin/echo", heard.listener()));  // let go of before any of its coroutines has begun
  context.run_for(std::chrono::minutes{1});
  EXPECT_EQ(heard.lines, std::vector<std::string>{"work --socket 3"});
  EXPECT_EQ(heard.how, "ended with status 0");
}

TEST(WorkerProcess, ThatHasDiedMayBeSpokenToAndLetGoOf) {
  net::io_context context;
  Heard heard;
  auto process = *WorkerProcess::start(context, "/bin/false", heard.listener());
  while (!heard.how && context.run_one_for(std::chrono::minutes{1}) > 0) {
    // The last of its coroutines to end tells; a message that was sent in that moment begins to be written after it.
    process->send(wire::Cancel{{1}}, std::string(1 << 20, 'x'));
  }
  process->send(wire::Stop{});
  std::weak_ptr<WorkerProcess> last = process;
  process.reset();
  context.restart();
  context.run_for(std::chrono::minutes{1});
  EXPECT_EQ(heard.how, "ended with status 1");
  EXPECT_TRUE(last.expired());
}

TEST(WorkerProcess, ThatIsNoProgramIsSaidSo) {
  net::io_context context;
  Heard heard;
  const auto process = WorkerProcess::start(context, "/no/such/program", heard.listener());
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().code, ErrorCode::Unavailable);
  EXPECT_FALSE(heard.how);
}

}  // namespace
}  // namespace lapse::serve
