#include "translate.hpp"

#include <torch/script.h>
#include <torch/version.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <new>
#include <string_view>

namespace lapse::plugin::libtorch {
namespace {

template <std::size_t N>
bool holds_any(std::string_view text, const std::array<std::string_view, N>& parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

bool blank(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](unsigned char c) { return std::isspace(c) != 0; });
}

// "RuntimeError: the reason" → "the reason"; empty for any other line.
std::string_view python_error(std::string_view line) {
  const auto colon = line.find(": ");
  if (colon == std::string_view::npos) return {};
  const auto name = line.substr(0, colon);
  if (!name.ends_with("Error") && !name.ends_with("Exception")) return {};
  return std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_'; })
             ? line.substr(colon + 2)
             : std::string_view();
}

// The error that a traceback ends with; without one, the first line that says something.
std::string_view telling_line(std::string_view text) {
  std::string_view first;
  std::string_view last_error;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (first.empty() && !blank(line)) first = line;
    if (const auto error = python_error(line); !error.empty()) last_error = error;
  }
  return last_error.empty() ? first : last_error;
}

// "[enforce fail at alloc_cpu.cpp:66] err == 0. The reason" → "The reason".
std::string_view without_place(std::string_view line) {
  if (!line.starts_with("[enforce fail at ")) return line;
  const auto place = line.find("] ");
  const auto condition = place == std::string_view::npos ? place : line.find(". ", place);
  return condition == std::string_view::npos ? line : line.substr(condition + 2);
}

constexpr std::array<std::string_view, 7> kOutOfMemory = {"DefaultCPUAllocator",       "bad_alloc",
                                                          "not enough memory",         "CUDA out of memory",
                                                          "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED",
                                                          "CUDNN_STATUS_ALLOC_FAILED"};
// After most of these every later call fails too.
constexpr std::array<std::string_view, 5> kDevice = {"CUDA error: ", "CUDA driver error: ", "cuDNN error: ", "cuda runtime error",
                                                     "NVIDIA driver"};
constexpr std::array<std::string_view, 6> kLacking = {"Unknown builtin op",        "Unknown type name",     " not implemented for '",
                                                      "maximum supported version", "Could not run 'aten::", "not supported for quantized"};

Failure failure_of(std::string_view text, bool lacking, Stage stage, const std::string& subject) {
  const std::string message = (subject.empty() ? "" : subject + ": ") + std::string(without_place(telling_line(text)));
  if (holds_any(text, kOutOfMemory)) {
    return Failure(LAPSE_OUT_OF_MEMORY, message, stage == Stage::Submit ? "smaller inputs or a smaller --batch need less" : "");
  }
  if (holds_any(text, kDevice)) return Failure(LAPSE_DEVICE_UNUSABLE, message, "nvidia-smi and the system's log may tell more");
  if (lacking || holds_any(text, kLacking))
    return Failure(LAPSE_UNSUPPORTED, message, "another LibTorch may have it: this is " TORCH_VERSION);
  if (text.find("to be on the same device") != std::string_view::npos) {
    return Failure(LAPSE_UNSUPPORTED, message,
                   "the model names the CPU in its code: trace or script it on the device that it shall run on");
  }
  if (stage == Stage::Load && text.find("INTERNAL ASSERT FAILED") != std::string_view::npos) {
    return Failure(LAPSE_BAD_MODEL, subject + " is damaged: LibTorch can't read its code");
  }
  if (stage == Stage::Load) return Failure(LAPSE_BAD_MODEL, message);
  return Failure(LAPSE_BAD_INPUT, message, "TorchScript tells no shapes and types of inputs: check --shape and --fill");
}

}  // namespace

Failure translated(Stage stage, const std::string& subject) {
  try {
    throw;
  } catch (const Failure& failure) {
    return failure;
  } catch (const c10::NotImplementedError& error) {
    return failure_of(error.what_without_backtrace(), true, stage, subject);
  } catch (const c10::Error& error) {
    return failure_of(error.what_without_backtrace(), false, stage, subject);
  } catch (const std::bad_alloc&) {
    return failure_of("out of memory (bad_alloc)", false, stage, subject);
  } catch (const std::exception& error) {
    return failure_of(error.what(), false, stage, subject);
  } catch (...) {
    return Failure(LAPSE_INTERNAL, "LibTorch threw something of an unknown type");
  }
}

}  // namespace lapse::plugin::libtorch
