#include <fmt/format.h>

#include <algorithm>
#include <lapse/jobs/blob_store.hpp>

namespace lapse::jobs {

Result<BlobId> parse_blob_id(std::string_view text) {
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() != 64 || !std::ranges::all_of(text, digit)) {
    return fail(ErrorCode::BadInput, "a blob's name is not 64 hexadecimal digits");
  }
  return BlobId{std::string(text)};
}

Result<std::string> BlobStore::read(const BlobId& id, std::uint64_t limit) const {
  LAPSE_TRY(const auto reader, open(id));
  if (reader->size() > limit) {
    return fail(ErrorCode::TooLarge, fmt::format("the blob has {} bytes, more than the {} that are read", reader->size(), limit));
  }
  std::string bytes(reader->size(), '\0');
  LAPSE_TRY(const std::size_t got, reader->read(0, std::as_writable_bytes(std::span(bytes))));
  if (got != bytes.size()) return fail(ErrorCode::Unavailable, fmt::format("blob {} ended early", id.hex), "the disk may be failing");
  return bytes;
}

}  // namespace lapse::jobs
