#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <lapse/image/faults.hpp>

namespace lapse::image {
namespace {

constexpr std::array kSentences{kUnreadable.sentence,
                                kEmpty.sentence,
                                kTooManyBytes.sentence,
                                kNoPhoto.sentence,
                                kNoDecoder.sentence,
                                kTooManyPixels.sentence,
                                kTooLong.sentence,
                                kTooLargeWhole.sentence,
                                kTruncated.sentence,
                                kDamaged.sentence,
                                kTooSlow.sentence,
                                kNoMemory.sentence,
                                kTooLargeToWrite.sentence,
                                kNotWritten.sentence,
                                kFirstFrame,
                                kProfileIgnored,
                                kSixteenBits,
                                kFlattened};

}  // namespace

std::span<const Sentence> sentences() { return kSentences; }

std::string_view in_korean(std::string_view english) {
  const auto found = std::ranges::find(kSentences, english, &Sentence::english);
  return found == kSentences.end() ? english : found->korean;
}

tl::unexpected<Error> refuse(const Fault& fault, std::string figures) {
  return fail(fault.code, std::string(fault.sentence.english), std::move(figures));
}

std::string megapixels(std::uint64_t found, std::uint64_t most) {
  constexpr double kMega = 1e6;
  return fmt::format("{:.4g} MP > {:.4g} MP", static_cast<double>(found) / kMega, static_cast<double>(most) / kMega);
}

}  // namespace lapse::image
