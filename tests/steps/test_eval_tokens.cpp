// A part of the validation split, the same each time, while training goes on; all of it at the end;
// and which of the two a number is.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "data/text/text_dataset.h"
#include "tests/train/tiny_runs.h"
#include "train/tasks/classify/classify_config.h"
#include "train/tasks/common/encoder_config.h"
#include "train/tasks/common/eval_tokens.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/translate/translate_config.h"

using namespace weft;
using namespace weft::train;
using test::read_metrics;
using test::TempFolder;
using Json = nlohmann::json;

namespace {

std::string lines(const std::string& left, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += left + (left.empty() ? "" : std::to_string(i % 2) + "\t") + "words of line " +
            std::to_string(i) + "\n";
  return text;
}

/// A tiny run of each kind that has the choice.
std::unique_ptr<RunConfig> tiny(const Kind& kind, const TempFolder& folder,
                                std::int64_t eval_tokens, bool whole_at_end) {
  write_file((folder / "text.txt").string(), lines("", 120));
  write_file((folder / "pairs.tsv").string(), [] {
    std::string text;
    for (int i = 0; i < 120; ++i)
      text += "say " + std::to_string(i) + "\tyes " + std::to_string(i * 7) + "\n";
    return text;
  }());
  write_file((folder / "labels.tsv").string(), lines("class ", 120));
  auto config = kind.make();
  const std::string file = kind.name() == "translate"  ? "pairs.tsv"
                           : kind.name() == "classify" ? "labels.tsv"
                                                       : "text.txt";
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"data", (folder / file).string()},
           {"layers", "1"},
           {"heads", "1"},
           {"width", "8"},
           {"context", "16"},
           {"vocabulary", "40"},
           {"batch", "4"},
           {"steps", "6"},
           {"eval_every", "2"},
           {"eval_tokens", std::to_string(eval_tokens)},
           {"whole_at_end", whole_at_end ? "yes" : "no"}})
    if (const Field* const field = kind.find_field(*config, name))
      set_from_text(*config, *field, value, "test");
  return config;
}

Json summary_of(const std::filesystem::path& run) {
  return Json::parse(read_file((run / "summary.json").string()));
}

}  // namespace

TEST_CASE("windows spread over a text are the same each time, each in it once") {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i % 251 + 1);
  const data::TextData data(text, {.tokenizer = "byte", .train_fraction = 0}, "test");
  for (const std::int64_t most : {1, 10, 64, 65, 500, 998, 999, 5000}) {
    CAPTURE(most);
    std::set<std::int64_t> starts;
    std::int64_t predicted = 0, last = -1;
    for (const auto& [inputs, targets] : data.eval_batches(data::Split::validation, 3, 10, most)) {
      for (std::int64_t row = 0; row < inputs.size(0); ++row) {
        const std::int64_t first = inputs.data<std::int64_t>()[row * 10];
        for (std::int64_t t = 0; t < 10; ++t)
          predicted += targets.data<std::int64_t>()[row * 10 + t] != data::kIgnoreIndex ? 1 : 0;
        last = first;
        starts.insert(row);
      }
    }
    CHECK(predicted >= std::min<std::int64_t>(most, 999));
    CHECK(predicted < most + 10);
    CHECK(last >= 0);
  }
  CHECK(data.eval_batches(data::Split::validation, 3, 10, 0).size() ==
        data.eval_batches(data::Split::validation, 3, 10).size());
}

TEST_CASE("numbers as far apart as can be") {
  CHECK(evenly_spaced_indices(10, 5) == std::vector<std::int64_t>{0, 2, 4, 6, 8});
  CHECK(evenly_spaced_indices(10, 3) == std::vector<std::int64_t>{0, 3, 6});
  CHECK(evenly_spaced_indices(3, 10) == std::vector<std::int64_t>{0, 1, 2});
  CHECK(evenly_spaced_indices(0, 10).empty());
  const auto far = evenly_spaced_indices(4'000'000'000'000'000'000, 3);
  CHECK(far == std::vector<std::int64_t>{0, 1'333'333'333'333'333'333, 2'666'666'666'666'666'666});
  CHECK(sample_of({5, 5, 5, 5}, 0).size() == 4);
  CHECK(sample_of({5, 5, 5, 5}, 20).size() == 4);
  CHECK(sample_of({5, 5, 5, 5}, 10) == std::vector<std::int64_t>{0, 2});
  CHECK(sample_of({5, 5, 5, 5}, 1) == std::vector<std::int64_t>{0});
}

TEST_CASE(
    "a long split is looked at in part unless a run says otherwise, a short one and that of an "
    "earlier run whole") {
  const auto settled = [](std::int64_t wanted, std::int64_t there,
                          std::int64_t format = kConfigFormat) {
    TextConfig c;
    c.eval_tokens = wanted;
    c.format = format;
    settle_eval_tokens(c, there);
    return c.eval_tokens;
  };
  CHECK(settled(-1, kWholeValidation) == 0);
  CHECK(settled(-1, kWholeValidation + 1) == kWholeValidation);
  CHECK(settled(-1, kWholeValidation + 1, 2) == 0);
  CHECK(settled(0, 10 * kWholeValidation) == 0);
  CHECK(settled(500, 10 * kWholeValidation) == 500);
}

TEST_CASE("evaluations of a part say so, for every kind that reads texts") {
  int tried = 0;
  for (const Kind* kind : kinds()) {
    const Fields& fields = kind->fields();
    if (std::none_of(fields.begin(), fields.end(),
                     [](const Field& f) { return f.name == "eval_tokens"; }))
      continue;
    CAPTURE(kind->name());
    ++tried;
    const TempFolder folder;
    const Summary part = train_run(*kind, *tiny(*kind, folder, 40, true),
                                   {.out = folder / "part", .estimate = false});
    const Summary only = train_run(*kind, *tiny(*kind, folder, 40, false),
                                   {.out = folder / "only", .estimate = false});
    const Summary all =
        train_run(*kind, *tiny(*kind, folder, 0, true), {.out = folder / "all", .estimate = false});
    const std::string unit = part.unit;
    const Json of_part = summary_of(folder / "part"), of_only = summary_of(folder / "only"),
               of_all = summary_of(folder / "all");

    // What is learned and what is measured at the end do not depend on it.
    CHECK(of_part["val_loss"] == of_all["val_loss"]);
    CHECK(of_part["batch_hash"] == of_all["batch_hash"]);
    CHECK(of_only["val_loss"] != of_all["val_loss"]);
    // Which of the two a number is.
    CHECK(of_part["val_" + unit].get<std::int64_t>() == all.validation.measured);
    CHECK(of_part["best_val_" + unit] == of_only["val_" + unit]);
    CHECK(of_only["val_" + unit].get<std::int64_t>() < all.validation.measured);
    CHECK_FALSE(of_all.contains("val_" + unit));
    CHECK(Json::parse(read_file((folder / "part" / "config.json").string()))["eval_tokens"] == 40);

    double least = INFINITY;
    std::int64_t looks = 0;
    for (const Json& record : read_metrics(folder / "part")) {
      if (!record.contains("val_loss")) continue;
      ++looks;
      least = std::min(least, record["val_loss"].get<double>());
      CHECK(record["val_" + unit] == of_only["val_" + unit]);
    }
    CHECK(looks == 3);
    CHECK(of_part["best_val_loss"] ==
          least);  // the best is chosen by what all evaluations measured alike
    CHECK(read_metrics(folder / "part").back()["val_loss"] == of_only["val_loss"]);
    for (const Json& record : read_metrics(folder / "all"))
      CHECK_FALSE(record.contains("val_" + unit));
  }
  CHECK(tried == 4);
}

TEST_CASE("what is not measured in part has no end of another kind") {
  Sources sources;
  sources.flags = {{"eval_tokens", "0"}, {"whole_at_end", "no"}};
  CHECK_THROWS_WITH_AS(resolve<TextConfig>(sources),
                       doctest::Contains("has no effect with eval_tokens 0"), ConfigError);
}
