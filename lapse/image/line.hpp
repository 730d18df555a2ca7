#pragma once
// Many photos through one model, a few at a time: decoding and cutting, the model, and putting together and encoding are three stages
// joined by bounded queues, so that the model never waits for a file. Tiles of several photos share a batch.

#include <atomic>
#include <functional>
#include <lapse/base/time.hpp>
#include <lapse/image/enlargement.hpp>
#include <lapse/tensor/tensor.hpp>
#include <memory>
#include <string>

namespace lapse::image {

/// How far a photo is, and what has been spent on it. A forward pass that it shared counts by its share of the tiles.
struct Advance {
  std::size_t done = 0, total = 0;                  // tiles
  Duration preprocess{}, forward{}, postprocess{};  // decoding and cutting; the model; putting together and encoding
};

/// One photo, and who wants to know how it ended: called once, on one of the line's threads.
struct Order {
  std::unique_ptr<Enlargement> enlargement;
  std::function<void(const Result<void>&)> ended;
  std::string owner{};                             // owners take turns tile by tile, and then an owner's photos
  std::function<bool()> wanted{};                  // false: it ends with Cancelled, before its next tile; empty: always
  std::function<void(const Advance&)> advanced{};  // after every tile, on the thread that calls ended; may be empty
};

struct LineOptions {
  std::size_t scale = 2;
  std::size_t max_batch = 4;                // tiles
  std::size_t in_flight = 2;                // photos
  const std::atomic<bool>* stop = nullptr;  // may be null
  /// For photos that come one by one: false, there is none now. `wait`: the line has nothing to do, so it waits until there is one, or
  /// until next is to say that none will come. Empty: next is always to be asked.
  std::function<bool(bool wait)> ready{};
};

/// Tiles of float32, N x 3 x rows x columns, to N x 3 x scale·rows x scale·columns. Called on the thread that calls enlarge.
using Infer = std::function<Result<tensor::Tensor>(const tensor::TensorView&)>;

/// Until `next` returns null, which is asked on a thread of the line whenever there is room. A photo's error is its own and told to its
/// order. Errors: the model's (BadModel when what comes out has another shape or type), Interrupted; photos on their way end with it, too.
Result<void> enlarge(const std::function<std::unique_ptr<Order>()>& next, const Infer& infer, const LineOptions& options);

}  // namespace lapse::image
