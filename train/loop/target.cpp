#include "train/loop/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "train/config/article.h"
#include "train/loop/figures.h"

namespace weft::train {
namespace {

/// Nothing where the text is no target of a known figure.
std::optional<Target> read_target(const std::string& text) {
  if (text.empty()) return Target{};
  const auto equals = text.find('=');
  const std::string name = text.substr(0, equals);
  Target target{.figure = name.starts_with("val_") ? name.substr(4) : ""};
  bool number = false;
  if (equals != std::string::npos) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + equals + 1, end, target.value);
    number = error == std::errc() && stop == end && std::isfinite(target.value);
  }
  if (find_figure(target.figure) == nullptr || !number) return std::nullopt;
  return target;
}

}  // namespace

Target parse_target(const std::string& text) {
  const std::optional<Target> target = read_target(text);
  if (!target)
    fail<ConfigError>("config", "until must be val_FIGURE=NUMBER, as val_loss=1.5, got {}", text);
  return *target;
}

void check_target(const RunConfig& c, const std::vector<std::string>& figures,
                  const std::string& kind) {
  const std::optional<Target> target = read_target(c.until);
  if (target && (target->figure.empty() || target->figure == "loss" ||
                 std::find(figures.begin(), figures.end(), target->figure) != figures.end()))
    return;
  std::vector<std::string> wanted{"val_loss=NUMBER"};
  for (const std::string& figure : figures) wanted.push_back("val_" + figure + "=NUMBER");
  fail<ConfigError>("config", "until must be one of what {} run measures, {}; got {}",
                    with_article(kind), fmt::join(wanted, ", "), c.until);
}

}  // namespace weft::train
