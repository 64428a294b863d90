#include "train/explain/history_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "autograd/autograd.h"
#include "core/error.h"
#include "core/math.h"
#include "train/explain/embedded.h"
#include "train/page/html.h"

namespace weft::explain {
namespace {

constexpr std::int64_t kAveraged = 2000;  // test examples
constexpr double kBarPixels = 260;

std::string topic_text(std::int64_t topic) {
  return topic < 0 ? "" : fmt::format(", topic {}", topic);
}

HistoryExample example_of(const train::ClickHistory& run, const std::int64_t* ids,
                          const float* weights) {
  HistoryExample example{.user = ids[0],
                         .item = ids[1],
                         .category = ids[2],
                         .topic = run.topic_of(ids[1]),
                         .places = {}};
  for (std::int64_t l = 0; l < run.history() && ids[3 + l] != 0; ++l)
    example.places.push_back({ids[3 + l], ids[3 + run.history() + l],
                              static_cast<double>(weights[l]), run.topic_of(ids[3 + l])});
  return example;
}

}  // namespace

HistoryWeights explain_history(const train::ClickHistory& run,
                               const std::vector<std::int64_t>& numbers) {
  const NoGrad no_grad;
  const data::ClickData data = run.clicks();
  const auto look = [&](const std::vector<std::int64_t>& wanted) {
    const auto [inputs, targets] = data.batch(data::Split::test, wanted);
    const auto [weights, logits] = run.look(inputs);
    std::vector<HistoryExample> examples;
    for (std::int64_t r = 0; r < inputs.size(0); ++r) {
      HistoryExample example = example_of(run, inputs.data<std::int64_t>() + r * inputs.size(1),
                                          weights.data<float>() + r * run.history());
      example.number = wanted[static_cast<std::size_t>(r)];
      example.probability = 1 / (1 + math::exp(-static_cast<double>(logits.data<float>()[r])));
      example.clicked = targets.data<float>()[r] > 0.5F;
      examples.push_back(std::move(example));
    }
    return examples;
  };
  std::vector<std::int64_t> shown = numbers;
  for (std::int64_t i = 0;
       numbers.empty() && i < std::min<std::int64_t>(3, data.size(data::Split::test)); ++i)
    shown.push_back(i);
  HistoryWeights result{.title = fmt::format("What {} looks at in a history: {}", run.model_name(),
                                             run.learned_from()),
                        .examples = look(shown),
                        .same_topic = std::numeric_limits<double>::quiet_NaN(),
                        .other_topic = std::numeric_limits<double>::quiet_NaN()};
  if (run.topic_of(1) < 0) return result;  // no topics are known
  std::vector<std::int64_t> some;
  for (std::int64_t i = 0; i < std::min(kAveraged, data.size(data::Split::test)); ++i)
    some.push_back(i);
  double sums[2] = {0, 0}, counts[2] = {0, 0};
  for (const HistoryExample& example : look(some))
    for (const HistoryPlace& place : example.places)
      sums[place.topic == example.topic] += place.weight, ++counts[place.topic == example.topic];
  if (counts[0] == 0 || counts[1] == 0) return result;  // a world of one topic
  result.other_topic = sums[0] / counts[0];
  result.same_topic = sums[1] / counts[1];
  return result;
}

std::string to_text(const HistoryWeights& weights) {
  std::string text = weights.title + "\n";
  if (std::isfinite(weights.same_topic))
    text += fmt::format(
        "mean weight over the test split: {:.3f} for clicks on the candidate's hidden topic, "
        "{:.3f} for others\n",
        weights.same_topic, weights.other_topic);
  for (const HistoryExample& e : weights.examples) {
    text += fmt::format(
        "\nexample {}: user {}, item {} of category {}{}: a click with {:.1f} %, and it was {}\n",
        e.number, e.user, e.item, e.category, topic_text(e.topic), 100 * e.probability,
        e.clicked ? "one" : "none");
    for (const HistoryPlace& p : e.places)
      text += fmt::format("  {:>8.3f}  item {} of category {}{}{}\n", p.weight, p.item, p.category,
                          topic_text(p.topic),
                          p.topic >= 0 && p.topic == e.topic ? "  <- the same" : "");
  }
  return text;
}

std::string to_json(const HistoryWeights& weights) {
  nlohmann::ordered_json json{{"title", weights.title}};
  if (std::isfinite(weights.same_topic))
    json["mean_weight"] = {{"same_topic", weights.same_topic},
                           {"other_topic", weights.other_topic}};
  for (const HistoryExample& e : weights.examples) {
    nlohmann::ordered_json places = nlohmann::ordered_json::array();
    for (const HistoryPlace& p : e.places)
      places.push_back(
          {{"item", p.item}, {"category", p.category}, {"weight", p.weight}, {"topic", p.topic}});
    json["examples"].push_back({{"number", e.number},
                                {"user", e.user},
                                {"item", e.item},
                                {"category", e.category},
                                {"topic", e.topic},
                                {"probability", e.probability},
                                {"clicked", e.clicked},
                                {"history", places}});
  }
  return json.dump(2);
}

std::string to_html(const HistoryWeights& weights) {
  std::string html = report::page_begin(weights.title, kHistoryStyle);
  html +=
      "<p>Each bar is what the local activation unit multiplies a click with before the history is "
      "summed; the latest click stands first, orange is below zero.</p>\n";
  if (std::isfinite(weights.same_topic))
    html += fmt::format(
        "<p>Mean over the test split: {:.3f} for clicks on the candidate's hidden topic (bold "
        "below), {:.3f} for others.</p>\n",
        weights.same_topic, weights.other_topic);
  for (const HistoryExample& e : weights.examples) {
    html += fmt::format(
        "<h2>Example {}: user {}, item {} of category {}{}</h2>\n<p>A click with {:.1f} %, and it "
        "was {}.</p>\n<table>\n",
        e.number, e.user, e.item, e.category, topic_text(e.topic), 100 * e.probability,
        e.clicked ? "one" : "none");
    double most = 1e-12;
    for (const HistoryPlace& p : e.places) most = std::max(most, std::abs(p.weight));
    for (const HistoryPlace& p : e.places)
      html += fmt::format(
          "<tr{}><td>item {} of category {}{}</td><td>{:.3f}</td><td><span class=\"bar{}\" "
          "style=\"width:{:.0f}px\"></span></td></tr>\n",
          p.topic >= 0 && p.topic == e.topic ? " class=\"same\"" : "", p.item, p.category,
          topic_text(p.topic), p.weight, p.weight < 0 ? " below" : "",
          std::abs(p.weight) / most * kBarPixels);
    html += "</table>\n";
  }
  return html + report::page_end();
}

}  // namespace weft::explain
