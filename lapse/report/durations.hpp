#pragma once
// Reads durations that somebody recorded, as they come: a piece at a time, of any size, and never the whole text at once.
//
// Three forms, told apart by their beginning and by whether a column was asked for:
//   one a line       "12.5ms", "12.5 ms", or "3.1e-3" in the unit asked for
//   a column of CSV  RFC 4180: commas, fields in double quotes may hold commas, line ends and doubled quotes. The first record is a header
//                    when a column was asked for by its name, or when its field of that column does not begin as a number does
//   JSON             what begins with '{' is to be a lapse.result/1. (Alone of the three it is held as text until it ends.)
// Blank lines and lines that begin with '#' are skipped, and a byte order mark at the beginning. All numbers have a unit, or none has: a
// file with both is refused, as one of the two would be misread.
//
// Memory: 8 bytes a value, at most 16 while the array grows. Safe on hostile bytes: a line, or a record, is at most 1 MiB.

#include <cstddef>
#include <lapse/base/error.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lapse::report {

struct DurationFormat {
  /// Of numbers without one; nanoseconds_of() knows it. Empty: as the column's name says (end_to_end_ns, "latency (ms)"), else seconds.
  std::string unit{};
  /// Name of a column of CSV, or its number from 1. Of a result: end_to_end_ns (as without), submit_ns, device_ns, h2d_ns, d2h_ns.
  std::string column{};
  std::size_t most = 100'000'000;  // values; more are refused, as an endless stream would fill the memory
};

struct Durations {
  std::vector<double> ns;  // in their order: finite, 0 or more, at least one
  std::string series;      // of CSV the column, by its name where it has one; of a result as above; empty: one duration a line
  std::string unit;        // in which numbers without one were read; empty: each had its own
};

class DurationReader {
 public:
  explicit DurationReader(DurationFormat format);

  /// The next bytes. Errors: BadInput, with the number of the line. After an error the reader is of no use any more.
  Result<void> add(std::string_view piece);
  /// All of them. Errors: BadInput. Call it once.
  Result<Durations> finish();

 private:
  Result<void> take_line(std::string_view line);
  Result<void> take_record(std::string_view record);
  Result<void> take_value(std::string_view text);
  Result<bool> is_header(std::string_view record);
  Result<Durations> from_result();
  tl::unexpected<Error> wrong(std::string message, std::string hint) const;

  DurationFormat format_;
  double nanoseconds_ = 1e9;                  // of a number without a unit
  std::optional<std::size_t> column_;         // from 0; nothing: one duration a line, or to be found in the header
  std::optional<std::size_t> process_, gap_;  // of a file that lapse wrote
  std::optional<std::string> first_process_;
  bool begun_ = false;  // something that is not blank has come
  bool json_ = false;
  bool any_record_ = false;
  std::optional<bool> with_unit_;  // have the numbers one? Nothing before the first
  std::size_t line_ = 0;           // the one that came last
  std::string rest_;               // the line that has not ended; of JSON everything
  std::string record_;             // the record that goes on behind a line end in quotes
  std::size_t record_line_ = 0;    // where it began; 0: there is none
  std::vector<double> values_;
};

}  // namespace lapse::report
