#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <lapse/base/time.hpp>
#include <lapse/report/csv_record.hpp>
#include <lapse/report/durations.hpp>
#include <lapse/report/quantity.hpp>
#include <lapse/report/render.hpp>
#include <lapse/report/terminal.hpp>
#include <limits>
#include <utility>

namespace lapse::report {
namespace {

constexpr std::size_t kLongestLine = 1 << 20;
constexpr std::size_t kQuotedBytes = 40;  // of a field in an error
constexpr std::size_t kColumnsNamed = 12;
constexpr const char* kNoDuration = "write a number and its unit, such as 12.5ms; --unit names the unit of bare numbers";

/// A field as an error shows it: short, safe to print, on one line.
std::string quoted(std::string_view field) {
  if (field.size() <= kQuotedBytes) return '\'' + printable(field) + '\'';
  std::size_t end = kQuotedBytes;
  while (end > 0 && (static_cast<unsigned char>(field[end]) & 0xC0U) == 0x80U) --end;  // not within a character
  return '\'' + printable(field.substr(0, end)) + "…'";
}

struct Number {
  double value = 0.0;
  std::string_view unit;  // what follows, without blanks between
};

/// Nothing where `text` does not begin as a number does. What a double can't hold is infinite.
std::optional<Number> read_number(std::string_view text) {
  Number number;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number.value);
  if (status == std::errc::invalid_argument) return std::nullopt;
  if (status != std::errc{}) number.value = std::numeric_limits<double>::infinity();
  number.unit = trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
  // "inf" and "nan" are numbers, "inference_ms" and "nanoseconds" are names.
  if (!std::isfinite(number.value) && !number.unit.empty() && !nanoseconds_of(number.unit)) return std::nullopt;
  return number;
}

/// By the end of a column's name: end_to_end_ns, LATENCY_MS, "latency (ms)". Empty where it tells none.
std::string unit_in_name(std::string_view written) {
  std::string name(written);
  for (char& letter : name) letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  if (name.ends_with(')') || name.ends_with(']')) name.pop_back();
  for (const std::string_view unit : {"ns", "us", "\u00B5s", "\u03BCs", "ms", "s"}) {
    if (!name.ends_with(unit)) continue;
    const std::size_t before = name.size() - unit.size();
    if (before > 0 && std::string_view("_ ([").find(name[before - 1]) != std::string_view::npos) return std::string(unit);
  }
  return {};
}

/// From 0, of a number from 1.
std::optional<std::size_t> column_number(std::string_view text) {
  std::size_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number - 1;
}

std::string names_of(std::string_view header) {
  std::vector<std::string> names;
  CsvFields fields(header);
  while (names.size() < kColumnsNamed && fields.next()) names.push_back(quoted(fields.field()));
  return fmt::format("{}{}", fmt::join(names, ", "), fields.next() ? ", …" : "");
}

struct NamedSeries {
  std::string_view name;
  std::vector<double> Series::*series;
};
constexpr std::array kSeries{NamedSeries{"end_to_end_ns", &Series::end_to_end}, NamedSeries{"submit_ns", &Series::submit},
                             NamedSeries{"device_ns", &Series::device}, NamedSeries{"h2d_ns", &Series::h2d},
                             NamedSeries{"d2h_ns", &Series::d2h}};

}  // namespace

DurationReader::DurationReader(DurationFormat format) : format_(std::move(format)), column_(column_number(format_.column)) {
  assert(format_.unit.empty() || nanoseconds_of(format_.unit));
  if (!format_.unit.empty()) nanoseconds_ = *nanoseconds_of(format_.unit);
}

Result<void> DurationReader::add(std::string_view piece) {
  if (!begun_) {
    const std::size_t begin = std::min(piece.find_first_not_of(" \t\r\n\xEF\xBB\xBF"), piece.size());
    line_ += static_cast<std::size_t>(std::ranges::count(piece.substr(0, begin), '\n'));
    piece.remove_prefix(begin);
    if (piece.empty()) return {};
    begun_ = true;
    json_ = piece.front() == '{';
  }
  if (json_) {
    rest_ += piece;
    return {};
  }
  while (true) {
    const std::size_t end = piece.find('\n');
    const std::string_view line = piece.substr(0, end);
    if (rest_.size() + line.size() > kLongestLine) {
      ++line_;
      return wrong("longer than 1 MiB", "give a text with one duration a line");
    }
    if (end == piece.npos) {
      rest_ += line;
      return {};
    }
    if (rest_.empty()) {
      LAPSE_CHECK(take_line(line));
    } else {
      rest_ += line;
      LAPSE_CHECK(take_line(rest_));
      rest_.clear();
    }
    piece.remove_prefix(end + 1);
  }
}

Result<Durations> DurationReader::finish() {
  if (json_) return from_result();
  if (!rest_.empty()) LAPSE_CHECK(take_line(rest_));
  if (record_line_ > 0) {
    line_ = record_line_;
    return wrong("a quote is not closed", "close it, or double it where it belongs to the field");
  }
  if (values_.empty()) {
    return fail(ErrorCode::BadInput, "there is no duration in it", "give one duration a line, a CSV with --column, or a result of lapse");
  }
  const bool bare = with_unit_ == false;
  return Durations{std::move(values_), std::move(format_.column), !bare ? "" : format_.unit.empty() ? "s" : std::move(format_.unit)};
}

Result<void> DurationReader::take_line(std::string_view line) {
  ++line_;
  const std::string_view content = trimmed(line);
  if (record_line_ == 0 && (content.empty() || content.front() == '#')) return {};
  if (format_.column.empty()) return take_value(content);

  const bool odd_quotes = std::ranges::count(line, '"') % 2 == 1;
  if (record_line_ == 0 && !odd_quotes) return take_record(line);
  if (record_.size() + line.size() > kLongestLine) return wrong("a quote is not closed within 1 MiB", "close it");
  const bool goes_on = (record_line_ == 0) == odd_quotes;
  record_ += line;
  if (goes_on) {
    record_ += '\n';
    if (record_line_ == 0) record_line_ = line_;
    return {};
  }
  record_line_ = 0;
  LAPSE_CHECK(take_record(record_));
  record_.clear();
  return {};
}

Result<void> DurationReader::take_record(std::string_view record) {
  if (!std::exchange(any_record_, true)) {
    LAPSE_TRY(const bool header, is_header(record));
    if (header) return {};
  }
  CsvFields fields(record);
  std::optional<std::string> value;
  for (std::size_t i = 0; fields.next(); ++i) {
    const std::string_view field = fields.field();
    if (i == gap_ && !field.empty()) return {};
    if (i == process_ && !first_process_) first_process_ = field;
    if (i == process_ && first_process_ != field) {
      return wrong("the runs of several processes are not one series", "give the rows of one of them, or the JSON file to `lapse show`");
    }
    if (i == column_) value = field;
  }
  if (!value) return wrong(fmt::format("there is no column {}", *column_ + 1), "a line of the file is shorter, or isn't CSV");
  return take_value(*value);
}

Result<bool> DurationReader::is_header(std::string_view record) {
  // Of a file that lapse wrote: runs of several processes, and those after pauses, are series of their own.
  CsvFields own(record);
  for (std::size_t i = 0; own.next(); ++i) {
    if (i == 0 && own.field() != "run") break;
    if (own.field() == "process") process_ = i;
    if (own.field() == "gap_ns") gap_ = i;
  }
  CsvFields fields(record);
  for (std::size_t i = 0; fields.next(); ++i) {
    const std::string_view name = fields.field();
    if (column_ ? i != *column_ : name != format_.column) continue;
    const bool header = !column_ || (!name.empty() && !read_number(name));
    column_ = i;
    if (!header) return false;
    format_.column = name;
    if (!format_.unit.empty()) return true;
    format_.unit = unit_in_name(name);
    nanoseconds_ = nanoseconds_of(format_.unit).value_or(nanoseconds_);
    return true;
  }
  if (column_) return false;  // too short: as any record may be
  return wrong(fmt::format("there is no column {}", quoted(format_.column)), "there are: " + names_of(record));
}

Result<void> DurationReader::take_value(std::string_view text) {
  if (text.empty()) return wrong("the field is empty", "leave the line out where there is no duration");
  const auto number = read_number(text);
  const auto unit = number && !number->unit.empty() ? nanoseconds_of(number->unit) : std::nullopt;
  if (!number || (!number->unit.empty() && !unit)) {
    const bool csv = format_.column.empty() && text.find(',') != text.npos;
    return wrong(quoted(text) + " is not a duration", csv ? "of a CSV choose a column: --column NAME, or its number" : kNoDuration);
  }
  if (std::isnan(number->value)) return wrong(quoted(text) + " is not a number", "leave out what was not measured");
  if (std::signbit(number->value)) return wrong(quoted(text) + " is negative", "a duration is 0 or more");
  const double ns = number->value * unit.value_or(nanoseconds_);
  if (!(ns <= kLongestDuration)) return wrong(quoted(text) + " is out of range", "a duration is finite, and at most 285 years");
  // Zero is zero in any unit.
  if (ns > 0 && with_unit_.value_or(unit.has_value()) != unit.has_value()) {
    return wrong(fmt::format("{} has {} unit, and what stands before has {}", quoted(text), unit ? "a" : "no", unit ? "none" : "one"),
                 "write the unit to every number, or to none and say --unit");
  }
  if (ns > 0) with_unit_ = unit.has_value();
  if (values_.size() == format_.most) {
    return wrong(fmt::format("more than {} durations", grouped(format_.most)), "give a part of them, as `head -n` cuts it off");
  }
  values_.push_back(ns);
  return {};
}

Result<Durations> DurationReader::from_result() {
  if (!format_.unit.empty()) return fail(ErrorCode::BadInput, "a result of lapse has its unit: nanoseconds", "leave --unit out");
  const auto named = format_.column.empty() ? kSeries.begin() : std::ranges::find(kSeries, format_.column, &NamedSeries::name);
  if (named == kSeries.end()) {
    return fail(ErrorCode::BadInput, fmt::format("a result of lapse has no series {}", quoted(format_.column)),
                "there are: end_to_end_ns, submit_ns, device_ns, h2d_ns, d2h_ns");
  }
  LAPSE_TRY(Report report, from_json(rest_));
  if (report.processes.size() > 1) {
    return fail(ErrorCode::BadInput, fmt::format("the runs of {} processes are not one series", report.processes.size()),
                "`lapse show` prints what they say together");
  }
  Durations durations{std::move(report.samples.*named->series), std::string(named->name), {}};
  if (durations.ns.empty())
    return fail(ErrorCode::BadInput, fmt::format("there are no times in it: {}", named->name), "measure again, for longer");
  return durations;
}

tl::unexpected<Error> DurationReader::wrong(std::string message, std::string hint) const {
  return fail(ErrorCode::BadInput, fmt::format("line {}: {}", line_, message), std::move(hint));
}

}  // namespace lapse::report
