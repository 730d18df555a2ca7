# Writes OUTPUT, the files FILES as C++: NAMESPACE::page_files(), as HEADER declares it; run at build time with -P (lapse_page).
cmake_minimum_required(VERSION 3.25)

set(entries)
foreach(path IN LISTS FILES)
  cmake_path(GET path FILENAME name)
  file(READ ${path} hex HEX)
  string(LENGTH "${hex}" size)
  math(EXPR size "${size} / 2")
  file(SHA256 ${path} digest)
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${hex}")
  string(APPEND entries "    {\"/${name}\", \"\\\"${digest}\\\"\", {\"${bytes}\", ${size}}},\n")
endforeach()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT "// Generated from the files of a page.
#include <array>
#include <@HEADER@>

namespace @NAMESPACE@ {

std::span<const PageFile> page_files() noexcept {
  static constexpr auto kFiles = std::to_array<PageFile>({
@entries@  });
  return kFiles;
}

}  // namespace @NAMESPACE@
")
