#include <lapse/measure/plan.hpp>

namespace lapse::measuring {

std::string_view name(Stop stop) noexcept {
  switch (stop) {
    case Stop::Precision:
      return "precision";
    case Stop::Budget:
      return "budget";
    case Stop::MaxRuns:
      return "max-runs";
    case Stop::Failed:
      return "failed";
    case Stop::Interrupted:
      break;
  }
  return "interrupted";
}

std::string_view name(Scenario scenario) noexcept { return scenario == Scenario::Offline ? "offline" : "single-stream"; }

}  // namespace lapse::measuring
