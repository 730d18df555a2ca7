#pragma once
// Finds the table of a subject (lapse/engine/subject.h) in a shared library of the user's own.

#include <lapse/engine/subject.h>

#include <optional>
#include <string>
#include <string_view>

namespace lapse::engine {

/// What a user writes: "FILE.so:SYMBOL:ARGUMENTS", the last two of them if at all.
struct SubjectName {
  std::string file, symbol, arguments;

  /// "FILE.so:SYMBOL", as it stands before a message.
  std::string label() const { return file + ":" + symbol; }
};

/// Nothing for a text without a FILE.so or FILE.so.N… at its beginning. The arguments may hold colons, and so may the file.
std::optional<SubjectName> parse_subject_name(std::string_view text);

/// Loads the library, for the rest of the program, and returns the subject's table, which is of our version and whole. Throws
/// plugin::Failure: BAD_MODEL for what is no such library or has no such subject, ENGINE_UNUSABLE for what can't be loaded here or was
/// built for another version of lapse/engine/subject.h.
const lapse_subject& open_subject(const SubjectName& name);

}  // namespace lapse::engine
