// Style and scripts of the attention pages.
#pragma once

namespace weft::explain {

extern const char* const kMapsStyle;
extern const char* const kMapsScript;  ///< weights and the grid of layers and heads; wants `data`
                                       ///< and one of the two below
extern const char* const kTextMapsScript;
extern const char* const kImageMapsScript;

}  // namespace weft::explain
