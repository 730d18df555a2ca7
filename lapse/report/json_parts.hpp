#pragma once
// What the documents of docs/json.md have in common: how a number, a quantile or a machine is written, and how a document is laid out.
// Of lapse/report alone.

#include <lapse/host/fingerprint.hpp>
#include <lapse/stats/summary.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace lapse::report {

/// Whole where the number is, null where it is none.
nlohmann::ordered_json number_json(double value);
/// {"value", "low", "high", "effective"}, or {"needs"}.
nlohmann::ordered_json quantile_json(const stats::QuantileEstimate& estimate);
nlohmann::ordered_json summary_json(const stats::Summary& summary);
/// The keys of "environment" that tell the machine.
nlohmann::ordered_json fingerprint_json(const host::Fingerprint& host);

/// As a file holds it: indented by two spaces, arrays of numbers on one line, a newline at the end. Bytes that are not UTF-8 become U+FFFD.
std::string document_text(const nlohmann::ordered_json& document);
/// Now, in UTC, ISO 8601.
std::string created_now();

}  // namespace lapse::report
