#include "train/loop/run_bits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "core/io/file.h"
#include "core/io/safetensors.h"
#include "data/split.h"
#include "train/loop/figures_json.h"

namespace weft::train {
namespace {

namespace fs = std::filesystem;
using SortedJson = nlohmann::json;

constexpr std::int64_t kMaxMetricsBytes = std::int64_t{1} << 32;
constexpr std::int64_t kMaxSummaryBytes = 1 << 20;

SortedJson without_machine(const std::string& text, const fs::path& where) {
  const SortedJson all = SortedJson::parse(text, nullptr, false);
  if (!all.is_object()) fail<IoError>(where.string(), "holds a line that is not a JSON object");
  SortedJson kept = SortedJson::object();
  for (const auto& [key, value] : all.items())
    if (!is_machine_bound(key) && key != "bits") kept[key] = value;
  return kept;
}

/// By step. A run that was stopped within an evaluation has two records of that step, which say
/// together what one says otherwise.
std::map<std::int64_t, SortedJson> records(const fs::path& run) {
  const fs::path file = run / "metrics.jsonl";
  const std::string text = read_file(file.string(), kMaxMetricsBytes);
  std::map<std::int64_t, SortedJson> all;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const SortedJson record = without_machine(text.substr(begin, end - begin), file);
    begin = end + 1;
    const auto step = record.find("step");
    if (step == record.end() || !step->is_number_integer())
      fail<IoError>(file.string(), "holds a record without a step");
    all[step->get<std::int64_t>()].update(record);
  }
  return all;
}

std::uint64_t add(std::uint64_t hash, std::string_view text) {
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;  // FNV-1a
  return hash;
}

std::vector<std::pair<std::string, Tensor>> sorted_tensors(const fs::path& run) {
  auto tensors = read_safetensors(run / "last.safetensors").tensors;
  std::sort(tensors.begin(), tensors.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return tensors;
}

}  // namespace

std::string run_bits(const fs::path& run, const std::string& summary) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const auto& [name, tensor] : sorted_tensors(run)) {
    hash = add(hash, name);
    hash = data::batch_hash(tensor, {}, hash);
  }
  for (const auto& [step, record] : records(run)) hash = add(hash, record.dump());
  hash = add(hash, without_machine(summary, run / "summary.json").dump());
  return data::hash_text(hash);
}

std::string first_difference(const fs::path& one, const fs::path& other) {
  const auto a = records(one), b = records(other);
  std::set<std::int64_t> steps;
  for (const auto& [step, record] : a) steps.insert(step);
  for (const auto& [step, record] : b) steps.insert(step);
  const auto said = [](const SortedJson& record, const std::string& key) {
    return record.contains(key) ? record[key].dump() : std::string("nothing");
  };
  const auto compare = [&](const SortedJson& x, const SortedJson& y,
                           const std::string& where) -> std::string {
    SortedJson keys = x;
    keys.update(y);
    for (const auto& [key, value] : keys.items())
      if (said(x, key) != said(y, key))
        return fmt::format("{}, {}: {} against {}", where, key, said(x, key), said(y, key));
    return "";
  };
  for (const std::int64_t step : steps) {
    if (!a.contains(step) || !b.contains(step))
      return fmt::format("step {} is in the record of one run alone", step);
    if (std::string text = compare(a.at(step), b.at(step), fmt::format("step {}", step));
        !text.empty())
      return text;
  }
  const auto x = sorted_tensors(one), y = sorted_tensors(other);
  for (std::size_t i = 0; i < std::max(x.size(), y.size()); ++i) {
    if (i >= x.size() || i >= y.size() || x[i].first != y[i].first)
      return "the checkpoints hold other tensors";
    if (data::batch_hash(x[i].second, {}) != data::batch_hash(y[i].second, {}))
      return fmt::format("the checkpoints, {}", x[i].first);
  }
  const auto summary = [](const fs::path& run) {
    const fs::path file = run / "summary.json";
    return without_machine(read_file(file.string(), kMaxSummaryBytes), file);
  };
  return compare(summary(one), summary(other), "the end");
}

}  // namespace weft::train
