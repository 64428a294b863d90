// The suites that come with the program: train/suites/*.toml, embedded by the build.
#pragma once

#include <span>

#include "core/embedded_file.h"

namespace weft::compare {

/// By name.
std::span<const EmbeddedFile> shipped_suites();

}  // namespace weft::compare
