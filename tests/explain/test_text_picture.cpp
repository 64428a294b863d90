#include <doctest/doctest.h>

#include "train/explain/text_picture.h"

using namespace weft;
using namespace weft::explain;

TEST_CASE("width on a terminal, and characters that cannot be seen") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("你好") == 4);
  CHECK(display_width("e\xCC\x81") == 1);  // a combining accent
  CHECK(display_width("\xE4") == 1);       // half a character
  CHECK(padded("你", 4) + "|" == "你  |");
  CHECK(padded("你", 4, true) + "|" == "  你|");
  CHECK(visible(" ") == "␣");
  CHECK(visible("\n") == "⏎");
  CHECK(visible("\x1b") == "U+001B");
  CHECK(visible("\xE2\x80\xAE") == "U+202E");  // would turn the line around
  CHECK(visible("\xE4") == "\\xe4");
  CHECK(visible("水") == "水");
}

TEST_CASE("numbers with as many decimals as they need, aligned beside Chinese names") {
  const NamedMatrix matrix{.title = "m",
                           .rows = {"你", "b"},
                           .columns = {"1", "2"},
                           .values = Tensor::from<double>({0.5, -2, 1, 0}, {2, 2})};
  const Block block = number_block(matrix);
  CHECK(block == Block{"m            ", "      1     2", "你  0.5  -2.0", "b   1.0     0"});
  CHECK(NumberFormat({.title = "",
                      .rows = {},
                      .columns = {},
                      .values = Tensor::from<double>({1, 2}, {1, 2})})(2) == "2");
  const NumberFormat format({.title = "",
                             .rows = {},
                             .columns = {},
                             .values = Tensor::from<double>({0.12345, 1e-7}, {1, 2}),
                             .zero_below = 1e-9});
  CHECK(format(0.12345) == "0.123");
  CHECK(format(1e-7) == "1e-07");
  CHECK(format(1e-10) == "0");
}

TEST_CASE("a picture in blocks, side by side, wrapped") {
  const NamedMatrix matrix{.title = "p",
                           .rows = {},
                           .columns = {},
                           .values = Tensor::from<double>({1, 0, -0.3, 0.6}, {2, 2})};
  CHECK(heat_block(matrix, 2) == Block{"p   ", "██ ·", "▒▒▓▓"});
  CHECK(heat_block(matrix, 1) == Block{"p    ", "██  ·", "     ", "▒▒ ▓▓"});
  CHECK(beside({{"ab", "c"}, {"d"}}, 20) == "ab   d\nc\n\n");
  CHECK(beside({{"ab"}, {"d"}}, 4) == "ab\n\nd\n\n");
  CHECK(wrapped("one two three", 7) == "one two\nthree\n");
}
