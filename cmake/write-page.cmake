# Writes OUTPUT, the files of FOLDER (FILES: their names) as C++ (lapse/serve/api/page.hpp); run at build time with -P.
cmake_minimum_required(VERSION 3.25)

set(entries)
foreach(name IN LISTS FILES)
  file(READ ${FOLDER}/${name} hex HEX)
  string(LENGTH "${hex}" size)
  math(EXPR size "${size} / 2")
  file(SHA256 ${FOLDER}/${name} digest)
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${hex}")
  string(APPEND entries "    {\"/${name}\", \"\\\"${digest}\\\"\", {\"${bytes}\", ${size}}},\n")
endforeach()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT "// Generated from web/.
#include <array>
#include <lapse/serve/api/page.hpp>

namespace lapse::serve::api {

std::span<const PageFile> page_files() noexcept {
  static constexpr auto kFiles = std::to_array<PageFile>({
@entries@  });
  return kFiles;
}

}  // namespace lapse::serve::api
")
