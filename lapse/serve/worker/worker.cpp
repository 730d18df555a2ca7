#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <lapse/host/memory.hpp>
#include <lapse/jobs/folder_blob_store.hpp>
#include <lapse/serve/worker/photos.hpp>
#include <lapse/serve/worker/serve_socket.hpp>
#include <lapse/serve/worker/worker.hpp>
#include <type_traits>
#include <utility>

namespace lapse::serve {
namespace {

constexpr Duration kBeat = std::chrono::seconds{1};
constexpr int kNice = 10;                      // where both want the processor, who acknowledges goes before who computes
constexpr std::uint64_t kPhotos = 4ull << 30;  // bytes: by reckoning, four of the largest photos at a time take 3 GiB

class Listener {
 public:
  Listener(Channel& channel, const Surroundings& surroundings) : channel_(channel), surroundings_(surroundings) {}
  ~Listener() {
    channel_.shut();  // first: what runs now may take its time, and the front need not wait for it
    if (runner_) runner_->abandon();
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  Result<int> listen() {
    auto next_beat = std::chrono::steady_clock::now() + kBeat;
    while (!runner_ || !runner_->ended()) {
      auto frame = channel_.receive(next_beat - std::chrono::steady_clock::now());
      if (const auto now = std::chrono::steady_clock::now(); now >= next_beat) {
        channel_.send(wire::Alive{runner_ ? runner_->running_since() : std::nullopt});
        next_beat = now + kBeat;
      }
      if (runner_ && runner_->status() != 0) runner_->stop();
      if (!frame && frame.error().code == ErrorCode::Unavailable) {
        surroundings_.closed();
        return 0;
      }
      if (!frame) return tl::unexpected(std::move(frame).error());
      if (*frame) LAPSE_CHECK(take(std::move(**frame)));
    }
    return runner_->status();
  }

 private:
  Result<void> take(Channel::Frame frame) {
    if (auto* load = std::get_if<wire::Load>(&frame.message); load != nullptr && !runner_) {
      runner_ = runner_for(std::move(*load));
      return {};
    } else if (load != nullptr || !runner_) {
      return fail(ErrorCode::BadInput, "a worker is told once what to load, and that first");
    }
    if (auto* run = std::get_if<wire::Run>(&frame.message)) return runner_->run(std::move(*run), std::move(frame.payload));
    if (const auto* cancel = std::get_if<wire::Cancel>(&frame.message)) runner_->cancel(*cancel);
    if (std::holds_alternative<wire::Stop>(frame.message)) runner_->stop();
    return {};
  }

  std::unique_ptr<Runner> runner_for(wire::Load load) {
    if (!load.photo) return std::make_unique<Stages>(channel_, surroundings_.open_blobs, std::move(load));
    if (!load.device.starts_with("cuda")) surroundings_.untrusted();  // CUDA reserves more than any limit
    return std::make_unique<Photos>(channel_, surroundings_.open_blobs, std::move(load));
  }

  Channel& channel_;
  const Surroundings& surroundings_;
  std::unique_ptr<Runner> runner_;
};

}  // namespace

Result<int> serve_socket(int socket, const Surroundings& surroundings) {
  LAPSE_TRY(const auto channel, Channel::open(socket));
  return Listener(*channel, surroundings).listen();
}

Result<int> work(int socket) {
  prctl(PR_SET_NAME, "lapse work");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpriority(PRIO_PROCESS, 0, kNice);
  signal(SIGINT, SIG_IGN);  // the terminal's Ctrl-C goes to the whole group; the front decides
  signal(SIGPIPE, SIG_IGN);
  const Surroundings surroundings{.open_blobs = [](const std::string& folder) -> Result<std::unique_ptr<jobs::BlobStore>> {
                                    return jobs::FolderBlobStore::open(folder);
                                  },
                                  // Nothing of value is lost, and a forward pass may take its time.
                                  .closed = [] { std::_Exit(0); },
                                  .untrusted = [] { host::limit_to_available(kPhotos); }};
  return serve_socket(socket, surroundings);
}

}  // namespace lapse::serve
