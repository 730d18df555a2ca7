#pragma once
// What front and worker say to each other, over the socket that a worker is started with (file descriptor 3).
//
//   front ──▶ worker   load, run, cancel, stop
//   worker ──▶ front   loaded | unloadable, started, progress, finished (one an item, in any order), alive (every second, from the reading
//                      thread)
//
// A frame is u32 length of the JSON header, u64 length of the payload (both little-endian), header, payload. The worker is trusted no
// more than a client: a frame that is too large or no message ends the connection, and with it the worker.
// The worker ends when the socket is closed, so no worker outlives its front.

#include <cstdint>
#include <lapse/base/error.hpp>
#include <lapse/image/tiles.hpp>
#include <lapse/jobs/job.hpp>
#include <lapse/serve/oip/infer.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace lapse::serve::wire {

/// First message to a worker: the one model version that it serves, and how.
struct Load {
  std::string name, version;
  std::string model;                                         // file, or null / sim:SETTINGS
  std::string engine;                                        // empty: by the file's ending
  std::string device;                                        // empty: the engine's choice
  std::vector<std::pair<std::string, std::string>> options;  // of the engine
  int threads = 0;                                           // of one inference; 0: the engine's choice
  int max_batch = 1;                                         // rows (first dimension) of one forward pass; 1: requests are not joined
  oip::Signature declared;                                   // for models that don't tell their inputs (.pt); may be empty
  std::string blobs;                                         // folder of the blob store
  std::optional<image::Scaling> photo;                       // items are picture files, to be enlarged
};

struct Loaded {
  oip::Signature signature;  // with the batch dimension as the model has it
  std::string platform;      // "onnxruntime", "torch", "null", "sim"
  std::string engine_version, device;
  int threads = 0;
  bool batches = false;  // requests can be joined along the first dimension; said again when it turns out that they can't
  Duration load{};
};
struct Unloadable {
  Error error;
};

/// One request to run. `key` is the front's, unique for the connection.
struct Item {
  std::uint64_t key = 0;
  std::optional<jobs::Blob> blob;      // the body lies in the blob store, and so will the result
  std::uint64_t offset = 0, size = 0;  // else: the body is this part of the frame's payload, and the result comes inline
  std::uint64_t header_length = 0;
  std::optional<jobs::Time> deadline;  // not started after it
  std::string owner;                   // photos: owners take turns
  std::string parameters;              // the job's: for photos {"format": "png", "keep_metadata": true}, both optional
};
/// One dispatch. The worker joins what fits together (same types and shapes but for the first dimension), up to max_batch rows a pass.
struct Run {
  std::vector<Item> items;
};
/// Those that have not started are not run; those in a running pass are dropped when it ends. Each is answered by `finished`.
struct Cancel {
  std::vector<std::uint64_t> keys;
};
/// Finish what was sent, then end.
struct Stop {};

/// These items' batch is going onto the device now.
struct Started {
  std::vector<std::uint64_t> keys;
  std::uint64_t rows = 1;  // of all of them; 1 where there is no such dimension
};
/// How far a photo is, from time to time.
struct Progress {
  std::uint64_t key = 0;
  std::uint64_t done = 0, total = 0;  // tiles
};

struct Finished {
  /// Released: not done, and nothing was wrong with the request: its deadline passed before it was started, the disk had no room for its
  /// result, the device was lost in an earlier pass, the worker was told to stop.
  enum class How : std::uint8_t { Done, Failed, Cancelled, Released };
  std::uint64_t key = 0;
  How how = How::Done;
  std::optional<jobs::Blob> blob;   // done, of an item with a blob
  std::uint64_t size = 0;           // done, inline: bytes of the frame's payload
  std::uint64_t header_length = 0;  // of the result
  std::string content_type;
  std::uint64_t rows = 1;          // done: its share of its pass
  std::optional<Error> error;      // failed, released
  bool retryable = false;          // failed: another attempt may do better (out of memory, a lost device; not a bad shape)
  std::string stopped;             // cancelled: "before it started", "after the forward pass that was running"
  std::vector<std::string> notes;  // done: what is to be said of the result
  jobs::Trace trace;               // batched, started, the durations, batch_size
};
struct Alive {
  std::optional<jobs::Time> running_since;  // of the forward pass that is on now
};

using ToWorker = std::variant<Load, Run, Cancel, Stop>;
using ToFront = std::variant<Loaded, Unloadable, Started, Progress, Finished, Alive>;

constexpr std::uint32_t kMaxHeader = 64u << 20;
constexpr std::uint64_t kMaxPayload = 2ull << 30;
constexpr std::size_t kPrefix = 12;  // bytes

struct Prefix {
  std::uint32_t header = 0;
  std::uint64_t payload = 0;
};
/// Error: BadInput above the limits.
Result<Prefix> parse_prefix(const char (&bytes)[kPrefix]);
/// Prefix and header of a frame whose payload has `payload` bytes.
std::string encode(const ToWorker& message, std::uint64_t payload = 0);
std::string encode(const ToFront& message, std::uint64_t payload = 0);
Result<ToWorker> parse_to_worker(std::string_view header);
Result<ToFront> parse_to_front(std::string_view header);

}  // namespace lapse::serve::wire
