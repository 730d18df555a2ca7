// Everything at once: what the umbrella target names can be linked, from the lowest floor to the highest.
#include <cstdio>
#include <lapse/base/version.hpp>
#include <lapse/engine/catalogue.hpp>
#include <lapse/host/fingerprint.hpp>

int main() {
  std::printf("lapse %s\n", lapse::host::fingerprint().lapse_version.c_str());
  const auto engine = lapse::engine::find_engine("null");
  return engine && lapse::version() == lapse::host::fingerprint().lapse_version ? 0 : 1;
}
