#include "train/bench/against.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/io/open_files.h"
#include "core/io/process.h"
#include "core/phase.h"
#include "train/bench/timing.h"

namespace weft::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShownBytes = 2000;

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first == std::string::npos
             ? ""
             : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string last_line(const std::string& text) {
  const std::string all = trimmed(text);
  const auto end = all.rfind('\n');
  return trimmed(end == std::string::npos ? all : all.substr(end + 1));
}

/// The end of what it printed, for a message.
std::string printed(const ProcessOutcome& outcome) {
  std::string text = trimmed(outcome.err);
  const std::string out = trimmed(outcome.out);
  if (!text.empty() && !out.empty()) text += "\n";
  text += out;
  if (text.empty()) return "; it printed nothing";
  if (text.size() > kShownBytes) text = "..." + text.substr(text.size() - kShownBytes);
  return "; it printed:\n" + text;
}

double number_or_zero(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number() && std::isfinite(found->get<double>())
             ? found->get<double>()
             : 0;
}

Reading read(const ProcessOutcome& outcome, const std::string& command) {
  if (outcome.code == 127)
    fail<IoError>("bench", "the command was not found: {}{}", command, printed(outcome));
  if (outcome.code != 0)
    fail<IoError>("bench", "the command ended with exit code {}: {}{}", outcome.code, command,
                  printed(outcome));
  Reading reading{.json = last_line(outcome.out)};
  const Json json = Json::parse(reading.json, nullptr, false);
  if (!json.is_object())
    fail<IoError>("bench", "the last line that the command prints must be a JSON object: {}{}",
                  command, printed(outcome));
  reading.median_ms = number_or_zero(json, "median_ms");
  if (!(reading.median_ms > 0))
    fail<IoError>("bench", "the command's JSON must hold a `median_ms` above 0: {}{}", command,
                  printed(outcome));
  reading.peak_mib = number_or_zero(json, "peak_mib");
  reading.efficiency = number_or_zero(json, "efficiency");
  return reading;
}

std::vector<std::string> own_command(const Plan& plan) {
  std::vector<std::string> words{files::own_program().string(), "bench", plan.model->name,
                                 "--json"};
  const auto add = [&](const std::string& flag, const std::string& value) {
    words.push_back("--" + flag);
    words.push_back(value);
  };
  for (const auto& [name, value] : plan.sizes) add(name, std::to_string(value));
  if (plan.model->attention) add("attention", plan.attention);
  add("precision", plan.precision);
  add("steps", std::to_string(plan.steps));
  add("warmup", std::to_string(plan.warmup));
  add("threads", std::to_string(plan.threads));
  return words;
}

std::vector<double> all(const std::vector<Reading>& readings, double Reading::*member) {
  std::vector<double> values;
  for (const Reading& reading : readings)
    if (reading.*member > 0) values.push_back(reading.*member);
  return values;
}

Json as_json(const Spread& s) { return {{"median", s.median}, {"low", s.low}, {"high", s.high}}; }

}  // namespace

Comparison run_against(const Plan& plan, const std::string& command, std::int64_t rounds) {
  if (rounds < 1 || rounds > 1000)
    fail<ConfigError>("bench", "rounds must be from 1 to 1000, got {}", rounds);
  if (trimmed(command).empty())
    fail<ConfigError>("bench",
                      "against must be a command, such as \"python3 tests/peers/torch_peer.py {}\"",
                      plan.model->name);
  const std::vector<std::string> own = own_command(plan);
  const bool shows_progress = isatty(STDERR_FILENO) != 0;
  const Phase phase("timing alternately with {}", command);
  Comparison result{.command = command, .ours = {}, .peer = {}};
  for (std::int64_t i = 0; i < rounds; ++i) {
    if (shows_progress)
      std::fputs(fmt::format("\r\033[Kround {} of {}", i + 1, rounds).c_str(), stderr);
    result.ours.push_back(read(run_process(own), fmt::format("{}", fmt::join(own, " "))));
    result.peer.push_back(read(run_shell(command), command));
  }
  if (shows_progress) std::fputs("\r\033[K", stderr);
  return result;
}

Spread spread(const std::vector<double>& values) {
  if (values.empty()) return {};
  return {median(values), *std::min_element(values.begin(), values.end()),
          *std::max_element(values.begin(), values.end())};
}

std::vector<double> ratios(const Comparison& comparison) {
  std::vector<double> values;
  for (std::size_t i = 0; i < comparison.ours.size(); ++i)
    values.push_back(comparison.peer[i].median_ms / comparison.ours[i].median_ms);
  return values;
}

std::string to_table(const Comparison& c) {
  std::string text = fmt::format("peer: {}\n\n{:<6}  {:>12}  {:>12}  {:>8}\n", c.command, "round",
                                 "weft ms", "peer ms", "ratio");
  const std::vector<double> ratio = ratios(c);
  for (std::size_t i = 0; i < ratio.size(); ++i)
    text += fmt::format("{:<6}  {:>12.3f}  {:>12.3f}  {:>8.3f}\n", i + 1, c.ours[i].median_ms,
                        c.peer[i].median_ms, ratio[i]);
  const Spread ours = spread(all(c.ours, &Reading::median_ms)),
               peer = spread(all(c.peer, &Reading::median_ms)), ratios = spread(ratio);
  text += fmt::format("{:<6}  {:>12.3f}  {:>12.3f}  {:>8.3f}\n\n", "median", ours.median,
                      peer.median, ratios.median);
  text += fmt::format("weft is {:.2f} times as fast ({:.2f} to {:.2f} over {} rounds)",
                      ratios.median, ratios.low, ratios.high, ratio.size());
  if (const Spread e = spread(all(c.ours, &Reading::efficiency)); e.median > 0)
    text += fmt::format("; efficiency {:.3f}", e.median);
  const Spread own_memory = spread(all(c.ours, &Reading::peak_mib)),
               peer_memory = spread(all(c.peer, &Reading::peak_mib));
  if (own_memory.median > 0 && peer_memory.median > 0)
    text += fmt::format("; peak memory {:.1f} MiB against {:.1f}", own_memory.median,
                        peer_memory.median);
  return text + "\n";
}

std::string to_json_line(const Comparison& c) {
  const auto side = [](const std::vector<Reading>& readings) {
    Json list = Json::array();
    for (const Reading& reading : readings) list.push_back(Json::parse(reading.json));
    return Json{{"median_ms", as_json(spread(all(readings, &Reading::median_ms)))},
                {"peak_mib", as_json(spread(all(readings, &Reading::peak_mib)))},
                {"runs", list}};
  };
  const std::vector<double> ratio = ratios(c);
  const Json line{
      {"command", c.command}, {"rounds", ratio.size()}, {"ratio", as_json(spread(ratio))},
      {"ratios", ratio},      {"ours", side(c.ours)},   {"peer", side(c.peer)}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace weft::bench
