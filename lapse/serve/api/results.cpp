// Downloads: what was handed in, and what came of it. Neither ever changes, so its blob's name is its entity tag.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <lapse/image/format.hpp>
#include <lapse/serve/api/job_document.hpp>
#include <lapse/serve/http/range.hpp>
#include <lapse/serve/http/text.hpp>

namespace lapse::serve::api {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }  // not the first byte of a character

struct Found {
  jobs::Job job;
  jobs::Payload payload;
  std::shared_ptr<const jobs::BlobReader> blob;
  bool is_result = false;
};

Result<Found> find_input(Services& services, const http::Exchange& exchange) {
  LAPSE_TRY(auto job, services.store.get(exchange.owner(), exchange.part("id")));
  LAPSE_TRY(auto blob, services.blobs.open(job.spec.input.blob.id));
  jobs::Payload input = job.spec.input;
  return Found{std::move(job), std::move(input), std::move(blob), false};
}

Result<Found> find_result(Services& services, const http::Exchange& exchange) {
  LAPSE_TRY(auto job, services.store.get(exchange.owner(), exchange.part("id")));
  if (job.state != jobs::State::Done || !job.result) {
    const std::string hint = final(job.state) ? fmt::format("POST /v2/jobs/{}/retry tries it again", job.spec.id)
                                              : fmt::format("GET /v2/jobs/{} or /v2/events tells when it is", job.spec.id);
    return fail(ErrorCode::Conflict, fmt::format("job {} is not done: it is {}", job.spec.id, name(job.state)), hint);
  }
  LAPSE_TRY(auto blob, services.blobs.open(job.result->blob.id));
  jobs::Payload result = *job.result;
  return Found{std::move(job), std::move(result), std::move(blob), true};
}

std::string_view suffix_of(std::string_view content_type) {
  using image::Format;
  for (const Format format : {Format::Jpeg, Format::Png, Format::Webp, Format::Heic, Format::Avif}) {
    if (content_type == image::content_type(format)) return image::suffix(format);
  }
  return content_type == "application/json" ? ".json" : ".bin";
}

// What the file is called that somebody keeps: by the label, less what has a meaning in a path or to an operating system.
std::string file_name(const Found& found) {
  constexpr std::size_t kMost = 255;  // bytes, in most file systems
  std::string name = std::filesystem::path(found.job.spec.label).stem().string();
  if (name.empty()) name = found.job.spec.id;
  for (char& c : name) {
    if (std::string_view{R"(/\:*?"<>|)"}.find(c) != std::string_view::npos) c = '_';
  }
  if (name.front() == '.') name.front() = '_';
  std::string tail{suffix_of(found.payload.content_type)};
  if (found.is_result) tail = "-" + found.job.spec.model + tail;
  std::size_t length = std::min(name.size(), kMost - tail.size());
  while (length < name.size() && is_continuation(name[length])) --length;
  return name.substr(0, length) + tail;
}

// Content-Disposition (RFC 6266): the name once in ASCII and, where that is another, once as it is (RFC 8187).
std::string disposition(std::string_view type, std::string_view name) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~";
  std::string ascii, encoded;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (!is_continuation(c)) ascii += byte < 0x80 && c != '%' ? c : '_';
    encoded += kPlain.find(c) == std::string_view::npos ? fmt::format("%{:02X}", byte) : std::string(1, c);
  }
  std::string text = fmt::format("{}; filename=\"{}\"", type, ascii);
  if (ascii != name) text += "; filename*=UTF-8''" + encoded;
  return text;
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
  const jobs::Payload& payload = found.payload;
  const std::uint64_t size = payload.blob.size;
  const std::string tag = fmt::format("\"{}\"", payload.blob.id.hex);
  http::Response response;
  response.content_type = payload.content_type;
  response.headers = {{"ETag", tag}, {"Accept-Ranges", "bytes"}, {"Cache-Control", "private, no-cache"}};
  const bool to_keep = exchange.query("download").has_value();
  response.headers.emplace_back("Content-Disposition", disposition(to_keep ? "attachment" : "inline", file_name(found)));
  if (const auto known = exchange.header("If-None-Match"); known && http::lists_tag(*known, tag)) {
    response.status = 304;
    co_await exchange.respond(std::move(response));
    co_return;
  }
  if (payload.header_length > 0) response.headers.emplace_back("Inference-Header-Content-Length", std::to_string(payload.header_length));
  http::ByteRange part{0, size};
  if (const auto asked = part_of(exchange, tag, size)) {
    if (std::holds_alternative<http::Unsatisfiable>(*asked)) {
      http::Response refused = http::refuse({ErrorCode::BadInput, fmt::format("there are {} bytes", size)});
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
  if (!found.is_result || found.job.trace.delivered || exchange.method() == "HEAD") co_return;
  std::vector<std::string> delivered{found.job.spec.id};
  co_await note_delivered(services, exchange.owner(), std::move(delivered));
}

using Find = Result<Found> (*)(Services&, const http::Exchange&);

net::awaitable<void> download(Services& services, http::Exchange& exchange, Find find) {
  const auto found = co_await on(services.pool, [&]() -> Result<Found> {
    if (exchange.query("download").value_or("1") != "1")
      return fail(ErrorCode::BadInput, "download is not 1", "leave it out to look at it");
    return find(services, exchange);
  });
  http::Response refused;
  if (!found) refused = http::refuse(found.error());
  auto answer = found ? send(services, exchange, *found) : exchange.respond(std::move(refused));
  co_await std::move(answer);
}

}  // namespace

void add_results(http::Router& router, Services& services) {
  router.add("GET", "/v2/jobs/{id}/input", [&services](http::Exchange& exchange) { return download(services, exchange, find_input); });
  router.add("GET", "/v2/jobs/{id}/result", [&services](http::Exchange& exchange) { return download(services, exchange, find_result); });
}

}  // namespace lapse::serve::api
