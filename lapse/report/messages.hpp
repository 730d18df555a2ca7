#pragma once
// Everything that a report says in words, in every language, and the one place where it is said.
//
// A text is a pattern in the style of {fmt} with facts by name: "{runs} of {needed} runs". A part in square brackets disappears when one of
// its facts is missing, or gives way to what stands behind a bar: "[after {runs} runs|too early]". A fact that is missing elsewhere
// prints as "?": a report is never lost for the want of a fact. Facts are printed as they are; they come formatted.
//
// The facts of the warnings, and how they are written:
//   share                "2.3 %"     reached, asked, percent
//   ratio, bare          "101"       factor
//   time                 "5.053 ms"  budget, first, second, submit, end_to_end, p99, median, resolution, left, device, work, fetch
//   clock, in MHz        "1965"      low, high, max
//   as --budget takes it "60s"       suggest (of precision_not_reached)
//   count                "812"       runs, needed, cold, suggest (of warmup_too_short), periods, threads, cpus, count, size, index
//   number               "1.5"       load, limit (CPUs), largest
//   name                 "x"         governor, dimension, output, inputs ("ids, mask"), reasons ("power cap"), instead ("pinned"),
//                                    close ("--cuda-graph")

#include <lapse/measure/warning.hpp>
#include <lapse/report/render.hpp>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace lapse::report {

using Facts = std::map<std::string, std::string>;

enum class Text {
  Interrupted,
  Failed,
  NoSteadyState,
  TimesWrong,
  Thread,
  Threads,
  Batch,
  Run,
  Runs,
  Set,
  Sets,
  Input,
  MoreInputs,
  Answer,
  AnswerCorrect,
  AnswerRandom,
  AnswerUnchecked,
  ColdStart,
  ColdStartValue,
  ColdStartFirst,
  Warmup,
  WarmupFlat,
  WarmupCold,
  WarmupSlowdown,
  WarmupNoSteadyState,
  WarmupTooShort,
  Latency,
  LatencyMedians,
  LatencyUnderLoad,
  Interval,
  Value,
  Median,
  Mean,
  Extremes,
  NeedsRuns,
  HistogramToP99,
  HistogramToMax,
  Submit,
  Device,
  EndToEnd,
  SubmitAlone,
  SubmitLooksRight,
  H2D,
  D2H,
  Timed,
  TimedTransfers,
  TimedForward,
  TimedAll,
  TimedGraph,
  TimedColdCache,
  Bound,
  BoundLaunch,
  BoundDevice,
  Audit,
  AuditClean,
  AuditNotExamined,
  AuditFound,
  AuditNotMade,
  Throughput,
  Inferences,
  Items,
  InFlight,
  Memory,
  MemoryPeak,
  MemoryWholeProcess,
  MemoryDevice,
  Stopped,
  StoppedPrecision,
  StoppedBudget,
  StoppedMaxRuns,
  StoppedInterrupted,
  StoppedFailed,
  Machine,
  Cpus,
  CpusLimited,
  Governor,
  Virtual,
  Note,
  OfThisProcess,
  Doctor,
  DoctorErrors,
  DoctorKnown,
  DoctorMarks,
  DoctorQueued,
  DoctorSynchronised,
  DoctorCall,
  DoctorEmpty,
  DoctorNoWitness,
  DoctorGood,
  DoctorBad,
  SweepTitle,
  SweepPoint,
  SweepPoints,
  SweepInterrupted,
  SweepBatch,
  SweepThreads,
  SweepInFlight,
  SweepEngine,
  SweepItems,
  SweepOutOfMemory,
  SweepFailed,
  SweepFront,
  SweepFrontValue,
  SweepKnee,
  SweepKneeValue,
  SweepNoKnee,
  SweepWithin,
  SweepNoneWithin,
  SweepUndecided,
  SweepFewRuns,
  SweepNoPercentile,
  SweepTimesWrong,
  SweepWarnings,
  SweepAllPoints,
  SweepShow,
  SweepFolder,
  SweepFolderValue,
  SweepVersions,
  End,  // how many there are
};

/// The text in that language, with its facts.
std::string say(Text text, Language language, const Facts& facts = {});

/// A text that only one command has: it stands where that command's report is made.
struct Phrase {
  std::string_view english, korean;
};
std::string say(const Phrase& phrase, Language language, const Facts& facts = {});

/// What the audit's row says of one of its rules. All but `wrong` are never empty.
struct RuleWords {
  std::string clean;  // "right stream"
  std::string found;  // "work on another stream"
  std::string topic;  // "stream": what was not examined
  std::string wrong;  // why no time can be trusted when it is found; empty where the times only need a remark
};
/// By the code of the rule. One that this version does not know says its code.
RuleWords rule_words(std::string_view rule, Language language);
/// Why a rule was not examined, by its code, likewise.
std::string reason_words(std::string_view reason, Language language);

struct Message {
  std::string message;  // one line
  std::string hint;     // the next flag to try
};

/// What a warning says. A code that this version does not know says what was saved with it: the facts "message" and "hint".
Message say(const measuring::Warning& warning, Language language);
bool known(const measuring::Warning& warning);

/// Puts the facts into a pattern, by the rules above.
std::string expand(std::string_view pattern, const Facts& facts);

/// The table of the warnings, for those who check it.
struct WarningText {
  std::string_view code;
  std::string_view message, hint;  // English
  std::string_view korean_message, korean_hint;
};
std::span<const WarningText> warning_texts();

}  // namespace lapse::report
