// The worked example for a terminal.
#include <fmt/format.h>

#include "train/explain/example_names.h"
#include "train/explain/text_picture.h"
#include "train/explain/worked_example.h"

namespace weft::explain {
namespace {

constexpr std::int64_t kWidestJacobian = 9;  // numbers in a row of a table that a terminal can show
constexpr std::int64_t kWidestPicture =
    8;  // blocks of two columns each, for four pictures in a row
constexpr std::int64_t kWidestMatrix = 12;

std::string steps_text(const Example& example, Mixing mixing) {
  std::string text;
  for (const std::vector<NamedMatrix>& row : step_matrices(example, mixing)) {
    std::vector<Block> blocks;
    for (const NamedMatrix& matrix : row) blocks.push_back(number_block(matrix));
    text += beside(blocks);
  }
  return text;
}

/// One row of pictures a mixing: one head, several, each with an FFN.
std::string arm_pictures(const Example& example) {
  const std::int64_t tokens = example.tokens.x.size(0), dim = example.tokens.x.size(1);
  const bool whole = tokens * dim <= kWidestPicture;
  if (!whole && dim > kWidestMatrix) return "";
  std::string text =
      wrapped(fmt::format("Sizes of dz/dx{}: a row for each output{}, a column for each input{}. · "
                          "is zero, ░▒▓█ are quarters of a picture's largest entry.",
                          whole ? "" : ", the largest over all pairs of tokens",
                          whole ? " (token by token, in each its dimensions)" : " dimension",
                          whole ? "" : " dimension"));
  text += "\n";
  for (std::size_t begin = 0; begin < example.arms.size();) {
    std::vector<Block> row;
    const Mixing mixing = example.arms[begin].mixing;
    for (; begin < example.arms.size() && example.arms[begin].mixing == mixing; ++begin) {
      const Arm& arm = example.arms[begin];
      NamedMatrix matrix = whole ? jacobian_matrix(example, arm)
                                 : NamedMatrix{.title = "",
                                               .rows = {},
                                               .columns = {},
                                               .values = by_dimension(arm.jacobian),
                                               .zero_below = zero_below(arm.jacobian)};
      matrix.title = arm.name();
      Block block = heat_block(matrix, dim);
      for (std::string& line : block) line = padded(line, 19);
      row.push_back(std::move(block));
    }
    text += beside(row);
  }
  return text;
}

std::string share_text(const CrossCount& count) {
  return fmt::format("{} of {}", count.nonzero, count.of);
}

std::string arms_table(const Example& example) {
  std::string text =
      "Entries dz_i/dx_j with i ≠ j that are not zero, and the same with the attention weights "
      "held constant\n\n";
  text += fmt::format("{:<26}{:>15}{:>17}{:>17}{:>12}{:>12}\n", "", "same token", "other tokens",
                      "weights const.", "largest", "largest");
  text += fmt::format("{:<26}{:>15}{:>17}{:>17}{:>12}{:>12}\n", "W_Q W_K W_V", "", "",
                      "same and other", "i ≠ j", "i = j");
  for (const Arm& arm : example.arms)
    text += fmt::format("{:<26}{:>15}{:>17}{:>17}{:>12.4f}{:>12.4f}\n", arm.name(),
                        share_text(arm.whole.within), share_text(arm.whole.between),
                        share_text(arm.frozen.cross()), arm.whole.largest_cross,
                        arm.whole.largest_same);
  text += "\n";
  for (const Products& products : example.products)
    text += fmt::format("products of different dimensions in QKᵀ, {:<9} {}\n",
                        fmt::format("{}:", to_name(products.mixing)), share_text(products.cross));
  return text + "\n";
}

}  // namespace

std::string to_text(const Example& example, Mixing mixing) {
  std::string text = fmt::format("{}\n\n", example_title(example));
  const std::int64_t tokens = example.tokens.x.size(0), dim = example.tokens.x.size(1);
  if (tokens <= kWidestMatrix && dim <= kWidestMatrix)
    text += fmt::format("Step by step, W_Q, W_K and W_V {}, {} head{}\n\n{}", to_name(mixing),
                        example.heads, example.heads == 1 ? "" : "s", steps_text(example, mixing));
  else
    text += "The steps have too many numbers for a terminal: see --json.\n\n";
  const Arm* arm = example.find(mixing, example.heads, false);
  if (tokens * dim <= kWidestJacobian) {
    NamedMatrix matrix = jacobian_matrix(example, *arm);
    matrix.title =
        fmt::format("dz/dx ({}): a row for each output, a column for each input", arm->name());
    text += beside({number_block(matrix)});
  }
  return text + arm_pictures(example) + arms_table(example) + wrapped(conclusion(example));
}

}  // namespace weft::explain
