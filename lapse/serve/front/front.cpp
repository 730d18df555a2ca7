#include <lapse/serve/front/front.hpp>
// After the first, which brings <utility>.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <lapse/jobs/data_folder.hpp>
#include <lapse/jobs/folder_blob_store.hpp>
#include <lapse/jobs/sqlite_job_store.hpp>
#include <lapse/serve/access/gate.hpp>
#include <lapse/serve/api/page.hpp>
#include <lapse/serve/api/services.hpp>
#include <lapse/serve/front/housekeeping.hpp>
#include <lapse/serve/observe/witness.hpp>
#include <lapse/serve/webhook/sender.hpp>
#include <memory>
#include <mutex>

namespace lapse::serve {
namespace {

constexpr int kTwice = 130;  // exit status when it is told to stop a second time

// As many connections as the system allows at all.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<void> check_address(const FrontOptions& options, Tokens& tokens) {
  boost::system::error_code error;
  const auto address = net::ip::make_address(options.server.address, error);
  if (error)
    return fail(ErrorCode::BadUse, fmt::format("'{}' is no address", options.server.address), "such as 127.0.0.1:8000 or [::1]:8000");
  if (address.is_loopback() || (!options.anonymous && tokens.any())) return {};
  return fail(ErrorCode::BadUse,
              fmt::format("{} can be reached from elsewhere, and nobody would have to say who he is", options.server.address),
              fmt::format("lapse token create --data {} --owner NAME, then --auth token", options.data));
}

// Bodies come and go by the thousand: their memory is kept for the next one, and not given back to the system and fetched again each time.
void keep_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 4 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

class Front {
 public:
  Front(const FrontOptions& options, jobs::DataFolder folder, std::unique_ptr<jobs::BlobStore> blobs, std::unique_ptr<jobs::JobStore> store,
        Sessions sessions)
      : options_(options),
        folder_(std::move(folder)),
        blobs_(std::move(blobs)),
        store_(std::move(store)),
        tokens_(options.data),
        sessions_(std::move(sessions)),
        log_(STDERR_FILENO, options.log_level, options.log_json),
        witness_(log_, metrics_),
        pool_(options.pool),
        context_(std::make_unique<net::io_context>(1)),
        dispatcher_(Dispatcher::make(*context_, pool_, *store_, *blobs_, witness_, dispatch_options())),
        sender_(std::make_unique<webhook::Sender>(*context_, pool_, *store_, sessions_, witness_, options.private_webhooks)),
        housekeeping_(*context_, pool_, *store_, *blobs_, witness_,
                      {options.min_free, options.blob_grace, options.anonymous ? nullptr : &tokens_}),
        services_{pool_,
                  *store_,
                  *blobs_,
                  *dispatcher_,
                  witness_,
                  sessions_,
                  hub_,
                  housekeeping_.condition,
                  [this] { return exposition(); },
                  options.max_body,
                  options.anonymous,
                  options.private_webhooks,
                  options.blob_grace,
                  [this](const std::string& token) { return tokens_.valid(token); }} {}

  ~Front() {
    // Nothing may be on its way to what goes first: the pool's work comes home to the context, whose coroutines hold the rest.
    pool_.join();
    server_.reset();
    dispatcher_.reset();
    sender_.reset();
    const std::lock_guard lock{context_mutex_};
    context_.reset();
  }
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  Result<int> run() {
    LAPSE_CHECK(check_address(options_, tokens_));
    store_->on_change([this](const jobs::JobStore::Changes& changes) {
      const std::lock_guard lock{context_mutex_};  // the store's thread may still be telling of the last commit when the front goes
      if (context_) net::post(*context_, [this, changes] { pass_on(changes); });
    });
    LAPSE_TRY(const std::size_t recovered, store_->recover());
    if (recovered > 0) witness_.log(Level::Info, "jobs were running when the server ended", {{"jobs", std::to_string(recovered)}});
    housekeeping_.begin();
    api::add_routes(router_, services_);
    api::add_page(router_);
    LAPSE_TRY(server_, http::Server::listen(*context_, pool_, options_.server, router_, hooks()));
    gate_.emplace(GateOptions{options_.anonymous, hosts(), server_->port(), api::page_paths()}, tokens_, sessions_);
    dispatcher_->start();
    sender_->start();
    net::co_spawn(*context_, housekeeping_.run(), net::detached);
    net::signal_set signals{*context_, SIGTERM, SIGINT};
    await_signal(signals);
    announce();
    context_->run();
    return 0;
  }

 private:
  DispatcherOptions dispatch_options() const {
    DispatcherOptions result;
    result.models = options_.models;
    result.blobs = folder_.blobs();
    result.program = options_.program;
    result.lease = options_.lease;
    result.heartbeat = options_.lease / 3;
    return result;
  }

  http::Hooks hooks() {
    return {[this](http::Exchange& exchange, const http::Router::Match& match) { return (*gate_)(exchange, match); },
            [this](const http::Exchange& exchange, const http::Router::Match& match, unsigned status, Duration took) {
              witness_.request(exchange.method(), match.pattern, status, took);
            },
            [this](std::string_view line) { witness_.log(Level::Warning, line); }};
  }

  void pass_on(const jobs::JobStore::Changes& changes) {
    for (const std::string& owner : changes.owners) hub_.wake(owner);
    for (const std::string& model : changes.models) dispatcher_->wake(model);
    if (changes.notices) sender_->wake();
    for (const jobs::Job& job : changes.ended) witness_.ended(job);
    for (const jobs::Job& job : changes.delivered) witness_.delivered(job);
  }

  std::string exposition() {
    const auto models = dispatcher_->models();
    return metrics_.exposition({housekeeping_.depths, models, server_->connections(), hub_.size(), housekeeping_.free_bytes});
  }

  /// "127.0.0.1:8000"
  std::string authority() const {
    const bool six = options_.server.address.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", six ? "[" : "", options_.server.address, six ? "]" : "", server_->port());
  }

  /// The address that is listened on is a name of this server, too: nobody else's name leads to it.
  std::vector<std::string> hosts() const {
    std::vector<std::string> result = options_.hosts;
    result.push_back(authority());
    return result;
  }

  void announce() {
    const std::string url = "http://" + authority();
    witness_.log(Level::Info, "listening", {{"url", url}, {"models", options_.models}, {"data", options_.data}});
    if (options_.listening) options_.listening(url);
  }

  void await_signal(net::signal_set& signals) {
    signals.async_wait([this, &signals](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (stopping_) std::_Exit(kTwice);
      stopping_ = true;
      witness_.log(Level::Info, "stopping", {{"signal", std::to_string(signal)}});
      await_signal(signals);
      net::co_spawn(*context_, stop(), net::detached);
    });
  }

  // Those who read go on reading until what runs has ended.
  net::awaitable<void> stop() {
    housekeeping_.condition.stopping = true;
    co_await dispatcher_->drain(options_.drain);
    sender_->stop();
    server_->stop_accepting();
    hub_.close();
    net::steady_timer timer{*context_, std::chrono::milliseconds{100}};  // for the last answers
    co_await timer.async_wait(net::use_awaitable);
    server_->close();
    witness_.log(Level::Info, "stopped");
    context_->stop();
  }

  const FrontOptions options_;
  const jobs::DataFolder folder_;
  const std::unique_ptr<jobs::BlobStore> blobs_;
  const std::unique_ptr<jobs::JobStore> store_;
  Tokens tokens_;
  const Sessions sessions_;
  Log log_;
  Metrics metrics_;
  Witness witness_;
  api::EventHub hub_;
  http::Router router_;
  std::optional<Gate> gate_;
  net::thread_pool pool_;
  std::unique_ptr<net::io_context> context_;
  std::mutex context_mutex_;  // for the store's thread: is it still there?
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<webhook::Sender> sender_;
  Housekeeping housekeeping_;
  api::Services services_;
  std::unique_ptr<http::Server> server_;
  bool stopping_ = false;
};

}  // namespace

Result<int> serve(const FrontOptions& options) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(options.models, ignored)) {
    return fail(ErrorCode::BadUse, fmt::format("there is no folder {}", options.models),
                "--models takes the folder that the models lie in");
  }
  std::signal(SIGPIPE, SIG_IGN);
  ::umask(S_IRWXG | S_IRWXO);  // what is in the data folder is its owners', whoever may look into the folder
  raise_file_limit();
  keep_memory();
  LAPSE_TRY(auto folder, jobs::DataFolder::open(options.data));
  LAPSE_TRY(auto blobs, jobs::FolderBlobStore::open(folder.blobs()));
  LAPSE_TRY(auto store, jobs::SqliteJobStore::open(folder.database(), options.limits));
  LAPSE_TRY(auto sessions, Sessions::open(options.data));
  Front front{options, std::move(folder), std::move(blobs), std::move(store), std::move(sessions)};
  return front.run();
}

}  // namespace lapse::serve
