#include <fmt/format.h>

#include <array>
#include <lapse/report/disturbed.hpp>
#include <lapse/report/json_parts.hpp>
#include <lapse/report/messages.hpp>
#include <lapse/report/quantity.hpp>
#include <nlohmann/json.hpp>
#include <utility>

namespace lapse::report {
namespace {

using Json = nlohmann::ordered_json;
using measuring::Disturber;
using measuring::kDisturbers;
using measuring::Tag;

constexpr Phrase kDisturbed{"disturbed", "방해"};
constexpr Phrase kCount{"{n} of {runs} ({reasons}); they are in all figures above",
                        "{runs} 중 {n}회 ({reasons}), 위의 모든 값에 들어 있습니다"};
constexpr Phrase kWithout{"{quantile} {all} with them, {without} ({range}) without", "{quantile} 포함 {all}, 제외 {without} ({range})"};
constexpr Phrase kNeeds{"{quantile} {all} with them; without them it needs ≥ {n} runs",
                        "{quantile} 포함 {all}, 제외하면 {n}회 이상 실행해야 합니다"};
constexpr Phrase kNoneLeft{"no run was undisturbed", "방해받지 않은 실행이 없습니다"};

// In the order of kDisturbers.
constexpr std::array kNames{Phrase{"steal", "스틸"}, Phrase{"CPU quota", "CPU 할당량"}, Phrase{"preempted", "선점"},
                            Phrase{"device clock", "장치 클럭"}};
static_assert(kNames.size() == kDisturbers.size());

std::size_t tagged(const std::vector<Tag>& tags) {
  std::size_t count = 0;
  for (const Tag& tag : tags) count += tag.count;
  return count;
}

std::size_t tagged(const std::vector<Tag>& tags, Disturber disturber) {
  std::size_t count = 0;
  for (const Tag& tag : tags) count += tag.has(disturber) ? tag.count : 0;
  return count;
}

std::string counted_reasons(const std::vector<Tag>& tags, Language language) {
  std::string out;
  for (std::size_t i = 0; i < kDisturbers.size(); ++i) {
    const std::size_t count = tagged(tags, kDisturbers[i].first);
    if (count > 0) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", say(kNames[i], language), grouped(count));
  }
  return out;
}

}  // namespace

std::vector<double> undisturbed(const Series& samples) {
  std::vector<double> out;
  std::size_t from = 0;
  const auto take_until = [&](std::size_t end) {
    out.insert(out.end(), samples.end_to_end.begin() + static_cast<std::ptrdiff_t>(from),
               samples.end_to_end.begin() + static_cast<std::ptrdiff_t>(end));
  };
  for (const Tag& tag : samples.tags) {
    take_until(tag.first);
    from = tag.first + tag.count;
  }
  take_until(samples.end_to_end.size());
  return out;
}

std::vector<Row> disturbed_rows(const Report& report, Language language) {
  const std::vector<Tag>& tags = report.samples.tags;
  if (tags.empty()) return {};
  const std::size_t runs = report.samples.end_to_end.size();
  std::vector<Row> rows{
      {say(kDisturbed, language),
       say(kCount, language,
           {{"n", grouped(tagged(tags))}, {"runs", counted_runs(runs, language)}, {"reasons", counted_reasons(tags, language)}})}};
  const stats::Summary& all = report.summary.end_to_end;
  const stats::Summary& without = report.summary.undisturbed;
  if (without.count == 0) {
    rows.push_back({"", say(kNoneLeft, language)});
    return rows;
  }
  for (const auto& [name, estimate] :
       {std::pair{say(Text::Median, language), &stats::Summary::median}, std::pair{std::string("p99"), &stats::Summary::p99}}) {
    if (!(all.*estimate)) continue;
    Facts facts{{"quantile", name}, {"all", duration((all.*estimate)->value)}};
    const stats::QuantileEstimate& left = without.*estimate;
    if (left) {
      facts.merge(Facts{{"without", duration(left->value)}, {"range", duration_range(left->low, left->high)}});
    } else {
      facts["n"] = grouped(left.error().runs);
    }
    rows.push_back({"", say(left ? kWithout : kNeeds, language, facts)});
  }
  return rows;
}

std::string reason_codes(std::uint32_t reasons) {
  std::string out;
  for (const auto& [disturber, name] : kDisturbers) {
    if (Tag{0, 0, reasons}.has(disturber)) out += fmt::format("{}{}", out.empty() ? "" : "+", name);
  }
  return out;
}

Json disturbed_json(const Report& report) {
  const std::vector<Tag>& tags = report.samples.tags;
  Json reasons = Json::object();
  for (const auto& [disturber, name] : kDisturbers) reasons[std::string(name)] = tagged(tags, disturber);
  Json out{{"count", tagged(tags)}, {"reasons", std::move(reasons)}};
  if (!tags.empty()) out["without"] = summary_json(report.summary.undisturbed);
  return out;
}

Json tags_json(const std::vector<Tag>& tags) {
  Json out = Json::array();
  for (const Tag& tag : tags) {
    Json reasons = Json::array();
    for (const auto& [disturber, name] : kDisturbers) {
      if (tag.has(disturber)) reasons.push_back(name);
    }
    out.push_back({{"first", tag.first}, {"count", tag.count}, {"reasons", std::move(reasons)}});
  }
  return out;
}

std::vector<Tag> read_tags(const JsonNode& node, std::size_t runs) {
  std::vector<Tag> tags;
  std::size_t end = 0;  // of the last one
  for (std::size_t i = 0; i < node.size(); ++i) {
    Tag tag{node[i]["first"].unsigned_count(), node[i]["count"].unsigned_count(), 0};
    if (tag.first < end || tag.first > runs || tag.count == 0 || tag.count > runs - tag.first)
      node[i].expected("runs behind the last ones");
    for (const std::string& reason : node[i]["reasons"].texts()) {
      for (const auto& [disturber, name] : kDisturbers) {
        if (reason == name) tag.reasons |= static_cast<std::uint32_t>(disturber);
      }
    }
    end = tag.first + tag.count;
    tags.push_back(tag);
  }
  return tags;
}

}  // namespace lapse::report
