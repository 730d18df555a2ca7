#pragma once
// How a model is served: a small JSON file beside it. Read strictly, because a misspelt setting that is silently ignored is a long evening.
// The keys are those of ModelSettings (docs/serving.md).

#include <lapse/serve/dispatch/dispatcher.hpp>

#include <string_view>

namespace lapse::serve {

/// Error: BadInput, with the key.
Result<ModelSettings> parse_settings(std::string_view json);

}  // namespace lapse::serve
