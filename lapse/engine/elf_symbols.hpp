#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lapse::engine {

struct ElfSymbol {
  std::string name;
  bool is_data = false;     // an object with a size; otherwise a function or something stranger
  std::uint64_t bytes = 0;  // of an object
};

/// What a shared library defines and exports, by its table of dynamic symbols. Empty for a file that has none that can be read: one for
/// another word size, or stripped of its section headers.
std::vector<ElfSymbol> exported_symbols(const std::string& path);

}  // namespace lapse::engine
