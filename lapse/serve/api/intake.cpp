#include <lapse/serve/api/intake.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <lapse/image/faults.hpp>
#include <lapse/image/photo.hpp>
#include <lapse/serve/worker/batch.hpp>
#include <nlohmann/json.hpp>
#include <span>

namespace lapse::serve::api {
namespace {

using std::chrono::seconds;

template <class Number>
Result<Number> parse_number(std::string_view text, std::string_view what, Number least, Number most) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= least && value <= most)) {
    return fail(ErrorCode::BadInput, fmt::format("{} is not a number from {} to {}", what, least, most));
  }
  return value;
}

std::optional<http::Response> closed_for(const Services& services, bool needs_disk) {
  if (services.condition.stopping) {
    return http::refuse({ErrorCode::Unavailable, "the server is stopping", "try again in a moment"}, seconds{1});
  }
  if (needs_disk && services.condition.trouble) return http::refuse(*services.condition.trouble, seconds{10});
  return std::nullopt;
}

// At the very start the models are still being looked for.
http::Response refuse_unknown(const Error& error) {
  const bool later = error.code == ErrorCode::Unavailable;
  return http::refuse(error, later ? std::optional<Duration>{seconds{1}} : std::nullopt);
}

// What a request can be checked against is known once the model has been loaded, and stays so while it is loaded anew.
std::optional<http::Response> unready(const ModelStatus& model) {
  if (model.state == ModelState::Unavailable) {
    return http::refuse({ErrorCode::Unavailable, fmt::format("model {} can't be used: {}", model.name, model.reason)});
  }
  const bool known = !model.signature.inputs.empty() || !model.signature.outputs.empty();
  if (model.state == ModelState::Loading && !known) {
    return http::refuse({ErrorCode::Unavailable, fmt::format("model {} is being loaded", model.name), "try again in a second"}, seconds{1});
  }
  return std::nullopt;
}

Result<void> read_header_length(const http::Exchange& exchange, Intake& intake) {
  if (const auto length = exchange.header("Inference-Header-Content-Length")) {
    LAPSE_TRY(intake.header_length, parse_number<std::uint64_t>(*length, "Inference-Header-Content-Length", 0, 1ull << 40));
  }
  return {};
}

Result<void> read_parameters(const http::Exchange& exchange, Intake& intake) {
  if (const auto priority = exchange.query("priority")) {
    LAPSE_TRY(intake.priority, parse_number<int>(*priority, "priority", -10, 10));
  }
  if (const auto deadline = exchange.query("deadline_seconds")) {
    LAPSE_TRY(const double in, parse_number<double>(*deadline, "deadline_seconds", 0.0, 1e8));
    intake.timeout = Duration{std::llround(in * 1e9)};
  }
  return {};
}

// What is wanted of the enlarged picture, for the worker.
Result<void> read_wishes(const http::Exchange& exchange, bool takes_photos, Intake& intake) {
  const auto format = exchange.query("format"), keep_metadata = exchange.query("keep_metadata");
  if (!takes_photos && (format || keep_metadata)) {
    return fail(ErrorCode::BadInput, "format and keep_metadata are for models that enlarge photos", "leave them out");
  }
  nlohmann::ordered_json wishes;
  if (format) {
    constexpr std::array<std::string_view, 4> kFormats{"auto", "png", "jpeg", "webp"};
    if (std::ranges::find(kFormats, *format) == kFormats.end()) {
      return fail(ErrorCode::BadInput, "format is none of auto, png, jpeg and webp");
    }
    wishes["format"] = *format;
  }
  if (keep_metadata) {
    if (*keep_metadata != "true" && *keep_metadata != "false") return fail(ErrorCode::BadInput, "keep_metadata is not true or false");
    wishes["keep_metadata"] = *keep_metadata == "true";
  }
  if (!wishes.is_null()) intake.parameters = wishes.dump();
  return {};
}

Result<void> check_photo(Intake& intake) {
  const auto bytes = std::as_bytes(std::span{intake.body});
  if (bytes.empty()) return image::refuse(image::kEmpty);
  const auto first = bytes.first(std::min(bytes.size(), image::kSniffed));
  const auto format = image::sniff(first);
  if (!format) return image::refuse(image::kNoPhoto, std::string(image::other_kind(first)));
  intake.content_type = image::content_type(*format);
  return {};
}

// In a photo's words, which the page knows in other languages.
http::Response refuse_photo(const Error& error, std::uint64_t limit) {
  if (error.code == ErrorCode::TooLarge) {
    return http::refuse(image::refuse(image::kTooManyBytes, fmt::format("> {:.4g} MiB", static_cast<double>(limit) / (1 << 20))).value());
  }
  http::Response response = http::refuse(error);
  if (error.code == ErrorCode::Unsupported) response.status = 415;
  return response;
}

// The query's word goes before the body's.
Result<void> check_tensors(const http::Exchange& exchange, const ModelStatus& model, Intake& intake) {
  intake.content_type = intake.header_length > 0 ? "application/octet-stream" : "application/json";
  LAPSE_TRY(const auto request, oip::parse_request(intake.body, intake.header_length));
  LAPSE_CHECK(oip::check(request, model.signature, model.settings.finite));
  intake.rows = static_cast<std::size_t>(std::max<std::int64_t>(rows_of(request.inputs, model.settings.max_batch), 1));
  if (request.priority && !exchange.query("priority")) intake.priority = *request.priority;
  if (request.timeout_us.value_or(0) > 0 && !intake.timeout) {
    constexpr std::uint64_t kMost = 100'000'000'000'000;  // 1e8 seconds
    intake.timeout = std::chrono::microseconds{std::min(*request.timeout_us, kMost)};
  }
  return {};
}

}  // namespace

net::awaitable<tl::expected<Intake, http::Response>> take_in(Services& services, http::Exchange& exchange, const std::string& model,
                                                             const std::string& version, Keep keep) {
  const auto status = services.dispatcher.model(model, version);
  if (!status) co_return tl::unexpected(refuse_unknown(status.error()));
  if (auto refused = closed_for(services, keep != nullptr)) co_return tl::unexpected(std::move(*refused));
  if (auto refused = unready(*status)) co_return tl::unexpected(std::move(*refused));

  Intake intake;
  const bool is_photo = keep && status->settings.photo;
  const std::uint64_t limit = is_photo ? std::min(services.max_body, image::Limits{}.bytes) : services.max_body;
  const auto refuse = [&](const Error& error) { return is_photo ? refuse_photo(error, limit) : http::refuse(error); };
  auto read = read_parameters(exchange, intake);
  if (read && keep) read = read_wishes(exchange, is_photo, intake);
  if (read && !is_photo) read = read_header_length(exchange, intake);
  if (!read) co_return tl::unexpected(http::refuse(read.error()));
  auto body = co_await exchange.body(limit);
  if (!body) co_return tl::unexpected(refuse(body.error()));
  intake.body = std::move(*body);
  intake.received = std::chrono::steady_clock::now();
  http::BodyShare memory = exchange.share();
  const auto room = is_photo ? Result<void>{} : memory.grow(oip::memory_for(intake.body.size(), intake.header_length));
  if (!room) co_return tl::unexpected(http::refuse(room.error()));
  const auto checked = co_await on(services.pool, [&] {
    auto sound = is_photo ? check_photo(intake) : check_tensors(exchange, *status, intake);
    if (sound && keep) keep(intake);
    return sound;
  });
  if (!checked) co_return tl::unexpected(refuse(checked.error()));
  co_return intake;
}

http::Response refuse_busy(Services& services, const Error& error, const std::string& model) {
  if (error.code != ErrorCode::Busy) return http::refuse(error);
  services.observer.rejected("queue_full");
  const Duration wait = services.dispatcher.estimate(model, 0).value_or(seconds{1});
  return http::refuse(error, std::clamp<Duration>(wait, seconds{1}, seconds{3600}));
}

}  // namespace lapse::serve::api
