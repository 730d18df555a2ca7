#pragma once
// A front without HTTP: a dispatcher over real workers, a real store, and a models folder that the test writes.

#include <lapse/serve/dispatch/dispatcher.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <jobs/stores.hpp>
#include <lapse/jobs/folder_blob_store.hpp>
#include <lapse/jobs/sqlite_job_store.hpp>
#include <mutex>
#include <nlohmann/json.hpp>
#include <serve/store_double.hpp>
#include <thread>

namespace lapse::serve {

class Watcher final : public Observer {
 public:
  void log(Level, std::string_view message, const Fields& fields) override {
    const std::lock_guard lock{mutex_};
    std::string line{message};
    for (const auto& [key, value] : fields) {
      line += fmt::format(" {}={}", key, value);
      if (key == "pid") pids_.push_back(std::stoi(value));
    }
    lines_.push_back(std::move(line));
  }
  void request(std::string_view, std::string_view, unsigned, Duration) override {}
  void accepted(const jobs::Job&, Duration) override {}
  void ended(const jobs::Job& job) override { count("ended " + std::string{name(job.state)}); }
  void delivered(const jobs::Job&) override {}
  void answered(const std::string&, std::string_view how, const jobs::Trace&) override { count("answered " + std::string{how}); }
  void batch(const std::string&, std::uint32_t, Duration) override { count("batch"); }
  void worker(const std::string&, std::string_view what) override { count("worker " + std::string{what}); }
  void rejected(std::string_view why) override { count("rejected " + std::string{why}); }

  int counted(const std::string& what) {
    const std::lock_guard lock{mutex_};
    return counts_[what];
  }
  /// Lines that begin so.
  std::ptrdiff_t said(std::string_view beginning) {
    const std::lock_guard lock{mutex_};
    return std::ranges::count_if(lines_, [&](const std::string& line) { return line.starts_with(beginning); });
  }
  std::vector<int> pids() {
    const std::lock_guard lock{mutex_};
    return pids_;
  }
  std::string everything() {
    const std::lock_guard lock{mutex_};
    std::string all;
    for (const std::string& line : lines_) all += line + "\n";
    return all;
  }

 private:
  void count(const std::string& what) {
    const std::lock_guard lock{mutex_};
    ++counts_[what];
  }
  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::vector<int> pids_;
  std::map<std::string, int> counts_;
};

class DispatchCase : public ::testing::Test {
 protected:
  DispatchCase() {
    std::filesystem::create_directory(folder_ / "models");
    blobs_ = *jobs::FolderBlobStore::open(folder_ / "blobs");
    options_.models = folder_ / "models";
    options_.blobs = folder_ / "blobs";
    options_.program = LAPSE_PROGRAM;
    options_.scan = std::chrono::milliseconds{20};
    limits_.max_attempts = 3;
  }
  ~DispatchCase() override {
    if (dispatcher_) drain(Duration{});
    context_.stop();
    if (thread_.joinable()) thread_.join();
    pool_.join();
    dispatcher_.reset();
    if (HasFailure()) std::cerr << watcher_.everything();
  }

  void open_store() {
    store_.inner = *jobs::SqliteJobStore::open(folder_ / "jobs.db", limits_);
    store_.on_change([this](const jobs::JobStore::Changes& changes) {
      net::post(context_, [this, changes] {
        for (const std::string& model : changes.models) {
          if (dispatcher_) dispatcher_->wake(model);
        }
        for (const jobs::Job& job : changes.ended) watcher_.ended(job);
      });
    });
  }
  void start() {
    if (!store_.inner) open_store();
    dispatcher_ = Dispatcher::make(context_, pool_, store_, *blobs_, watcher_, options_);
    dispatcher_->start();
    thread_ = std::thread([this] { context_.run(); });
  }

  /// Appears at once and whole.
  void write(const std::string& name, const std::string& text) {
    std::ofstream{folder_ / "new"} << text;
    std::filesystem::rename(folder_ / "new", folder_ / ("models/" + name));
  }
  void model(const std::string& name, nlohmann::json settings) { write(name + ".json", settings.dump()); }

  /// On the dispatcher's thread.
  template <class F>
  auto ask(F f) {
    std::packaged_task<std::invoke_result_t<F>()> task{std::move(f)};
    auto future = task.get_future();
    net::post(context_, [&task] { task(); });
    return future.get();
  }
  template <class F>
  ::testing::AssertionResult becomes(F condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (std::chrono::steady_clock::now() < until) {
      if (condition()) return ::testing::AssertionSuccess();
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return ::testing::AssertionFailure() << "it did not come about within a minute";
  }
  ModelStatus status(const std::string& name, const std::string& version = "") {
    return ask([&] { return dispatcher_->model(name, version).value_or(ModelStatus{}); });
  }
  /// What was asked for before is on its way by now.
  void hand_on() {
    for (int i = 0; i < 3; ++i) ask([] { return 0; });
  }
  bool ready(const std::string& name) { return status(name).state == ModelState::Ready; }

  static std::string body(float first, int rows = 1) {
    nlohmann::json data = nlohmann::json::array();
    for (int i = 0; i < rows * 4; ++i) data.push_back(first);
    return nlohmann::json{{"inputs", {{{"name", "x"}, {"shape", {rows, 4}}, {"datatype", "FP32"}, {"data", data}}}}}.dump();
  }
  static float first_of(const std::string& response) { return nlohmann::json::parse(response)["outputs"][0]["data"][0].get<float>(); }

  jobs::Job submit(const std::string& model, const std::string& id, float first, std::optional<Duration> deadline = {}) {
    const std::string bytes = body(first);
    jobs::JobSpec spec;
    if (deadline) spec.deadline = jobs::system_now() + *deadline;
    spec.owner = "o";
    spec.id = id;
    spec.model = model;
    spec.digest = bytes;
    spec.input.blob = *blobs_->put(std::as_bytes(std::span{bytes}));
    spec.input.content_type = "application/json";
    return store_.submit(spec).value().job;
  }
  jobs::Job job(const std::string& id) { return store_.get("o", id).value(); }
  bool ended(const std::string& id) { return jobs::final(job(id).state); }
  float result_of(const jobs::Job& job) { return job.result ? first_of(*blobs_->read(job.result->blob.id)) : -1e9F; }

  std::future<Result<DirectReply>> infer(const std::string& model, float first, std::shared_ptr<Ticket> ticket = std::make_shared<Ticket>(),
                                         std::optional<Duration> timeout = {}, int rows = 1) {
    DirectRequest request;
    request.model = model;
    request.body = body(first, rows);
    request.rows = static_cast<std::size_t>(rows);
    request.owner = "o";
    request.timeout = timeout;
    const auto promise = std::make_shared<std::promise<Result<DirectReply>>>();
    net::post(context_, [this, promise, request, ticket] { net::co_spawn(context_, carry(promise, request, ticket), net::detached); });
    return promise->get_future();
  }
  void drain(Duration deadline) {
    std::promise<void> done;
    net::post(context_, [&] { net::co_spawn(context_, dispatcher_->drain(deadline), [&done](std::exception_ptr) { done.set_value(); }); });
    done.get_future().get();
  }

  jobs::Folder folder_;
  jobs::Limits limits_;
  Watcher watcher_;
  StoreDouble store_;
  std::unique_ptr<jobs::FolderBlobStore> blobs_;
  DispatcherOptions options_;
  net::io_context context_;
  net::executor_work_guard<net::io_context::executor_type> guard_{context_.get_executor()};
  net::thread_pool pool_{8};
  std::unique_ptr<Dispatcher> dispatcher_;
  std::thread thread_;

 private:
  net::awaitable<void> carry(std::shared_ptr<std::promise<Result<DirectReply>>> promise, DirectRequest request,
                             std::shared_ptr<Ticket> ticket) {
    auto reply = co_await dispatcher_->infer(std::move(request), std::move(ticket));
    promise->set_value(std::move(reply));
  }
};

}  // namespace lapse::serve
