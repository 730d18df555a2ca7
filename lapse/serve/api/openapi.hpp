#pragma once
// docs/openapi.json, as it was when the program was built.

#include <string_view>

namespace lapse::serve::api {

std::string_view openapi_document() noexcept;

}  // namespace lapse::serve::api
