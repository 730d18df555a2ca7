#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <lapse/serve/oip/infer.hpp>
#include <lapse/serve/oip/words.hpp>

namespace lapse::serve::oip {
namespace {

using tensor::DType;

constexpr std::array<std::pair<std::string_view, DType>, 13> kNames{{{"BOOL", DType::Bool},
                                                                     {"UINT8", DType::UInt8},
                                                                     {"INT8", DType::Int8},
                                                                     {"UINT16", DType::UInt16},
                                                                     {"INT16", DType::Int16},
                                                                     {"UINT32", DType::UInt32},
                                                                     {"INT32", DType::Int32},
                                                                     {"UINT64", DType::UInt64},
                                                                     {"INT64", DType::Int64},
                                                                     {"FP16", DType::Float16},
                                                                     {"BF16", DType::BFloat16},
                                                                     {"FP32", DType::Float32},
                                                                     {"FP64", DType::Float64}}};

}  // namespace

std::string_view datatype(DType dtype) noexcept {
  const auto found = std::ranges::find(kNames, dtype, &std::pair<std::string_view, DType>::second);
  return found == kNames.end() ? std::string_view{} : found->first;
}

Result<DType> parse_datatype(std::string_view name) {
  const auto found = std::ranges::find(kNames, name, &std::pair<std::string_view, DType>::first);
  if (found != kNames.end()) return found->second;
  if (name == "BYTES") return fail(ErrorCode::Unsupported, "no engine here takes BYTES", "send numbers, or decode the bytes first");
  return fail(ErrorCode::BadInput, fmt::format("{} is no datatype", in_quotes(name)),
              "one of BOOL, UINT8 to UINT64, INT8 to INT64, FP16, BF16, FP32, FP64");
}

std::string one_line(std::string_view text, std::size_t longest) {
  const bool cut = text.size() > longest;
  if (cut) {
    std::size_t end = longest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // not within a UTF-8 sequence
    text = text.substr(0, end);
  }
  std::string line;
  for (const char c : text) line += static_cast<unsigned char>(c) < 0x20U || c == 0x7F ? ' ' : c;
  return cut ? line + "…" : line;
}

std::string in_quotes(std::string_view name) { return fmt::format("'{}'", one_line(name, 64)); }

}  // namespace lapse::serve::oip
