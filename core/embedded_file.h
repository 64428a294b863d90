// A text file that the build has put into the program (core/cmake/embed.cmake). Not for users.
#pragma once

namespace weft {

struct EmbeddedFile {
  const char* name;  ///< without folder and extension
  const char* text;
};

}  // namespace weft
