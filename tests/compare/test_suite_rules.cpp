// Suites: budgets, seeds to tune with, looks, metrics.
#include <doctest/doctest.h>

#include "tests/compare/sample_suite.h"

using namespace weft;
using namespace weft::compare;
using namespace weft::compare::sample;

TEST_CASE("budgets ask everything again with other lengths of training") {
  const Suite s =
      parse_suite(changed("margin = 0.01", "margin = 0.01\nbudgets = [1, 4]"), "s.toml");
  REQUIRE(s.tasks.size() == 4);
  CHECK(s.tasks[2].name == "shakespeare-x4");
  CHECK(s.tasks[2].base == "shakespeare");
  CHECK(s.tasks[2].multiple == 4);
  CHECK(s.contrasts.size() == 4);
  CHECK(s.contrasts[2].task == "shakespeare-x4");
  CHECK(runs_on(s.arm("wide"), "tang-x4"));
  CHECK_FALSE(runs_on(s.arm("wide"), "shakespeare-x4"));
  CHECK(s.controls[0].tasks == std::vector<std::string>{"shakespeare", "shakespeare-x4"});
  CHECK(quick_form(s).tasks.size() == 1);  // the short form has one
  const auto budgets_error = [](const std::string& to) {
    return error_of("margin = 0.01", "margin = 0.01\nbudgets = " + to);
  };
  CHECK(budgets_error("[4]") ==
        "[s.toml:6] budgets must begin with 1 and ascend: budgets = [1, 4]");
  CHECK(budgets_error("[1, 1]") ==
        "[s.toml:6] budgets must begin with 1 and ascend: budgets = [1, 4]");
  CHECK(
      error_of("lr_factors = [0.5, 1, 2]\n\n[budget]\nequal = \"parameters\"\nreference = \"one\"",
               "budgets = [1, 2]\n[budget]\nequal = \"seconds\"\namount = 3")
          .find("budgets are multiples of a length of training, and [budget] has an amount of "
                "seconds") != std::string::npos);
}

TEST_CASE("seeds to tune with, looks, and what a kind does not measure") {
  CHECK(good().tuning_seeds == 3);
  CHECK(error_of("margin = 0.01", "tuning_seeds = 0") ==
        "[s.toml:5] tuning_seeds must be from 1 to 100, got 0");
  CHECK(error_of("lr_factors = [0.5, 1, 2]", "tuning_seeds = 2")
            .starts_with("[s.toml:6] tuning_seeds has no effect"));
  CHECK(error_of("margin = 0.01", "looks = [7, 9]") ==
        "[s.toml:5] the last look is at 9 seeds, and the suite has 8: they must be as many");
  CHECK(error_of("margin = 0.01", "looks = [8, 8]") ==
        "[s.toml:5] looks must be in ascending order: 8 comes after 8");
  CHECK(error_of("margin = 0.01", "looks = [4, 8]")
            .starts_with("[s.toml:5] a look at 4 seeds can decide nothing"));
  CHECK(error_of("metric = \"test_loss\"", "metric = \"test_auc\"") ==
        "[s.toml:18] task shakespeare expects test_auc, which no text run measures; it has "
        "test_loss, test_bits_per_byte, train_seconds, peak_mib, throughput");
  CHECK(error_of("metric = \"test_loss\"", "metric = \"val_loss\"")
            .starts_with("[s.toml:21] val_loss is of the validation split"));
}
