#pragma once
// What would make the number wrong. A warning is a value: a code and the facts that its text needs (lapse/report/messages.cpp has the
// texts, in Korean and English), so that a saved result can be shown again in either language.

#include <map>
#include <string>
#include <vector>

namespace lapse::measuring {

struct Warning {
  std::string code;                          // "precision_not_reached"
  std::map<std::string, std::string> facts;  // by the names that the text uses, already formatted
};

using Warnings = std::vector<Warning>;

}  // namespace lapse::measuring
