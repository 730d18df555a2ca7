#include <unordered_map>

#include "events.hpp"
#include "modes.hpp"
#include "samples.hpp"

namespace load {
namespace {

struct Waiting {
  net::steady_timer* timer = nullptr;
  std::string end;  // type of the final event, once it came
};

struct State {
  const Target& target;
  const Through& how;
  net::io_context& context;
  Bodies bodies{target.input, target.shape, target.seed};
  Instant begin{}, end{};
  std::uint64_t next = 0;
  int running = 0;
  bool stream_ended = false;
  std::unordered_map<std::string, Waiting> waiting{};
  std::vector<Sample> acknowledged{}, ended{}, fetched{};  // each from the start of its submission
  std::map<std::string, std::uint64_t> ends{};
  std::uint64_t refused = 0;
};

bool final(std::string_view type) { return type == "done" || type == "failed" || type == "cancelled" || type == "expired"; }

net::awaitable<void> wait_for_end(State& state, Waiting& job) {
  net::steady_timer timer{state.context, Instant::max()};
  job.timer = &timer;
  while (job.end.empty() && !state.stream_ended) {
    boost::system::error_code cancelled;
    co_await timer.async_wait(net::redirect_error(net::use_awaitable, cancelled));
  }
  job.timer = nullptr;
}

net::awaitable<void> wait_for_turn(const State& state, std::uint64_t number) {
  if (state.how.rate <= 0) co_return;
  const std::chrono::duration<double> after{static_cast<double>(number) / state.how.rate};
  net::steady_timer timer{state.context, std::min(state.begin + std::chrono::duration_cast<Nanoseconds>(after), state.end)};
  co_await timer.async_wait(net::use_awaitable);
}

/// One job after another, each to its very end.
net::awaitable<void> slot(State& state) {
  Connection connection{state.context, state.target.address};
  co_await connection.connect();
  while (Clock::now() < state.end && !state.stream_ended) {
    const std::uint64_t number = state.next++;
    co_await wait_for_turn(state, number);
    if (Clock::now() >= state.end) break;
    const std::string id = state.target.id(number);
    const Bodies::Body body = state.bodies.make(number);
    Waiting& job = state.waiting[id];  // before it is sent: its end may come before its acknowledgement is read
    if (!connection.open()) co_await connection.connect();
    const Instant start = Clock::now();
    const std::string head = state.target.head(connection, number, body);
    const Answer answer = co_await connection.exchange(head, body.rest);
    if (answer.status != 202 && answer.status != 200) {
      state.waiting.erase(id);
      if (++state.refused == 1) fmt::print(stderr, "refused with {}: {}\n", answer.status, answer.body);
      net::steady_timer pause{state.context, std::chrono::milliseconds{100}};
      co_await pause.async_wait(net::use_awaitable);
      continue;
    }
    state.acknowledged.push_back({start, Clock::now() - start, answer.status});
    co_await wait_for_end(state, job);
    const std::string how = job.end.empty() ? "never" : job.end;
    state.waiting.erase(id);
    ++state.ends[how];
    if (how != "done") continue;
    state.ended.push_back({start, Clock::now() - start, 200});
    unsigned status = 200;
    if (state.how.fetch) {
      if (!connection.open()) co_await connection.connect();
      const Answer result = co_await connection.ask("GET", "/v2/jobs/" + id + "/result");
      status = result.status;
    }
    state.fetched.push_back({start, Clock::now() - start, status});
  }
  if (--state.running == 0) state.context.stop();
}

net::awaitable<void> listen(State& state) {
  Connection connection{state.context, state.target.address};
  Events events{[&](std::string_view type, const std::string& id) {
    const auto job = state.waiting.find(id);
    if (job == state.waiting.end() || !final(type)) return;
    job->second.end = type;
    if (job->second.timer != nullptr) job->second.timer->cancel();
  }};
  co_await connection.connect();
  co_await connection.listen(
      "/v2/events", state.target.headers,
      [&] {
        state.begin = Clock::now();
        const double whole = state.how.warmup + state.how.seconds;
        state.end = state.begin + std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(whole));
        for (state.running = 0; state.running < state.how.outstanding; ++state.running) {
          net::co_spawn(state.context, slot(state), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
          });
        }
      },
      [&](std::string_view piece) { events.take(piece); });
  state.stream_ended = true;
  for (auto& [id, job] : state.waiting) {
    if (job.timer != nullptr) job.timer->cancel();
  }
}

}  // namespace

nlohmann::ordered_json through(const Target& target, const Through& how) {
  net::io_context context{1};
  State state{target, how, context};
  net::co_spawn(context, listen(state), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
  context.run();

  // The steady state: from the end of the warm-up until submitting stops. What ends later is counted in `ends` alone.
  const Instant from = state.begin + std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(how.warmup));
  std::uint64_t inside = 0;
  for (const Sample& each : state.fetched) {
    const Instant at = each.start + each.took;
    if (each.status == 200 && at >= from && at < state.end) ++inside;
  }
  save(how.samples, state.fetched, state.begin);
  return {{"outstanding", how.outstanding},
          {"submitted", state.acknowledged.size()},
          {"refused", state.refused},
          {"ends", state.ends},
          {"stream_ended", state.stream_ended},
          {"window_seconds", how.seconds},
          {"completed_in_window", inside},
          {"completed_per_second", static_cast<double>(inside) / how.seconds},
          {"result_statuses", statuses(state.fetched)},
          {"acknowledgement", summary(times_of(state.acknowledged, 202))},
          {"end", summary(times_of(state.ended, 200))},
          {"result", summary(times_of(state.fetched, 200))}};
}

}  // namespace load
