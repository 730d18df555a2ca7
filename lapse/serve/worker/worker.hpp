#pragma once
// The worker process: three stages joined by bounded queues, so that the engine never waits for a disk.
//
//   read the socket, fetch and parse bodies  ──▶  join, forward pass  ──▶  split, encode, store results, answer      (stages.hpp)
//   read the socket, open photos, cut tiles  ──▶  forward pass  ──▶  put together, encode, store results, answer     (photos.hpp)
//
// Whatever happens in here, a crash or a leak or a poisonous input, happens to this process alone.

#include <lapse/base/error.hpp>

namespace lapse::serve {

/// Serves until the socket is closed or `stop` was said and done. Returns the exit status. Errors: BadInput (not a socket).
Result<int> work(int socket);

}  // namespace lapse::serve
