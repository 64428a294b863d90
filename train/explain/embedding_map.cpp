#include "train/explain/embedding_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "data/text/word_tokenizer.h"
#include "train/config/config_fields.h"
#include "train/explain/embedded.h"
#include "train/explain/text_picture.h"
#include "train/metrics/neighbors.h"
#include "train/page/html.h"

namespace weft::explain {
namespace {

constexpr int kPowerIterations = 300;
constexpr std::int64_t kDefaultTokens = 12;
constexpr double kMapWidth = 900, kMapHeight = 640, kMapEdge = 30;

/// Words have no id of their own in front of these.
std::int64_t first_ordinary(const data::Tokenizer& tokenizer) {
  return tokenizer.name() == "word" ? data::kSpecialIds : 0;
}

std::string shown_token(const data::Tokenizer& tokenizer, std::int64_t id) {
  const std::string text = tokenizer.decode(id);
  return tokenizer.name() == "char" ? visible(text) : text;
}

std::int64_t id_of_token(const train::WordVectors& run, const std::string& token) {
  const data::Tokenizer& tokenizer = run.tokenizer();
  std::vector<std::int64_t> ids;
  try {
    ids = tokenizer.encode(token, "explain");
  } catch (const ConfigError&) {  // a character outside the vocabulary
  }
  const bool unknown = ids.size() == 1 && tokenizer.name() == "word" && ids[0] == data::kUnknownId;
  if (ids.size() == 1 && !unknown) return ids[0];
  std::vector<std::string> known;
  for (std::int64_t id = first_ordinary(tokenizer); id < tokenizer.vocab_size(); ++id)
    known.push_back(tokenizer.decode(id));
  const std::string near = train::nearest(token, known);
  fail<ConfigError>("explain", "{} has no vector for \"{}\"{}", run.learned_from(), token,
                    ids.size() > 1 ? ": it is several tokens"
                    : near.empty() ? ": it is not among its tokens"
                                   : "; did you mean " + near + "?");
}

}  // namespace

Tensor principal_axes(const Tensor& table, std::int64_t axes, std::vector<double>* shares) {
  if (table.rank() != 2 || table.size(0) < 2 || table.size(1) < axes)
    fail<ShapeError>("principal_axes", "expects a table of at least 2 rows and {} columns, got {}",
                     axes, table.shape().str());
  const auto rows = static_cast<std::size_t>(table.size(0)),
             width = static_cast<std::size_t>(table.size(1));
  const std::vector<double> x = table.to_vector<double>();
  std::vector<double> mean(width, 0), covariance(width * width, 0);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < width; ++c) mean[c] += x[r * width + c] / static_cast<double>(rows);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t a = 0; a < width; ++a)
      for (std::size_t b = 0; b < width; ++b)
        covariance[a * width + b] += (x[r * width + a] - mean[a]) * (x[r * width + b] - mean[b]);
  double trace = 0;
  for (std::size_t c = 0; c < width; ++c) trace += covariance[c * width + c];

  const Tensor result = Tensor::zeros({axes, table.size(1)}, DType::f64);
  for (std::int64_t axis = 0; axis < axes; ++axis) {
    std::vector<double> v(width), next(width);
    for (std::size_t c = 0; c < width; ++c)
      v[c] = 1 +
             0.1 * static_cast<double>((c + static_cast<std::size_t>(axis)) % 7);  // of no symmetry
    double length = 0;
    for (int i = 0; i < kPowerIterations; ++i) {
      for (std::size_t a = 0; a < width; ++a) {
        next[a] = 0;
        for (std::size_t b = 0; b < width; ++b) next[a] += covariance[a * width + b] * v[b];
      }
      length = 0;
      for (const double value : next) length += value * value;
      length = std::sqrt(length);
      if (length == 0) break;  // no variance is left: any direction will do
      for (std::size_t c = 0; c < width; ++c) v[c] = next[c] / length;
    }
    double norm = 0;
    for (const double value : v) norm += value * value;
    const auto largest = std::max_element(
        v.begin(), v.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
    const double scale = (*largest < 0 ? -1 : 1) / std::sqrt(norm);
    for (double& value : v) value *= scale;
    std::copy(v.begin(), v.end(), result.data<double>() + static_cast<std::size_t>(axis) * width);
    if (shares != nullptr) shares->push_back(trace > 0 ? length / trace : 0);
    for (std::size_t a = 0; a < width; ++a)  // what this axis explains is taken off
      for (std::size_t b = 0; b < width; ++b) covariance[a * width + b] -= length * v[a] * v[b];
  }
  return result;
}

EmbeddingMap explain_embedding(const train::WordVectors& run, const EmbeddingOptions& options) {
  const data::Tokenizer& tokenizer = run.tokenizer();
  const std::int64_t first = first_ordinary(tokenizer), last = tokenizer.vocab_size();
  std::vector<std::int64_t> asked;
  for (const std::string& token : options.tokens) asked.push_back(id_of_token(run, token));
  for (std::int64_t id = first;
       options.tokens.empty() && id < std::min(last, first + kDefaultTokens); ++id)
    asked.push_back(id);

  EmbeddingMap map;
  const Tensor all = run.vectors();
  const std::int64_t dimensions = all.size(1);
  if (last - first < 2 || dimensions < 2)
    fail<ConfigError>("explain", "a map expects at least two tokens and two dimensions: {} and {}",
                      last - first, dimensions);
  map.title = fmt::format("Embeddings of {}: {} tokens, width {}", run.learned_from(), last - first,
                          dimensions);
  // The special tokens have never been trained: only what follows them is compared.
  const Tensor table = raw::slice(all, 0, first, last);
  const Neighbors neighbors(table);
  std::set<std::int64_t> marked(asked.begin(), asked.end());
  for (const std::int64_t id : asked) {
    EmbeddingNeighbors list{shown_token(tokenizer, id), {}};
    for (const Neighbor& n : neighbors.of(id - first, options.count)) {
      list.nearest.emplace_back(shown_token(tokenizer, n.id + first), n.cosine);
      if (!options.tokens.empty()) marked.insert(n.id + first);
    }
    map.neighbors.push_back(std::move(list));
  }

  std::set<std::int64_t> drawn(marked);
  for (std::int64_t id = first; id < std::min(last, first + options.shown); ++id) drawn.insert(id);
  std::vector<double> shares;
  const Tensor axes = principal_axes(table, 2, &shares);
  for (int axis = 0; axis < 2; ++axis) map.explained[axis] = shares[static_cast<std::size_t>(axis)];
  const std::vector<double> values = table.to_vector<double>();
  const auto width = static_cast<std::size_t>(table.size(1));
  for (const std::int64_t id : drawn) {
    PlacedToken placed{.token = shown_token(tokenizer, id), .asked = marked.contains(id)};
    for (std::size_t c = 0; c < width; ++c) {
      const double value = values[static_cast<std::size_t>(id - first) * width + c];
      placed.x += value * axes.data<double>()[c];
      placed.y += value * axes.data<double>()[width + c];
    }
    map.placed.push_back(std::move(placed));
  }
  return map;
}

std::string to_text(const EmbeddingMap& map) {
  std::string text = map.title + "\n\n";
  int widest = 0;
  for (const EmbeddingNeighbors& list : map.neighbors)
    widest = std::max(widest, display_width(list.token));
  for (const EmbeddingNeighbors& list : map.neighbors) {
    text += padded(list.token, widest) + " ";
    for (const auto& [token, cosine] : list.nearest)
      text += fmt::format("  {} {:.2f}", token, cosine);
    text += "\n";
  }
  return text;
}

std::string to_json(const EmbeddingMap& map) {
  nlohmann::ordered_json json{{"title", map.title}};
  for (const EmbeddingNeighbors& list : map.neighbors) {
    nlohmann::ordered_json nearest = nlohmann::ordered_json::array();
    for (const auto& [token, cosine] : list.nearest)
      nearest.push_back({{"token", token}, {"cosine", cosine}});
    json["neighbors"].push_back({{"token", list.token}, {"nearest", nearest}});
  }
  json["explained"] = {map.explained[0], map.explained[1]};
  for (const PlacedToken& placed : map.placed)
    json["placed"].push_back(
        {{"token", placed.token}, {"x", placed.x}, {"y", placed.y}, {"asked", placed.asked}});
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string to_html(const EmbeddingMap& map) {
  double low[2] = {1e300, 1e300}, high[2] = {-1e300, -1e300};
  for (const PlacedToken& placed : map.placed) {
    const double at[2] = {placed.x, placed.y};
    for (int axis = 0; axis < 2; ++axis)
      low[axis] = std::min(low[axis], at[axis]), high[axis] = std::max(high[axis], at[axis]);
  }
  const auto place = [&](double value, int axis, double size) {
    const double range = std::max(high[axis] - low[axis], 1e-12);
    return kMapEdge + (value - low[axis]) / range * (size - 3 * kMapEdge);
  };
  std::string html = report::page_begin(map.title, kEmbeddingStyle);
  html += fmt::format(
      "<p>The two directions in which the vectors differ most: {:.1f} % of their variance across, "
      "{:.1f} % upwards.</p>\n",
      100 * map.explained[0], 100 * map.explained[1]);
  html += fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", kMapWidth,
                      kMapHeight, report::escape_html(map.title));
  for (const bool asked : {false, true}) {  // those that were asked for on top
    for (const PlacedToken& placed : map.placed) {
      if (placed.asked != asked) continue;
      const double x = place(placed.x, 0, kMapWidth),
                   y = kMapHeight - place(placed.y, 1, kMapHeight);
      const char* const kind = asked ? " class=\"asked\"" : "";
      html += fmt::format(
          "<circle{} cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"/><text{} x=\"{:.1f}\" "
          "y=\"{:.1f}\">{}</text>\n",
          kind, x, y, kind, x + 4, y + 4, report::escape_html(placed.token));
    }
  }
  html += "</svg>\n<h2>Nearest by cosine</h2>\n<table>\n";
  for (const EmbeddingNeighbors& list : map.neighbors) {
    html += "<tr><th>" + report::escape_html(list.token) + "</th><td>";
    for (const auto& [token, cosine] : list.nearest)
      html += fmt::format("{} {:.2f} &ensp;", report::escape_html(token), cosine);
    html += "</td></tr>\n";
  }
  return html + "</table>\n" + report::page_end();
}

}  // namespace weft::explain
