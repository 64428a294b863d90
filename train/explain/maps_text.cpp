// Attention maps for a terminal, and what their distances say.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/explain/attention_maps.h"
#include "train/explain/text_picture.h"

namespace weft::explain {
namespace {

constexpr std::int64_t kMostColumns = 12;
constexpr std::size_t kMostTokensListed = 12;

struct MinMax {
  double least, most;
};

MinMax min_max_of(const std::vector<double>& heads) {
  const auto [least, most] = std::minmax_element(heads.begin(), heads.end());
  return {*least, *most};
}

std::string min_max_text(const std::vector<double>& heads) {
  const MinMax span = min_max_of(heads);
  return heads.size() == 1 ? fmt::format("{:.1f}", span.least)
                           : fmt::format("{:.1f} to {:.1f}", span.least, span.most);
}

int heads_below(const HeadDistances& distances, double limit) {
  int count = 0;
  for (const auto& layer : distances.mean)
    count += static_cast<int>(
        std::count_if(layer.begin(), layer.end(), [limit](double d) { return d < limit; }));
  return count;
}

std::string first_and_last(const AttentionMaps& maps, const char* how) {
  const HeadDistances& d = maps.distances;
  const char* const heads = maps.n_head() == 1 ? "the head looks" : "the heads look";
  std::string text = fmt::format("In layer 1 {} {} {} {} on average", heads,
                                 min_max_text(d.mean.front()), d.unit, how);
  if (d.mean.size() > 1)
    text += fmt::format(", in layer {} {}", d.mean.size(), min_max_text(d.mean.back()));
  return text + fmt::format("; uniform attention would be {:.1f}.", d.uniform);
}

/// Layers x heads, as numbers and as a picture; least and most of each layer where the heads are
/// many.
std::vector<Block> distance_blocks(const AttentionMaps& maps) {
  const HeadDistances& d = maps.distances;
  const bool all = maps.n_head() <= kMostColumns;
  NamedMatrix matrix{.title = fmt::format("mean attention distance in {}", d.unit),
                     .rows = {},
                     .columns = {},
                     .values = {}};
  std::vector<double> values;
  for (std::size_t l = 0; l < d.mean.size(); ++l) {
    matrix.rows.push_back(fmt::format("layer {}", l + 1));
    const MinMax ends = min_max_of(d.mean[l]);
    for (const double value : all ? d.mean[l] : std::vector<double>{ends.least, ends.most})
      values.push_back(std::round(value * 100) / 100);
  }
  if (all) {
    for (std::int64_t h = 1; h <= maps.n_head(); ++h)
      matrix.columns.push_back(fmt::format("head {}", h));
  } else {
    matrix.columns = {"least", "most"};
  }
  matrix.values = Tensor::from(values, {static_cast<std::int64_t>(matrix.rows.size()),
                                        static_cast<std::int64_t>(matrix.columns.size())});
  std::vector<Block> blocks{number_block(matrix)};
  if (all) {
    Block picture =
        heat_block({.title = "", .rows = {}, .columns = {}, .values = matrix.values}, kMostColumns);
    picture.insert(picture.begin(), 2, "");
    blocks.push_back(std::move(picture));
  }
  return blocks;
}

std::string text_beginning(const AttentionMaps& maps) {
  std::string text = fmt::format("{}\n{}\n", maps.title, maps.model);
  for (const std::string& note : maps.notes) text += wrapped(note);
  return text + fmt::format("\nMean over {}; uniform attention: {:.1f} {}\n\n",
                            maps.distances.samples, maps.distances.uniform, maps.distances.unit);
}

}  // namespace

std::string reading(const TextMaps& maps) {
  const int heads =
      static_cast<int>(maps.distances.mean.size() * maps.distances.mean.front().size());
  return fmt::format("{} {} of {} heads stay below half of that.", first_and_last(maps, "back"),
                     heads_below(maps.distances, maps.distances.uniform / 2), heads);
}

std::string reading(const ImageMaps& maps) {
  std::string text = first_and_last(maps, "away");
  if (maps.cnn.empty()) return text;
  const FieldLayer& last = maps.cnn.back();
  const double reach = field_distance(last.field);
  text += fmt::format(
      " An output of the CNN's {} sees {} x {} pixels, {:.1f} pixels from its center on average.",
      last.name, last.field, last.field, reach);
  const auto& first = maps.distances.mean.front();
  const MinMax span = min_max_of(first);
  const auto near =
      std::count_if(first.begin(), first.end(), [reach](double d) { return d < reach; });
  if (span.least >= reach)
    return text +
           " Every head of the first layer looks further than that: no sign of short sight here.";
  if (span.most < reach)
    return text +
           " Every head of the first layer stays below that: its first layer is short-sighted "
           "here.";
  return text + fmt::format(
                    " {} of the first layer's {} heads stay below that, the others look further: "
                    "both kinds are there.",
                    near, first.size());
}

std::string to_text(const TextMaps& maps) {
  std::string text =
      text_beginning(maps) + beside(distance_blocks(maps)) + "nearest in the embedding (cosine)\n";
  for (std::size_t i = 0; i < maps.neighbors.size() && i < kMostTokensListed; ++i) {
    text += padded(maps.neighbors[i].token, 8);
    for (const auto& [token, cosine] : maps.neighbors[i].nearest)
      text += padded(fmt::format("{} {:.2f}", token, cosine), 12);
    text.erase(text.find_last_not_of(' ') + 1);
    text += "\n";
  }
  if (maps.neighbors.size() > kMostTokensListed)
    text += fmt::format("and {} more: see --out or --json\n",
                        maps.neighbors.size() - kMostTokensListed);
  return text + "\n" + wrapped(reading(maps));
}

std::string to_text(const ImageMaps& maps) {
  std::vector<Block> blocks = distance_blocks(maps);
  Block field{"the CNN beside it: its receptive field"};
  for (const FieldLayer& layer : maps.cnn)
    field.push_back(fmt::format("{:<14} {:>2} x {:<2} pixels, {:.1f} from the center", layer.name,
                                layer.field, layer.field, field_distance(layer.field)));
  blocks.push_back(std::move(field));
  return text_beginning(maps) + beside(blocks, 110) + wrapped(reading(maps));
}

}  // namespace weft::explain
