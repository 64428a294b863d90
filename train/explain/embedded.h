// The scripts and styles of this folder, as the build has put them into the program
// (core/cmake/embed.cmake). Each script wants a `data` before it.
#pragma once

namespace weft::explain {

extern const char* const kHeatStyle;
extern const char* const kHeatScript;  ///< defines heat(share), the color of a value from -1 to 1
extern const char* const kExampleScript;  ///< the worked example; wants heat.js before it
extern const char* const kMapsStyle;
extern const char* const kMapsScript;  ///< weights and the grid of layers and heads; wants one of
                                       ///< the two below after it
extern const char* const kTextMapsScript;
extern const char* const kImageMapsScript;
extern const char* const kEmbeddingStyle;
extern const char* const kHistoryStyle;

}  // namespace weft::explain
