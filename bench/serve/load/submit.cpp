#include <atomic>
#include <thread>

#include "modes.hpp"
#include "samples.hpp"

namespace load {

std::string Target::head(const Connection& connection, std::uint64_t number, const Bodies::Body& body) const {
  std::string where = path;
  if (const auto at = where.find("{id}"); at != std::string::npos) where.replace(at, 4, id(number));
  const std::string binary =
      fmt::format("Content-Type: application/octet-stream\r\nInference-Header-Content-Length: {}\r\n", body.header_length);
  return connection.request(method, where, binary + headers, body.size()) + body.begin;
}

namespace {

struct State {
  const Target& target;
  const Submit& how;
  Bodies bodies{target.input, target.shape, target.seed};
  Instant begin{}, end{};
  std::uint64_t next = 0, bytes = 0;
  int running = 0;
  std::vector<Sample> samples{};
  std::vector<std::string> answers{};
  std::atomic<bool> over{false};

  bool more() const { return how.count > 0 ? next < how.count : Clock::now() < end; }
};

net::awaitable<void> client(net::io_context& context, State& state) {
  Connection connection{context, state.target.address};
  while (state.more()) {
    const std::uint64_t number = state.next++;
    const Bodies::Body body = state.bodies.make(number);
    const std::string head = state.target.head(connection, number, body);
    Sample sample;
    std::string text;
    try {
      if (!connection.open()) co_await connection.connect();
      sample.start = Clock::now();
      const Answer answer = co_await connection.exchange(head, body.rest);
      sample.took = Clock::now() - sample.start;
      sample.status = answer.status;
      text = answer.body;
      state.bytes += body.size();
    } catch (const std::exception&) {  // a broken connection: counted, and a new one for the next request
      sample.took = Clock::now() - sample.start;
      connection.close();
    }
    state.samples.push_back(sample);
    if (!state.how.answers.empty()) state.answers.push_back(fmt::format("{}\t{}\t{}", state.target.id(number), sample.status, text));
    if (sample.status == 0) co_await net::steady_timer(context, std::chrono::milliseconds{50}).async_wait(net::use_awaitable);
  }
  if (--state.running == 0) state.over = true;
}

/// Every tick of the schedule is a sample: ticks that passed while an answer was waited for count as having waited since then.
net::awaitable<void> watch(net::io_context& context, State& state, std::vector<Sample>& samples) {
  const auto every = std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(state.how.health_every));
  Connection connection{context, state.target.address};
  net::steady_timer timer{context};
  Instant tick = Clock::now();
  do {
    Sample sample{Clock::now(), {}, 0};
    try {
      if (!connection.open()) co_await connection.connect();
      const Answer answer = co_await connection.ask("GET", state.how.health);
      sample.status = answer.status;
    } catch (const std::exception&) {
      connection.close();
    }
    const Instant answered = Clock::now();
    sample.took = answered - sample.start;
    samples.push_back(sample);
    for (tick += every; tick <= answered; tick += every) {
      if (tick > sample.start) samples.push_back({tick, answered - tick, sample.status});
    }
    timer.expires_at(tick);
    co_await timer.async_wait(net::use_awaitable);
  } while (!state.over);
}

void save_answers(const std::string& file, const std::vector<std::string>& answers) {
  if (file.empty()) return;
  std::ofstream out{file};
  for (const std::string& each : answers) {
    std::string line = each;
    std::replace(line.begin(), line.end(), '\n', ' ');
    out << line << '\n';
  }
}

}  // namespace

nlohmann::ordered_json submit(const Target& target, const Submit& how) {
  State state{target, how};
  std::vector<Sample> health;
  state.samples.reserve(how.count > 0 ? how.count : 1u << 20);
  state.running = how.clients;
  state.begin = Clock::now();
  state.end = state.begin + std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(how.seconds));

  std::thread watcher;
  if (!how.health.empty()) {
    watcher = std::thread{[&] {
      net::io_context context{1};
      net::co_spawn(context, watch(context, state, health), net::detached);
      context.run();
    }};
  }
  net::io_context context{1};
  for (int i = 0; i < how.clients; ++i) net::co_spawn(context, client(context, state), net::detached);
  context.run();
  const Nanoseconds took = Clock::now() - state.begin;
  if (watcher.joinable()) watcher.join();

  save(how.samples, state.samples, state.begin);
  save(how.health_samples, health, state.begin);
  save_answers(how.answers, state.answers);
  const auto accepted = times_of(state.samples, how.accepted);
  nlohmann::ordered_json json{{"clients", how.clients},
                              {"requests", state.samples.size()},
                              {"statuses", statuses(state.samples)},
                              {"took_seconds", seconds(took)},
                              {"accepted_per_second", static_cast<double>(accepted.size()) / seconds(took)},
                              {"bytes_per_second", static_cast<double>(state.bytes) / seconds(took)},
                              {"acknowledgement", summary(accepted)}};
  if (!how.health.empty()) {
    json["health_statuses"] = statuses(health);
    json["health"] = summary(times_of(health, 200));
  }
  return json;
}

}  // namespace load
