// Attention maps as one HTML file.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/explain/attention_maps.h"
#include "train/explain/distance_plot.h"
#include "train/explain/embedded.h"
#include "train/explain/heat_html.h"
#include "train/page/html.h"

namespace weft::explain {
namespace {

constexpr std::int64_t kMostHeadsTabled = 16;

std::string base64(const std::vector<std::uint8_t>& bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve(bytes.size() * 4 / 3 + 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const std::uint32_t word =
        bytes[i] << 16 | (left > 1 ? bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
    text += kDigits[word >> 18];
    text += kDigits[word >> 12 & 63];
    text += left > 1 ? kDigits[word >> 6 & 63] : '=';
    text += left > 2 ? kDigits[word & 63] : '=';
  }
  return text;
}

/// Each weight as a whole number of 65,535ths, low byte first.
std::string packed_weights(const std::vector<Tensor>& layers) {
  std::vector<std::uint8_t> bytes;
  for (const Tensor& layer : layers)
    for (const double weight : layer.to_vector<double>()) {
      const auto whole = static_cast<std::uint32_t>(
          std::isfinite(weight) ? std::lround(std::clamp(weight, 0.0, 1.0) * 65535) : 0);
      bytes.push_back(static_cast<std::uint8_t>(whole & 255));
      bytes.push_back(static_cast<std::uint8_t>(whole >> 8));
    }
  return base64(bytes);
}

/// A JavaScript string; what could end it or its script element is escaped.
std::string js_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '<' || static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    else
      out += c;
  }
  return out + "\"";
}

std::string data_script(const AttentionMaps& maps, const std::string& more) {
  const Tensor& first = maps.layers.front();
  std::string tokens;
  for (const std::string& token : maps.tokens)
    tokens += (tokens.empty() ? "" : ",") + js_string(token);
  return fmt::format(
      "const data = {{ layers: {}, heads: {}, queries: {}, size: {}, causal: {}, tokens: [{}], "
      "weights: \"{}\"{} }};\n",
      maps.layers.size(), first.size(0), first.size(1), first.size(2), maps.causal, tokens,
      packed_weights(maps.layers), more);
}

std::string page_beginning(const AttentionMaps& maps, const std::string& said) {
  std::string html = report::page_begin(maps.title, std::string(kHeatStyle) + kMapsStyle);
  html += fmt::format("<p>{}</p>\n", report::escape_html(maps.model));
  for (const std::string& note : maps.notes)
    html += fmt::format("<p>{}</p>\n", report::escape_html(note));
  return html + fmt::format("<p class=\"conclusion\">{}</p>\n", report::escape_html(said));
}

std::string distances_html(const AttentionMaps& maps,
                           const std::vector<std::pair<std::string, double>>& marks) {
  const HeadDistances& d = maps.distances;
  std::string html = fmt::format(
      "<h2>Mean attention distance</h2>\n<p>How far a head looks: the distance in {} between a "
      "token and those it attends to, weighted by the "
      "attention, mean over {}. A dot is a head.</p>\n",
      d.unit, report::escape_html(d.samples));
  html += "<div class=\"plotframe\">" + distance_plot(d, marks) + "</div>\n";
  if (maps.n_head() > kMostHeadsTabled) return html;
  NamedMatrix matrix{.title = "", .rows = {}, .columns = {}, .values = {}};
  std::vector<double> values;
  for (std::size_t l = 0; l < d.mean.size(); ++l) {
    matrix.rows.push_back(fmt::format("layer {}", l + 1));
    for (const double value : d.mean[l]) values.push_back(std::round(value * 100) / 100);
  }
  for (std::int64_t h = 1; h <= maps.n_head(); ++h)
    matrix.columns.push_back(fmt::format("head {}", h));
  matrix.values = Tensor::from(values, {static_cast<std::int64_t>(d.mean.size()), maps.n_head()});
  return html + "<div class=\"wide\">" + matrix_table(matrix) + "</div>\n";
}

std::string neighbors_html(const std::vector<TokenNeighbors>& neighbors) {
  std::string html =
      "<h2>Nearest neighbors in the embedding</h2>\n<p>Cosine of each token's row of the "
      "embedding with its nearest rows.</p>\n<div "
      "class=\"wide\"><table class=\"plain near\"><tbody>\n";
  for (const TokenNeighbors& one : neighbors) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", report::escape_html(one.token));
    for (const auto& [token, cosine] : one.nearest)
      html += fmt::format("<td>{} <small>{:.2f}</small></td>", report::escape_html(token), cosine);
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string to_html(const TextMaps& maps) {
  std::string html = page_beginning(maps, reading(maps));
  html +=
      "<h2>Attention</h2>\n<p>Point at a token, or choose one with a click or the arrow keys: the "
      "deeper another token is shaded, the more the "
      "chosen head attends to it from there. "
      "In the pictures below a row is a token that looks, a column one that is looked at (shaded "
      "by the root of the weight, so that small ones "
      "show); choose one to change the head.</p>\n"
      "<div id=\"tokens\" role=\"listbox\" aria-label=\"tokens\"></div>\n<p id=\"words\" "
      "aria-live=\"polite\"></p>\n<div class=\"wide\"><div "
      "id=\"maps\"></div></div>\n";
  html += distances_html(maps, {{"all tokens alike", maps.distances.uniform}}) +
          neighbors_html(maps.neighbors);
  html += "<script>\n" + data_script(maps, "") + kMapsScript + kTextMapsScript + "</script>\n";
  return html + report::page_end();
}

std::string to_html(const ImageMaps& maps) {
  std::string html = page_beginning(maps, reading(maps));
  html +=
      "<h2>Attention</h2>\n<p>Point at a patch, or choose one with a click or the arrow keys: the "
      "deeper another patch is shaded, the more the "
      "chosen head attends to it from there. "
      "Each small picture is a head, shaded by its own largest weight; choose one to see it "
      "large.</p>\n"
      "<div class=\"beside\"><canvas id=\"large\" tabindex=\"0\" role=\"img\" aria-label=\"the "
      "picture with the chosen head's attention\"></canvas>"
      "<div><div id=\"choices\"></div><p id=\"words\" aria-live=\"polite\"></p></div></div>\n<div "
      "class=\"wide\"><div id=\"maps\"></div></div>\n";
  std::vector<std::pair<std::string, double>> marks{{"all patches alike", maps.distances.uniform}};
  for (const FieldLayer& layer : maps.cnn)
    marks.emplace_back(fmt::format("CNN {}, {} x {}", layer.name, layer.field, layer.field),
                       field_distance(layer.field));
  html += distances_html(maps, marks);
  html +=
      "<p>The dashed lines: a head that looked at all patches alike, and, beside it, outputs of "
      "weft's CNN that look at all of their receptive field "
      "alike "
      "(by formula: it grows by (kernel - 1) times the stride so far). As in Dosovitskiy et al. "
      "2020, figure 7.</p>\n";
  const Tensor image = raw::contiguous(maps.image);
  const std::string more = fmt::format(
      ", patch: {}, classToken: {}, channels: {}, height: {}, width: {}, pixels: \"{}\"",
      maps.patch, maps.class_token, image.size(0), image.size(1), image.size(2),
      base64(image.to_vector<std::uint8_t>()));
  html += "<script>\n" + data_script(maps, more) + kMapsScript + kImageMapsScript + "</script>\n";
  return html + report::page_end();
}

}  // namespace weft::explain
