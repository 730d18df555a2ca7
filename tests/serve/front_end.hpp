#pragma once
// The front's half of a worker's socket, for tests: a worker on threads of this process, spoken to frame by frame.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <lapse/serve/worker/serve_socket.hpp>
#include <lapse/tensor/fill.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

namespace lapse::serve {

/// Blobs in memory: their names are numbers, not digests, which nobody here looks at.
class MemoryBlobs final : public jobs::BlobStore {
 public:
  struct Shelf {
    std::mutex mutex;
    std::map<std::string, std::string> blobs;
    bool full = false;  // put fails
  };
  explicit MemoryBlobs(std::shared_ptr<Shelf> shelf) : shelf_(std::move(shelf)) {}

  Result<std::unique_ptr<jobs::BlobWriter>> create() override { return fail(ErrorCode::Internal, "not used"); }
  Result<jobs::Blob> put(std::span<const std::byte> bytes) override {
    const std::lock_guard lock{shelf_->mutex};
    if (shelf_->full) return fail(ErrorCode::Unavailable, "no space left on device");
    jobs::Blob blob{{std::string(64, '0')}, bytes.size()};
    const std::string number = std::to_string(shelf_->blobs.size());
    blob.id.hex.replace(64 - number.size(), number.size(), number);
    shelf_->blobs[blob.id.hex] = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    return blob;
  }
  Result<std::unique_ptr<jobs::BlobReader>> open(const jobs::BlobId& id) const override {
    const std::lock_guard lock{shelf_->mutex};
    const auto found = shelf_->blobs.find(id.hex);
    if (found == shelf_->blobs.end()) return fail(ErrorCode::NotFound, "there is no blob " + id.hex);
    return std::make_unique<Reader>(found->second);
  }
  Result<std::filesystem::path> local_file(const jobs::BlobId&) const override { return fail(ErrorCode::Internal, "not used"); }
  Result<jobs::Collected> remove_unreferenced(std::span<const jobs::BlobId>, Duration, const Referenced&) override { return {}; }
  Result<jobs::Collected> collect(Duration, const Referenced&) override { return {}; }
  Result<Usage> usage() const override { return Usage{}; }

 private:
  class Reader final : public jobs::BlobReader {
   public:
    explicit Reader(std::string bytes) : bytes_(std::move(bytes)) {}
    std::uint64_t size() const noexcept override { return bytes_.size(); }
    Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> bytes) const override {
      const std::size_t size = std::min<std::size_t>(bytes.size(), bytes_.size() - offset);
      std::memcpy(bytes.data(), bytes_.data() + offset, size);
      return size;
    }

   private:
    std::string bytes_;
  };
  std::shared_ptr<Shelf> shelf_;
};

struct Heard {
  wire::ToFront message;
  std::string payload;
};

class FrontEnd {
 public:
  /// `open_blobs` empty: those of the shelf.
  explicit FrontEnd(OpenBlobs open_blobs = {}) {
    if (!open_blobs) open_blobs = [this](const std::string&) { return std::make_unique<MemoryBlobs>(shelf); };
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    socket_ = ends[0];
    worker_ = std::thread([this, end = ends[1], open_blobs] {
      const Surroundings surroundings{open_blobs, [] {}};
      status = serve_socket(end, surroundings);
      ::close(end);
    });
  }
  ~FrontEnd() { hang_up(); }
  FrontEnd(const FrontEnd&) = delete;
  FrontEnd& operator=(const FrontEnd&) = delete;

  void hang_up() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
    if (worker_.joinable()) worker_.join();
  }
  /// What serve_socket returned, after the worker has ended by itself.
  const Result<int>& wait() {
    worker_.join();
    return status;
  }

  void send_bytes(std::string_view bytes) {
    ASSERT_EQ(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  void send(const wire::ToWorker& message, std::string_view payload = {}) {
    send_bytes(wire::encode(message, payload.size()));
    if (!payload.empty()) send_bytes(payload);
  }
  /// The next message; nothing: the worker has closed.
  std::optional<Heard> hear() {
    char bytes[wire::kPrefix];
    if (!read(bytes, sizeof(bytes))) return std::nullopt;
    const auto prefix = wire::parse_prefix(bytes);
    if (!prefix) return std::nullopt;
    std::string header(prefix->header, '\0');
    Heard heard{wire::Alive{}, std::string(prefix->payload, '\0')};
    if (!read(header.data(), header.size()) || !read(heard.payload.data(), heard.payload.size())) return std::nullopt;
    auto message = wire::parse_to_front(header);
    EXPECT_TRUE(message) << header;
    heard.message = std::move(*message);
    return heard;
  }
  /// The next of this kind; those of other kinds before it are kept for later.
  template <class Message>
  Message hear_one(std::string* payload = nullptr) {
    const auto kind = [](const Heard& heard) { return std::holds_alternative<Message>(heard.message); };
    auto found = std::find_if(kept_.begin(), kept_.end(), kind);
    for (; found == kept_.end(); found = std::find_if(kept_.begin(), kept_.end(), kind)) {
      auto heard = hear();
      if (!heard) {
        ADD_FAILURE() << "the worker has closed the socket";
        for (const Heard& other : kept_) {
          if (const auto* cannot = std::get_if<wire::Unloadable>(&other.message)) ADD_FAILURE() << cannot->error.message;
        }
        return {};
      }
      kept_.push_back(std::move(*heard));
    }
    Message message = std::get<Message>(std::move(found->message));
    if (payload != nullptr) *payload = std::move(found->payload);
    kept_.erase(found);
    return message;
  }
  struct Answer {
    wire::Finished finished;
    std::string body;
  };
  /// The answers to that many requests, by key.
  std::map<std::uint64_t, Answer> answers(std::size_t count) {
    std::map<std::uint64_t, Answer> all;
    while (all.size() < count) {
      Answer answer;
      answer.finished = hear_one<wire::Finished>(&answer.body);
      if (::testing::Test::HasFailure()) break;
      EXPECT_TRUE(all.emplace(answer.finished.key, answer).second) << "answered twice";
    }
    return all;
  }

  wire::Loaded load(wire::Load load) {
    send(std::move(load));
    return hear_one<wire::Loaded>();
  }
  /// One frame with all of these, keys from `first`.
  void run(const std::vector<std::pair<std::string, std::uint64_t>>& requests, std::uint64_t first = 1) {
    wire::Run run;
    std::string payload;
    for (const auto& [body, header_length] : requests) {
      wire::Item item;
      item.key = first++;
      item.offset = payload.size();
      item.size = body.size();
      item.header_length = header_length;
      payload += body;
      run.items.push_back(item);
    }
    send(run, payload);
  }

  std::shared_ptr<MemoryBlobs::Shelf> shelf = std::make_shared<MemoryBlobs::Shelf>();
  Result<int> status = -1;

 private:
  bool read(char* bytes, std::size_t size) { return size == 0 || recv(socket_, bytes, size, MSG_WAITALL) == static_cast<ssize_t>(size); }
  int socket_ = -1;
  std::vector<Heard> kept_;
  std::thread worker_;
};

inline wire::Load load_of(const std::string& model, int max_batch = 1) {
  wire::Load load;
  load.name = "m";
  load.version = "1";
  load.model = model;
  load.threads = 1;
  load.max_batch = max_batch;
  load.blobs = "memory";
  return load;
}

/// An infer request for x float32 of this shape, with seeded numbers, and binary out.
inline std::pair<std::string, std::uint64_t> request_of(const tensor::Shape& shape, std::uint64_t seed) {
  auto tensor = tensor::Tensor::make(tensor::DType::Float32, shape);
  EXPECT_TRUE(tensor && tensor::fill(*tensor, {}, seed));
  const nlohmann::json header = {
      {"parameters", {{"binary_data_output", true}}},
      {"inputs", {{{"name", "x"}, {"shape", shape}, {"datatype", "FP32"}, {"parameters", {{"binary_data_size", tensor->bytes()}}}}}}};
  std::string body = header.dump();
  const std::uint64_t length = body.size();
  body.append(reinterpret_cast<const char*>(tensor->data()), tensor->bytes());
  return {body, length};
}

}  // namespace lapse::serve
