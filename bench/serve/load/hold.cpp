#include <set>
#include <unordered_map>

#include "events.hpp"
#include "modes.hpp"
#include "samples.hpp"

namespace load {
namespace {

/// A number out of a file of /proc, after `name`; 0 where there is none.
double number_after(const std::string& file, const std::string& name) {
  std::ifstream in{file};
  for (std::string word; in >> word;) {
    double value = 0;
    if (word == name && in >> value) return value;
  }
  return 0;
}

struct Memory {
  double resident = 0;  // bytes of the front
  double kernel = 0;    // bytes in the kernel's TCP buffers, both ends of every connection of this machine
};

Memory memory_of(int process) {
  Memory memory;
  if (process > 0) memory.resident = 1024 * number_after("/proc/" + std::to_string(process) + "/status", "VmRSS:");
  // sockets: used N / TCP: inuse A orphan B tw C alloc D mem PAGES
  memory.kernel = 4096 * number_after("/proc/net/sockstat", "mem");
  return memory;
}

struct State {
  const Target& target;
  const Hold& how;
  net::io_context& context;
  Bodies bodies{target.input, target.shape, target.seed};
  std::vector<std::string> cookies{};  // of the owners, as headers
  std::uint64_t opened_streams = 0, dropped_streams = 0, opened_idle = 0, dropped_idle = 0, unopened_streams = 0, unopened_idle = 0;
  bool over = false;
  std::uint64_t bytes_on_streams = 0;
  std::set<std::string> jobs{};                           // acknowledged
  std::unordered_map<std::string, std::uint64_t> done{};  // how many streams heard of a job's end
  std::vector<Sample> acknowledged{}, heard{};            // heard: from a job's submission until a stream told of its end
  std::unordered_map<std::string, Instant> submitted{};
};

net::awaitable<void> pause(net::io_context& context, double time) {
  net::steady_timer timer{context, std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(time))};
  co_await timer.async_wait(net::use_awaitable);
}

net::awaitable<void> stream(State& state, std::size_t owner) {
  bool opened = false;
  try {
    Connection connection{state.context, state.target.address};
    Events events{[&](std::string_view type, const std::string& job) {
      if (type != "done" && type != "failed") return;
      ++state.done[job];
      if (const auto start = state.submitted.find(job); start != state.submitted.end()) {
        state.heard.push_back({start->second, Clock::now() - start->second, 200});
      }
    }};
    co_await connection.connect();
    co_await connection.listen(
        "/v2/events", state.cookies[owner], [&] { opened = true, ++state.opened_streams; },
        [&](std::string_view piece) {
          state.bytes_on_streams += piece.size();
          events.take(piece);
        });
  } catch (const std::exception& error) {
    if (!opened && ++state.unopened_streams == 1) fmt::print(stderr, "a stream could not be opened: {}\n", error.what());
  }
  if (opened && !state.over) ++state.dropped_streams;
}

/// Asks once in half a minute, as a pooled connection does, and must be answered on the same connection each time.
net::awaitable<void> idle(State& state) {
  Connection connection{state.context, state.target.address};
  bool opened = false;
  try {
    co_await connection.connect();
    while (!state.over) {
      const Answer answer = co_await connection.ask("GET", "/v2/health/live");
      if (answer.status != 200 || !connection.open()) throw std::runtime_error("answered " + std::to_string(answer.status));
      if (!opened) opened = true, ++state.opened_idle;
      for (int i = 0; i < 60 && !state.over; ++i) co_await pause(state.context, 0.5);
    }
  } catch (const std::exception& error) {
    if (!opened && ++state.unopened_idle == 1) fmt::print(stderr, "a connection could not be opened: {}\n", error.what());
    if (opened) ++state.dropped_idle;
  }
}

net::awaitable<void> submit_jobs(State& state) {
  Connection connection{state.context, state.target.address};
  const Instant begin = Clock::now();
  for (std::uint64_t number = 0; !state.over; ++number) {
    const double due = static_cast<double>(number) / state.how.jobs;
    const double wait = due - seconds(Clock::now() - begin);
    if (wait > 0) co_await pause(state.context, wait);
    if (due > state.how.seconds) co_return;
    Target target = state.target;
    target.headers += state.cookies[number % state.cookies.size()];
    const Bodies::Body body = state.bodies.make(number);
    const std::string id = target.id(number);
    Sample sample{Clock::now(), {}, 0};
    state.submitted[id] = sample.start;
    try {
      if (!connection.open()) co_await connection.connect();
      const std::string head = target.head(connection, number, body);
      const Answer answer = co_await connection.exchange(head, body.rest);
      sample.status = answer.status;
    } catch (const std::exception&) {
      connection.close();
    }
    sample.took = Clock::now() - sample.start;
    state.acknowledged.push_back(sample);
    if (sample.status == 202) state.jobs.insert(id);
  }
}

/// Opens in small groups, as no listening socket takes thousands in one instant.
net::awaitable<void> everything(State& state, nlohmann::ordered_json& json) {
  const auto settle = [&](auto done) -> net::awaitable<void> {
    for (const Instant begin = Clock::now(); !done() && seconds(Clock::now() - begin) < state.how.patience;)
      co_await pause(state.context, 0.1);
    co_await pause(state.context, 1);
  };
  {
    Connection connection{state.context, state.target.address};
    for (int i = 0; i < state.how.owners; ++i) {
      if (!connection.open()) co_await connection.connect();
      const Answer answer = co_await connection.ask("POST", "/v2/session");
      if (answer.cookie.empty())
        throw std::runtime_error("POST /v2/session was answered " + std::to_string(answer.status) + " without a cookie");
      state.cookies.push_back("Cookie: " + answer.cookie + "\r\n");
    }
  }
  const auto idles = static_cast<std::uint64_t>(state.how.idle), streams = static_cast<std::uint64_t>(state.how.streams);
  const Memory empty = memory_of(state.how.process);
  for (std::uint64_t i = 0; i < idles; ++i) {
    net::co_spawn(state.context, idle(state), net::detached);
    if (i % 100 == 99) co_await pause(state.context, 0.02);
  }
  co_await settle([&] { return state.opened_idle + state.unopened_idle >= idles; });
  const Memory with_idle = memory_of(state.how.process);
  for (std::uint64_t i = 0; i < streams; ++i) {
    net::co_spawn(state.context, stream(state, i % state.cookies.size()), net::detached);
    if (i % 100 == 99) co_await pause(state.context, 0.02);
  }
  co_await settle([&] { return state.opened_streams + state.unopened_streams >= streams; });
  const Memory with_streams = memory_of(state.how.process);

  co_await submit_jobs(state);
  const auto heard_of_all = [&] {
    std::uint64_t all = 0;
    for (const std::string& id : state.jobs) all += state.done.contains(id) ? 1 : 0;
    return all == state.jobs.size();
  };
  co_await settle(heard_of_all);
  const Memory at_end = memory_of(state.how.process);
  state.over = true;

  const auto each = [](double after, double before, std::uint64_t count) {
    return count == 0 ? 0.0 : std::round((after - before) / static_cast<double>(count));
  };
  const auto bytes = [](const Memory& memory) {
    return nlohmann::ordered_json{{"front_resident_bytes", memory.resident}, {"kernel_tcp_bytes", memory.kernel}};
  };
  std::uint64_t expected = 0, deliveries = 0, unheard = 0;
  const auto copies = streams / state.cookies.size();  // of each event: streams of one owner
  for (const std::string& id : state.jobs) {
    const auto heard = state.done.find(id);
    const std::uint64_t count = heard == state.done.end() ? 0 : heard->second;
    expected += copies, deliveries += count;
    if (count < copies) ++unheard;
  }
  json = {{"streams", {{"asked", streams}, {"opened", state.opened_streams}, {"dropped", state.dropped_streams}}},
          {"idle", {{"asked", idles}, {"opened", state.opened_idle}, {"dropped", state.dropped_idle}}},
          {"failed_to_open", state.unopened_streams + state.unopened_idle},
          {"owners", state.how.owners},
          {"held_seconds", state.how.seconds},
          {"memory",
           {{"empty", bytes(empty)}, {"with_idle", bytes(with_idle)}, {"with_streams", bytes(with_streams)}, {"at_end", bytes(at_end)}}},
          {"front_bytes_per_idle_connection", each(with_idle.resident, empty.resident, state.opened_idle)},
          {"front_bytes_per_stream", each(with_streams.resident, with_idle.resident, state.opened_streams)},
          {"jobs", {{"acknowledged", state.jobs.size()}, {"statuses", statuses(state.acknowledged)}, {"unheard_of", unheard}}},
          {"ends_expected", expected},
          {"ends_heard", deliveries},
          {"bytes_on_streams", state.bytes_on_streams},
          {"acknowledgement", summary(times_of(state.acknowledged, 202))},
          {"heard_after", summary(times_of(state.heard, 200))}};
  state.context.stop();
}

}  // namespace

nlohmann::ordered_json hold(const Target& target, const Hold& how) {
  net::io_context context{1};
  State state{target, how, context};
  nlohmann::ordered_json json;
  net::co_spawn(context, everything(state, json), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
  context.run();
  return json;
}

}  // namespace load
