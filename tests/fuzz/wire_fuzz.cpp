// Frames between front and worker: any bytes are refused or read, and what was read is written the same way again.

#include <cstdint>
#include <cstdlib>
#include <lapse/serve/worker/wire.hpp>
#include <string_view>

using namespace lapse::serve;

namespace {

template <class Message>
void twice(const lapse::Result<Message>& message, lapse::Result<Message> (*parse)(std::string_view)) {
  if (!message) {
    if (message.error().message.empty() || message.error().message.find('\n') != std::string::npos) std::abort();
    return;
  }
  const std::string frame = wire::encode(*message);
  const auto again = parse(std::string_view(frame).substr(wire::kPrefix));
  if (!again || wire::encode(*again) != frame) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  twice(wire::parse_to_worker(bytes), &wire::parse_to_worker);
  twice(wire::parse_to_front(bytes), &wire::parse_to_front);
  if (size >= wire::kPrefix) {
    char prefix[wire::kPrefix];
    bytes.copy(prefix, sizeof(prefix));
    const auto lengths = wire::parse_prefix(prefix);
    if (lengths && (lengths->header > wire::kMaxHeader || lengths->payload > wire::kMaxPayload)) std::abort();
  }
  return 0;
}
