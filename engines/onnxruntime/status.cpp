#include "status.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

namespace lapse::plugin::onnxruntime {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

bool is_digit(char c) noexcept { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

template <std::size_t N>
bool holds_any(std::string_view text, const std::array<std::string_view, N>& parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) { return text.find(part) != kNone; });
}

// The colon of "file.cc:123" at or after `from`.
std::size_t find_place(std::string_view text, std::size_t from) {
  for (std::size_t colon = text.find(':', from); colon != kNone; colon = text.find(':', colon + 1)) {
    const auto before = text.substr(0, colon);
    const bool source = before.ends_with(".cc") || before.ends_with(".h") || before.ends_with(".cpp") || before.ends_with(".hpp");
    if (source && colon + 1 < text.size() && is_digit(text[colon + 1])) return colon;
  }
  return kNone;
}

// One past the bracket that closes the one at `open`, or the end of the text.
std::size_t close_bracket(std::string_view text, std::size_t open, char up, char down) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == up) ++depth;
    if (text[i] == down && --depth == 0) return i + 1;
  }
  return text.size();
}

// One past the C++ signature that starts at `from`: "void* a::B<c>::f(int, x) const [with T = float]".
std::size_t skip_signature(std::string_view text, std::size_t from) {
  std::size_t end = from;
  do {
    const std::size_t open = text.find('(', end);
    if (open == kNone) return end;
    end = close_bracket(text, open, '(', ')');
  } while (end < text.size() && text[end] != ' ');
  if (text.substr(end).starts_with(" const")) end += std::string_view(" const").size();
  if (text.substr(end).starts_with(" [with")) end = close_bracket(text, end + 1, '[', ']');
  return end;
}

// "Load failed:/src/a/b.cc:123 void f(int) The reason" → "Load failed: The reason".
std::string without_places(std::string_view text) {
  std::string plain;
  std::size_t kept = 0;
  for (std::size_t colon = find_place(text, 0); colon != kNone; colon = find_place(text, kept)) {
    const std::size_t before = text.find_last_of(" :\n", colon - 1);
    plain += text.substr(kept, before == kNone || before + 1 < kept ? 0 : before + 1 - kept);
    kept = colon + 1;
    while (kept < text.size() && is_digit(text[kept])) ++kept;
    kept = skip_signature(text, kept);
  }
  return plain.append(text.substr(kept));
}

// The text after the last `mark`, or all of it.
std::string_view after(std::string_view text, std::string_view mark) {
  const auto at = text.rfind(mark);
  return at == kNone ? text : text.substr(at + mark.size());
}

std::string_view between(std::string_view text, std::string_view open, std::string_view close) {
  const auto begin = text.find(open);
  if (begin == kNone) return {};
  const auto end = text.find(close, begin + open.size());
  return end == kNone ? std::string_view() : text.substr(begin + open.size(), end - begin - open.size());
}

// "CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; hostname=…" → the part before the first semicolon.
std::string_view device_failure(std::string_view text) {
  for (const std::string_view library : {"CUDA", "CUDNN", "CUDNN_FE", "CUBLAS", "CURAND", "CUFFT"}) {
    const auto at = text.find(std::string(library) + " failure ");
    if (at == kNone) continue;
    const auto failure = text.substr(at);
    return failure.substr(0, failure.find(" ;"));
  }
  return {};
}

// What the library says, without where in its source it says so and without the words it puts round every error.
std::string plain_text(const std::string& text) {
  if (const auto failure = device_failure(text); !failure.empty()) return std::string(failure);
  std::string all = without_places(text);
  constexpr std::string_view kAdvice = "Please fix either the inputs/outputs or the model.";
  if (const auto at = all.find(kAdvice); at != std::string::npos) all.erase(at, kAdvice.size());
  const auto node = between(all, "Non-zero status code returned while running ", " node.");
  const auto name = between(all, "Name:'", "'");
  std::string_view reason = all;
  for (const auto mark :
       {"Status Message: ", " failed:", "This is an invalid model. ", "Fatal error: ", "Exception during initialization: ", ", Error "}) {
    reason = after(reason, mark);
  }
  // "[ONNXRuntimeError] : 1 : FAIL : The reason", where one part of the library passes on what another said.
  if (const auto passed = after(reason, "[ONNXRuntimeError] : "); passed.size() < reason.size()) {
    const auto past_code = passed.find(" : ");
    const auto text_at = past_code == kNone ? kNone : passed.find(" : ", past_code + 3);
    if (text_at != kNone) reason = passed.substr(text_at + 3);
  }
  if (const auto opset = between(all, "official released onnx opset versions. ", ". "); !opset.empty()) reason = opset;
  std::string plain;
  if (!node.empty()) plain.append("operator ").append(node);
  if (!node.empty() && !name.empty()) plain.append(" '").append(name).append("'");
  if (!node.empty()) plain.append(": ");
  return plain.append(reason);
}

constexpr std::array<std::string_view, 7> kOutOfMemory = {"Failed to allocate memory",    "bad_alloc",       "bad allocation",
                                                          "smaller than requested bytes", "CUDA failure 2:", "CUBLAS_STATUS_ALLOC_FAILED",
                                                          "CUDNN_STATUS_ALLOC_FAILED"};
// "Exception during initialization": the graph is sound, but the code of an operator refuses to be set up for it.
constexpr std::array<std::string_view, 6> kLacking = {
    "Exception during initialization", "is not a registered function/op", "No Op registered for",
    "No opset registered for",         "Unsupported model IR version",    "official released onnx opset versions"};

lapse_status status_of(OrtErrorCode code, std::string_view text, Stage stage) {
  if (stage == Stage::Open) return LAPSE_ENGINE_UNUSABLE;
  if (holds_any(text, kOutOfMemory)) return LAPSE_OUT_OF_MEMORY;
  if (!device_failure(text).empty()) return LAPSE_DEVICE_UNUSABLE;
  if (code == ORT_NOT_IMPLEMENTED || holds_any(text, kLacking)) return LAPSE_UNSUPPORTED;
  if (code == ORT_EP_FAIL || code == ORT_ENGINE_ERROR) return LAPSE_INTERNAL;
  return stage == Stage::Load ? LAPSE_BAD_MODEL : LAPSE_BAD_INPUT;
}

std::string hint_of(lapse_status status, Stage stage) {
  switch (status) {
    case LAPSE_OUT_OF_MEMORY:
      return stage == Stage::Submit ? "smaller inputs or a smaller --batch need less" : "";
    case LAPSE_UNSUPPORTED:
      return "another version of ONNX Runtime may have it: name its library by --engine-lib";
    case LAPSE_BAD_INPUT:
      return stage == Stage::Submit ? "the shapes or values of the inputs may not suit the model: see --shape, --fill and --input" : "";
    case LAPSE_DEVICE_UNUSABLE:
      return "nvidia-smi and the system's log may tell more";
    default:
      return "";
  }
}

}  // namespace

Failure failure_of(OrtErrorCode code, const std::string& text, Stage stage, std::string_view subject) {
  if (code == ORT_INVALID_PROTOBUF) return Failure(LAPSE_BAD_MODEL, std::string(subject) + " is not an ONNX model, or a damaged one");
  const lapse_status status = status_of(code, text, stage);
  return Failure(status, (subject.empty() ? "" : std::string(subject) + ": ") + plain_text(text), hint_of(status, stage));
}

void throw_status(const OrtApi& api, OrtStatus* status, Stage stage, std::string_view subject) {
  const OrtErrorCode code = api.GetErrorCode(status);
  const std::string text = api.GetErrorMessage(status);
  api.ReleaseStatus(status);
  throw failure_of(code, text, stage, subject);
}

}  // namespace lapse::plugin::onnxruntime
