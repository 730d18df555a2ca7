#include <fmt/format.h>

#include <algorithm>
#include <lapse/report/messages.hpp>
#include <lapse/report/quantity.hpp>
#include <lapse/report/terminal.hpp>
#include <lapse/report/truth.hpp>
#include <nlohmann/json.hpp>
#include <vector>

namespace lapse::report {
namespace {

using measuring::Discrepancy;
using measuring::Truth;
using measuring::TruthRow;

constexpr std::size_t kColumns = 80;
constexpr std::size_t kKnownColumn = 11;
constexpr std::size_t kMarksColumn = 17;
constexpr std::size_t kHostColumn = 13;

double nanoseconds(Duration time) { return static_cast<double>(time.count()); }

std::string signed_duration(Duration time) {
  if (time.count() == 0) return "0";
  return fmt::format("{}{}", time.count() < 0 ? '-' : '+', duration(nanoseconds(std::chrono::abs(time))));
}

std::string cell(const Discrepancy& discrepancy, Duration truth) {
  const double share = nanoseconds(std::chrono::abs(discrepancy.median)) / nanoseconds(truth);
  return discrepancy.median.count() == 0 ? "0" : fmt::format("{} {}", signed_duration(discrepancy.median), percent(share));
}

bool all_within_goal(const Truth& truth) {
  return std::ranges::all_of(truth.rows, [](const TruthRow& row) { return measuring::within_goal(row.queued.median, row.truth); });
}

std::string row_text(const TruthRow& row, bool witness) {
  std::string line = padded("  " + duration(nanoseconds(row.truth)), kKnownColumn);
  for (const Discrepancy* method : {&row.marks, &row.queued}) line += padded(cell(*method, row.truth), kMarksColumn);
  for (const Discrepancy* method : {&row.synchronised, &row.call}) line += padded(signed_duration(method->median), kHostColumn);
  if (witness) line += row.witness ? signed_duration(row.witness->median) : "?";
  return line;
}

nlohmann::ordered_json discrepancy_json(const Discrepancy& discrepancy) {
  return {{"median_ns", discrepancy.median.count()}, {"worst_ns", discrepancy.worst.count()}};
}

}  // namespace

std::string to_text(const Truth& truth, std::string_view device, const device::DeviceInfo& info, Language language, bool unicode) {
  if (!unicode) language = Language::English;  // there is no Korean in ASCII
  std::string out;
  const auto line = [&](const std::string& text, std::size_t indent = 2) {
    const std::string safe = printable(text);
    out += wrapped(unicode ? safe : to_ascii(safe), kColumns, indent);
  };
  std::string title = fmt::format("{} · {}", say(Text::Doctor, language), device);
  for (const std::string& part :
       {info.name, info.driver.empty() ? "" : "driver " + info.driver, info.runtime.empty() ? "" : "CUDA " + info.runtime}) {
    if (!part.empty()) title += " · " + part;
  }
  line(title);
  line("  " + say(Text::DoctorErrors, language));
  out += '\n';
  const bool witness = !truth.witness.empty() && truth.witness_error.empty();
  std::string heading = padded("  " + say(Text::DoctorKnown, language), kKnownColumn);
  for (const Text method : {Text::DoctorMarks, Text::DoctorQueued}) heading += padded(say(method, language), kMarksColumn);
  for (const Text method : {Text::DoctorSynchronised, Text::DoctorCall}) heading += padded(say(method, language), kHostColumn);
  line(witness ? heading + truth.witness : heading);
  for (const TruthRow& row : truth.rows) line(row_text(row, witness));
  out += '\n';
  line("  " + say(Text::DoctorEmpty, language,
                  {{"pair", duration(nanoseconds(truth.empty_pair))}, {"work", duration(nanoseconds(truth.empty_work))}}));
  if (truth.witness.empty()) line("  " + say(Text::DoctorNoWitness, language));
  if (!truth.witness_error.empty()) line(fmt::format("  {}: {}", truth.witness, truth.witness_error));
  line("  " + say(all_within_goal(truth) ? Text::DoctorGood : Text::DoctorBad, language));
  return out;
}

nlohmann::ordered_json to_json(const Truth& truth, std::string_view device, const device::DeviceInfo& info) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const TruthRow& row : truth.rows) {
    auto& out = rows.emplace_back(nlohmann::ordered_json{{"asked_ns", row.asked.count()},
                                                         {"truth_ns", row.truth.count()},
                                                         {"runs", row.runs},
                                                         {"events", discrepancy_json(row.marks)},
                                                         {"events_behind_backlog", discrepancy_json(row.queued)},
                                                         {"synchronised", discrepancy_json(row.synchronised)},
                                                         {"call", discrepancy_json(row.call)}});
    out["witness"] = row.witness ? discrepancy_json(*row.witness) : nlohmann::ordered_json(nullptr);
    out["within_goal"] = measuring::within_goal(row.queued.median, row.truth);
  }
  return {{"schema", "lapse.truth/1"},
          {"device",
           {{"id", device}, {"name", info.name}, {"driver", info.driver}, {"runtime", info.runtime}, {"memory_bytes", info.memory_bytes}}},
          {"empty_pair_ns", truth.empty_pair.count()},
          {"empty_work_ns", truth.empty_work.count()},
          {"witness", truth.witness},
          {"witness_error", truth.witness_error},
          {"rows", std::move(rows)}};
}

std::string to_json_text(const Truth& truth, std::string_view device, const device::DeviceInfo& info) {
  return to_json(truth, device, info).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace lapse::report
