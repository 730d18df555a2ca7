#include <lapse/serve/front/housekeeping.hpp>
// After the first, which brings <utility>.
#include <fmt/format.h>

#include <algorithm>

namespace lapse::serve {
namespace {

constexpr auto kRound = std::chrono::seconds{1};
constexpr std::uint64_t kProbe = 5;   // rounds between two writes that try the disk
constexpr std::size_t kSweep = 1000;  // rows of one sweep

/// Rounds between two looks for blobs that nobody needs. Each asks once for every blob there is, and leaves what is within the grace: so
/// it is rarer where that is long, but not rarer than every ten minutes.
std::uint64_t litter_rounds(Duration grace) {
  constexpr Duration kRarest = std::chrono::minutes{10};
  return static_cast<std::uint64_t>(std::clamp<Duration>(std::min(grace, kRarest) * 5, kRound, kRarest) / kRound);
}

}  // namespace

void Housekeeping::begin() { take(look(true, false)); }

net::awaitable<void> Housekeeping::run() {
  net::steady_timer timer{context_};
  const std::uint64_t litter = litter_rounds(options_.blob_grace);
  for (std::uint64_t round = 0;; ++round) {
    timer.expires_after(kRound);
    co_await timer.async_wait(net::use_awaitable);
    const bool probe = round % kProbe == 0 || condition.trouble.has_value();
    Look now = co_await on(pool_, [&] { return look(probe, round % litter == 0); });
    take(std::move(now));
  }
}

void Housekeeping::take(Look now) {
  if (options_.tokens != nullptr && !now.trouble) {
    options_.tokens->any();
    now.trouble = options_.tokens->problem();
  }
  if (now.trouble && (!condition.trouble || condition.trouble->message != now.trouble->message)) {
    observer_.log(Level::Error, "nothing new is accepted", {{"reason", now.trouble->message}});
  } else if (condition.trouble && !now.trouble) {
    observer_.log(Level::Info, "jobs are accepted again");
  }
  condition.trouble = std::move(now.trouble);
  depths = std::move(now.depths);
  free_bytes = now.free_bytes;
}

Housekeeping::Look Housekeeping::look(bool probe, bool litter) {
  Look result;
  const auto unwell = [&](const Error& error) { result.trouble = error; };
  sweep();
  if (litter) {
    const auto collected = blobs_.collect(options_.blob_grace, [this](const jobs::BlobId& blob) { return store_.referenced(blob); });
    if (collected && collected->blobs > 0) {
      observer_.log(Level::Info, "litter collected",
                    {{"blobs", std::to_string(collected->blobs)}, {"bytes", std::to_string(collected->bytes)}});
    }
  }
  if (auto depths_now = store_.depths()) {
    result.depths = std::move(*depths_now);
  } else {
    unwell(depths_now.error());
  }
  if (probe) {
    if (const auto healthy = store_.healthy(); !healthy) unwell(healthy.error());
  }
  if (const auto usage = blobs_.usage(); !usage) {
    unwell(usage.error());
  } else if (result.free_bytes = usage->free_bytes; usage->free_bytes < options_.min_free) {
    unwell({ErrorCode::Unavailable, fmt::format("the disk is nearly full: {} MiB are free", usage->free_bytes >> 20),
            fmt::format("{} MiB are kept free (--min-free)", options_.min_free >> 20)});
  }
  return result;
}

void Housekeeping::sweep() {
  for (bool more = true; more;) {
    const auto swept = store_.sweep(kSweep);
    if (!swept) return;  // healthy() tells
    more = swept->more;
    if (swept->released.empty()) continue;
    const auto removed = blobs_.remove_unreferenced(swept->released, options_.blob_grace,
                                                    [this](const jobs::BlobId& blob) { return store_.referenced(blob); });
    if (!removed) observer_.log(Level::Warning, "blobs can't be deleted", {{"reason", removed.error().message}});
  }
}

}  // namespace lapse::serve
