#pragma once
// A worker without its process: what work() does, and what a test does within its own. Not installed.

#include <functional>
#include <lapse/serve/worker/stages.hpp>

namespace lapse::serve {

struct Surroundings {
  OpenBlobs open_blobs;
  std::function<void()> closed = [] {};     // the front closed the socket before it said stop; then all that waits is dropped
  std::function<void()> untrusted = [] {};  // from here on the process decodes files that may be made to take all memory
};

/// Returns the exit status. Errors: BadInput (not a socket; what comes is no message).
Result<int> serve_socket(int socket, const Surroundings& surroundings);

}  // namespace lapse::serve
