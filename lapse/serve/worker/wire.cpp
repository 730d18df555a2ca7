#include <fmt/format.h>

#include <lapse/serve/worker/wire.hpp>
#include <lapse/serve/worker/wire_fields.hpp>
#include <limits>

namespace lapse::serve::wire {
namespace {

template <class Number>
void put_little_endian(std::string& bytes, Number number) {
  for (std::size_t i = 0; i < sizeof(number); ++i) bytes += static_cast<char>((number >> (8 * i)) & 0xFFU);
}

template <class Number>
Number little_endian(const char* bytes) {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof(number); ++i) number |= static_cast<Number>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return number;
}

template <class Message>
std::string encode_any(const Message& message, std::uint64_t payload) {
  Writer writer;
  std::visit([&](const auto& one) { writer.message(one); }, message);
  const std::string header = writer.text();
  std::string frame;
  frame.reserve(kPrefix + header.size());
  put_little_endian(frame, static_cast<std::uint32_t>(header.size()));
  put_little_endian(frame, payload);
  return frame + header;
}

// Tries the alternatives one after the other: the first whose type the text names.
template <class Message, std::size_t index = 0>
Result<Message> parse_as(const nlohmann::json& text, std::string_view type) {
  if constexpr (index == std::variant_size_v<Message>) {
    return fail(ErrorCode::BadInput, fmt::format("no message between front and worker is of type '{}'", type.substr(0, 32)));
  } else {
    using One = std::variant_alternative_t<index, Message>;
    if (type != type_name<One>()) return parse_as<Message, index + 1>(text, type);
    One message;
    Reader reader(text);
    fields(reader, message);
    if (!reader.ok()) return fail(ErrorCode::BadInput, fmt::format("a message '{}' lacks a sound '{}'", type, reader.failed()));
    return Message{std::move(message)};
  }
}

template <class Message>
Result<Message> parse_any(std::string_view header) {
  const auto text = nlohmann::json::parse(header, nullptr, false);
  const auto type = text.is_object() ? text.find("type") : text.end();
  if (!text.is_object() || type == text.end() || !type->is_string()) {
    return fail(ErrorCode::BadInput, "what came over the socket is no message of front or worker");
  }
  return parse_as<Message>(text, type->template get_ref<const std::string&>());
}

}  // namespace

Result<Prefix> parse_prefix(const char (&bytes)[kPrefix]) {
  const Prefix prefix{little_endian<std::uint32_t>(bytes), little_endian<std::uint64_t>(bytes + sizeof(std::uint32_t))};
  if (prefix.header > kMaxHeader || prefix.payload > kMaxPayload) {
    return fail(ErrorCode::BadInput,
                fmt::format("a frame of {} and {} bytes is no message of front or worker", prefix.header, prefix.payload));
  }
  return prefix;
}

std::string encode(const ToWorker& message, std::uint64_t payload) { return encode_any(message, payload); }
std::string encode(const ToFront& message, std::uint64_t payload) { return encode_any(message, payload); }
Result<ToWorker> parse_to_worker(std::string_view header) { return parse_any<ToWorker>(header); }
Result<ToFront> parse_to_front(std::string_view header) { return parse_any<ToFront>(header); }

}  // namespace lapse::serve::wire
