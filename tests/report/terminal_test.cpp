#include <gtest/gtest.h>

#include <lapse/report/terminal.hpp>

namespace lapse::report {
namespace {

TEST(Terminal, AnAsciiCharacterIsOneColumnWide) { EXPECT_EQ(display_width("latency"), 7U); }

TEST(Terminal, AHangulSyllableIsTwoColumnsWide) { EXPECT_EQ(display_width("지연 시간"), 9U); }

TEST(Terminal, DecomposedHangulIsAsWideAsComposed) { EXPECT_EQ(display_width("\u1112\u1161\u11ab"), display_width("한")); }

TEST(Terminal, TheSymbolsOfAReportAreNarrow) { EXPECT_EQ(display_width("± … ≥ → × µ · ▁█"), 16U); }

TEST(Terminal, ACombiningAccentTakesNoColumn) { EXPECT_EQ(display_width("e\u0301"), 1U); }

TEST(Terminal, AMalformedByteIsOneReplacementCharacter) {
  EXPECT_EQ(display_width("a\xff\xc3"), 3U);
  EXPECT_EQ(printable("a\xff\xc3"), "a\uFFFD\uFFFD");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD") << "a surrogate";
  EXPECT_EQ(printable("\xc0\xaf"), "\uFFFD\uFFFD") << "an overlong form";
  EXPECT_EQ(printable("\xe0\x80\xaf"), "\uFFFD\uFFFD\uFFFD") << "a longer one";
}

TEST(Terminal, PaddingCountsColumnsNotBytes) {
  EXPECT_EQ(padded("예열", 6), "예열  ");
  EXPECT_EQ(padded("warm-up", 3), "warm-up");
}

TEST(Terminal, WhatWouldSteerATerminalIsNotPrintable) {
  EXPECT_EQ(printable("\x1b[2Jx\r\n\t\x7f"), "?[2Jx????");
  EXPECT_EQ(printable("\u202egpj\u009b1m"), "?gpj?1m");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
  EXPECT_EQ(printable("모델.onnx ✓"), "모델.onnx ✓");
}

TEST(Terminal, AsciiSpellsSymbolsOut) { EXPECT_EQ(to_ascii("± 1 % ≥ 5 µs · 값"), "+- 1 % >= 5 us - ?"); }

TEST(Terminal, LinesBreakAtSpacesAndKeepTheirIndent) { EXPECT_EQ(wrapped("  one two three", 9, 4), "  one two\n    three\n"); }

TEST(Terminal, AlignedColumnsStayAligned) { EXPECT_EQ(wrapped("  a    b", 80, 4), "  a    b\n"); }

TEST(Terminal, AWordWiderThanTheLineStaysWhole) { EXPECT_EQ(wrapped("a /very/long/path b", 6, 2), "a\n  /very/long/path\n  b\n"); }

TEST(Terminal, NothingIsALineOfItsOwn) { EXPECT_EQ(wrapped("", 80, 2), "\n"); }

TEST(Terminal, SpacesAtTheEndAreDropped) { EXPECT_EQ(wrapped("a   ", 80, 2), "a\n"); }

}  // namespace
}  // namespace lapse::report
