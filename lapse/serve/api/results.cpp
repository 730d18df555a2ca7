// Downloads. A result never changes, so its blob's name is its entity tag.

#include <fmt/format.h>

#include <algorithm>
#include <lapse/serve/api/job_document.hpp>
#include <lapse/serve/http/range.hpp>
#include <lapse/serve/http/text.hpp>

namespace lapse::serve::api {
namespace {

struct Found {
  jobs::Job job;
  std::shared_ptr<const jobs::BlobReader> blob;
};

Result<Found> find(Services& services, const http::Exchange& exchange) {
  LAPSE_TRY(auto job, services.store.get(exchange.owner(), exchange.part("id")));
  if (job.state != jobs::State::Done || !job.result) {
    const std::string hint = final(job.state) ? fmt::format("POST /v2/jobs/{}/retry tries it again", job.spec.id)
                                              : fmt::format("GET /v2/jobs/{} or /v2/events tells when it is", job.spec.id);
    return fail(ErrorCode::Conflict, fmt::format("job {} is not done: it is {}", job.spec.id, name(job.state)), hint);
  }
  LAPSE_TRY(auto blob, services.blobs.open(job.result->blob.id));
  return Found{std::move(job), std::move(blob)};
}

// "*" or a list of tags; a weak one is as good here (RFC 9110, section 13.1.2).
bool names(std::string_view list, std::string_view tag) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    std::string_view one = http::trim(list.substr(0, comma));
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == "*" || one == tag) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// The part that is asked for; nothing: the whole.
std::optional<std::variant<http::Unsatisfiable, http::ByteRange>> part_of(const http::Exchange& exchange, std::string_view tag,
                                                                          std::uint64_t size) {
  const auto range = exchange.header("Range");
  const auto condition = exchange.header("If-Range");
  if (!range || (condition && http::trim(*condition) != tag)) return std::nullopt;
  return http::parse_range(*range, size);
}

net::awaitable<void> send(Services& services, http::Exchange& exchange, const Found& found) {
  const jobs::Payload& result = *found.job.result;
  const std::uint64_t size = result.blob.size;
  const std::string tag = fmt::format("\"{}\"", result.blob.id.hex);
  http::Response response;
  response.content_type = result.content_type;
  response.headers = {{"ETag", tag}, {"Accept-Ranges", "bytes"}, {"Cache-Control", "private, no-cache"}};
  if (const auto known = exchange.header("If-None-Match"); known && names(*known, tag)) {
    response.status = 304;
    co_await exchange.respond(std::move(response));
    co_return;
  }
  if (result.header_length > 0) response.headers.emplace_back("Inference-Header-Content-Length", std::to_string(result.header_length));
  http::ByteRange part{0, size};
  if (const auto asked = part_of(exchange, tag, size)) {
    if (std::holds_alternative<http::Unsatisfiable>(*asked)) {
      http::Response refused = http::refuse({ErrorCode::BadInput, fmt::format("the result has {} bytes", size)});
      refused.status = 416;
      refused.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
      co_await exchange.respond(std::move(refused));
      co_return;
    }
    part = std::get<http::ByteRange>(*asked);
    response.status = 206;
    response.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", part.offset, part.offset + part.size - 1, size));
  }
  co_await exchange.respond_blob(std::move(response), found.blob, part.offset, part.size);
  if (found.job.trace.delivered || exchange.method() == "HEAD") co_return;
  std::vector<std::string> delivered{found.job.spec.id};
  co_await note_delivered(services, exchange.owner(), std::move(delivered));
}

net::awaitable<void> result(Services& services, http::Exchange& exchange) {
  const auto found = co_await on(services.pool, [&] { return find(services, exchange); });
  http::Response refused;
  if (!found) refused = http::refuse(found.error());
  auto answer = found ? send(services, exchange, *found) : exchange.respond(std::move(refused));
  co_await std::move(answer);
}

}  // namespace

void add_results(http::Router& router, Services& services) {
  router.add("GET", "/v2/jobs/{id}/result", [&services](http::Exchange& exchange) { return result(services, exchange); });
}

}  // namespace lapse::serve::api
