#include <gtest/gtest.h>

#include <lapse/image/faults.hpp>
#include <lapse/image/format.hpp>
#include <set>
#include <string>

namespace lapse::image {
namespace {

using namespace std::string_literals;

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

/// The first box of an ISO media file: a major brand, a version and other brands.
std::string ftyp(const std::string& brands) {
  const std::string box = "ftyp" + brands.substr(0, 4) + "\0\0\0\0"s + brands.substr(4);
  return "\0\0\0"s + static_cast<char>(box.size() + 4) + box;
}

TEST(Sniff, TellsEveryFormatByItsContent) {
  EXPECT_EQ(sniff(bytes("\xFF\xD8\xFF\xE1 Exif")), Format::Jpeg);
  EXPECT_EQ(sniff(bytes("\x89PNG\r\n\x1A\n\0\0\0\rIHDR"s)), Format::Png);
  EXPECT_EQ(sniff(bytes("RIFF\x24\0\0\0WEBPVP8 "s)), Format::Webp);
  EXPECT_EQ(sniff(bytes(ftyp("heic"
                             "mif1heic"))),
            Format::Heic);
  EXPECT_EQ(sniff(bytes(ftyp("mif1"
                             "mif1heicmiaf"))),
            Format::Heic);
  EXPECT_EQ(sniff(bytes(ftyp("avif"
                             "mif1miaf"))),
            Format::Avif);
  EXPECT_EQ(sniff(bytes(ftyp("mif1"
                             "avifmiaf"))),
            Format::Avif);
}

TEST(Sniff, TakesNothingElse) {
  for (const std::string& other : {""s, "\xFF"s, "\xFF\xD8"s, "GIF89a"s, "RIFF\x24\0\0\0WAVEfmt "s, "RIFF"s, "II*\0"s, "%PDF-1.7"s,
                                   ftyp("isom"
                                        "iso2mp41"),
                                   "\0\0\0\x08"
                                   "ftyp"s,
                                   "<svg xmlns"s, "text that heic is written in"s}) {
    EXPECT_EQ(sniff(bytes(other)), std::nullopt) << other;
  }
}

TEST(Sniff, DoesNotReadBrandsBehindTheEndOfTheirBox) {
  EXPECT_EQ(sniff(bytes(ftyp("isom"
                             "mp41") +
                        "heicheic")),
            std::nullopt);
}

TEST(OtherKind, NamesWhatPeopleMistakeForPhotos) {
  EXPECT_EQ(other_kind(bytes("GIF89a")), "GIF");
  EXPECT_EQ(other_kind(bytes("%PDF-1.7")), "PDF");
  EXPECT_EQ(other_kind(bytes("\xEF\xBB\xBF<svg xmlns='http://www.w3.org/2000/svg'/>")), "SVG");
  EXPECT_EQ(other_kind(bytes("MM\0*"s)), "TIFF");
  EXPECT_EQ(other_kind(bytes(ftyp("isom"
                                  "iso2mp41"))),
            "video");
  EXPECT_EQ(other_kind(bytes("dear diary")), "");
}

TEST(FormatOfSuffix, TakesEitherCaseAndTheCommonVariants) {
  EXPECT_EQ(format_of_suffix(".JPG"), Format::Jpeg);
  EXPECT_EQ(format_of_suffix(".jpeg"), Format::Jpeg);
  EXPECT_EQ(format_of_suffix(".heif"), Format::Heic);
  EXPECT_EQ(format_of_suffix(".gif"), std::nullopt);
  EXPECT_EQ(format_of_suffix(""), std::nullopt);
  for (const Format format : {Format::Jpeg, Format::Png, Format::Webp, Format::Heic, Format::Avif}) {
    EXPECT_EQ(format_of_suffix(suffix(format)), format);
  }
}

TEST(Sentences, AreEachOneLineOfItsOwnInBothLanguages) {
  std::set<std::string_view> english, korean;
  for (const Sentence& sentence : sentences()) {
    EXPECT_TRUE(english.insert(sentence.english).second) << sentence.english;
    EXPECT_TRUE(korean.insert(sentence.korean).second) << sentence.korean;
    EXPECT_EQ(sentence.english.find_first_of("\n{}"), sentence.english.npos);
    EXPECT_FALSE(sentence.english.ends_with('.')) << sentence.english;
    EXPECT_EQ(in_korean(sentence.english), sentence.korean);
  }
  EXPECT_EQ(in_korean("something else"), "something else");
}

}  // namespace
}  // namespace lapse::image
