// Clicks: histories, splits, the simulation, and MovieLens' files.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "data/recommend/clicks.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::message_of;
using weft_test::Scratch;

namespace {

std::vector<std::int64_t> row_of(const ClickBatch& batch, std::int64_t row) {
  return raw::slice(batch.inputs, 0, row, row + 1).to_vector<std::int64_t>();
}

/// The one error of a folder with this file in it, without the folder's own name.
std::string ratings_error(const Scratch& scratch, const std::string& name,
                          const std::string& text) {
  scratch.write(name, text);
  std::string message = message_of<IoError>([&] { load_ratings(scratch.folder(), {}); });
  const auto at = message.find(scratch.folder() + "/");
  return at == std::string::npos ? message : message.erase(at, scratch.folder().size() + 1);
}

}  // namespace

TEST_CASE("examples: the latest clicks before each event, the last events kept apart") {
  // One user: items 1 to 6, clicked but for 2 and 5.
  const std::vector<std::vector<ClickEvent>> events{
      {}, {{1, true}, {2, false}, {3, true}, {4, true}, {5, false}, {6, true}}};
  const ClickData data(events, {0, 1, 1, 2, 2, 3, 3}, {.history = 2}, "test");
  CHECK(data.size(Split::train) == 3);  // the first event has no history
  CHECK(data.size(Split::validation) == 1);
  CHECK(data.size(Split::test) == 1);
  CHECK(data.n_category() == 4);
  const ClickBatch first = data.batch(Split::train, {0});
  CHECK(row_of(first, 0) == std::vector<std::int64_t>{1, 2, 1, 1, 0, 1, 0});
  CHECK(first.targets.item() == 0);
  const ClickBatch test = data.batch(Split::test, {0});
  CHECK(row_of(test, 0) ==
        std::vector<std::int64_t>{1, 6, 3, 4, 3, 2,
                                  2});  // the third click, of item 1, is beyond the history
  CHECK(test.targets.item() == 1);
  CHECK(data.shortened() == 2);
  CHECK(data.occurrences()[0].to_vector<double>() == std::vector<double>{0, 3, 1, 2, 1, 0, 0});
  CHECK(data.occurrences()[2].to_vector<double>() == std::vector<double>{0, 3});
  CHECK(message_of<IndexError>([&] { data.batch(Split::test, {1}); }) ==
        "[clicks] example 1 does not exist: the test split has 1");
  CHECK(message_of<ConfigError>([&] {
          ClickData(events, {0, 1}, {}, "test");
        }) == "[test] item 2 of user 1 is outside 1 to 1");
  CHECK(message_of<ConfigError>([&] {
          ClickData(events, {0, 1, 1, 2, 2, 3, 3}, {.leave_out = 3}, "test");
        }) ==
        "[test] no examples in the train split: users need more than 6 events, and a click before "
        "the last ones");
  CHECK(message_of<ConfigError>([] {
          ClickData({{}, {{1, false}, {2, false}, {1, false}}}, {0, 1, 1}, {}, "test");
        }) ==
        "[test] none of its events is a click (a rating of 4 or more): there is nothing to "
        "distinguish");
  CHECK(message_of<ConfigError>([] { ClickOptions{.history = 0}.validate(); }) ==
        "[clicks] history must be 1 to 65536, got 0");
}

TEST_CASE("the simulation: every example once an epoch, paired by the seed, clicks as planted") {
  const ClickData data = simulate_clicks({.users = 60}, {.history = 10, .leave_out = 5});
  const std::int64_t per_epoch = data.batches_per_epoch(1);
  CHECK(per_epoch == data.size(Split::train));
  std::set<std::vector<std::int64_t>> rows;
  for (std::int64_t k = 0; k < per_epoch; ++k) rows.insert(row_of(data.train_batch(k, 1, 7), 0));
  CHECK(rows.size() > static_cast<std::size_t>(per_epoch * 9 /
                                               10));  // but for events that are alike in everything
  CHECK(row_of(data.train_batch(3, 8, 7), 2) == row_of(data.train_batch(3 * 8 + 2, 1, 7), 0));
  CHECK(batch_hash(data.train_batch(0, 32, 1).inputs, Tensor()) !=
        batch_hash(data.train_batch(0, 32, 2).inputs, Tensor()));
  // Half of what is shown is liked, and a tenth of the rest by chance: 0.55 x 0.8 + 0.45 x 0.1.
  CHECK(data.click_rate(Split::train) == doctest::Approx(0.485).epsilon(0.08));
  CHECK(data.fingerprint() ==
        simulate_clicks({.users = 60}, {.history = 10, .leave_out = 5}).fingerprint());
  CHECK(message_of<ConfigError>([] { simulate_clicks({.interests = 31}, {}); }) ==
        "[clicks] interests must be 1 to 30, got 31");
}

TEST_CASE("MovieLens' u.data: sorted by time, four stars are a click") {
  const Scratch scratch;
  scratch.write("u.data",
                "7\t50\t5\t300\n7\t20\t4\t100\n7\t30\t3\t200\n7\t90\t4\t400\n9\t50\t4\t10\n9\t20\t4"
                "\t20\n9\t30\t5\t30\n9\t90\t1\t40\n");
  const ClickData data = load_ratings(scratch.folder(), {.history = 3});
  CHECK(data.n_user() == 3);
  CHECK(data.n_item() == 5);
  CHECK(row_of(data.batch(Split::test, {0}), 0) ==
        std::vector<std::int64_t>{1, 4, 1, 3, 1, 0, 1, 1, 0});  // user 7: item 90 after 20 and 50
  CHECK(data.batch(Split::test, {0, 1}).targets.to_vector<double>() == std::vector<double>{1, 0});
}

TEST_CASE("MovieLens' ratings.csv with genres") {
  const Scratch scratch;
  scratch.write("ratings.csv",
                "userId,movieId,rating,timestamp\r\n1,10,4.5,1\r\n1,11,0.5,2\r\n1,12,4.0,3\r\n1,10,"
                "3.5,4\r\n1,11,4.5,0\r\n1,12,5,1\r\n");
  scratch.write("movies.csv",
                "movieId,title,genres\n10,\"Title, "
                "The\",Comedy|Drama\n11,Other,Action\n12,Third,(no genres listed)\n");
  const ClickData data = load_ratings(scratch.folder(), {.history = 2});
  CHECK(data.n_category() == 4);  // nothing, none, Action, Comedy
  CHECK(data.category_of(1) == 3);
  CHECK(data.category_of(2) == 2);
  CHECK(data.category_of(3) == 1);
}

TEST_CASE("ids keep all their 64 bits, and a file without a header its first line") {
  const Scratch scratch;
  std::string text;
  const std::int64_t beyond = (std::int64_t{1} << 53) + 1;
  for (int i = 0; i < 6; ++i)
    text +=
        fmt::format("{},{},{},{}\n", beyond - 1, beyond - i % 2, i % 3 == 0 ? 2 : 5, beyond + i);
  scratch.write("ratings.csv", text);
  const ClickData data = load_ratings(scratch.folder(), {.history = 3});
  CHECK(data.n_item() == 3);  // two, that a 64-bit float cannot tell apart
  CHECK(data.size(Split::train) + data.size(Split::validation) + data.size(Split::test) ==
        4);  // the first two have no click before them
  CHECK(data.notes() ==
        std::vector<std::string>{
            scratch.folder() + ": all of the 1 validation examples are clicks (ratings of 4 or "
                               "more), so AUC cannot be measured there",
            scratch.folder() + ": all of the 1 test examples are clicks (ratings of 4 or more), so "
                               "AUC cannot be measured there",
            scratch.folder() + ": there is one user: what distinguishes users cannot be learned"});
  const ClickData old = load_ratings(
      scratch.folder(),
      {.history = 3, .old_rules = true});  // as before: the first line was taken for a heading
  CHECK(old.fingerprint() != data.fingerprint());
}

TEST_CASE("ratings that are all alike are refused") {
  const Scratch scratch;
  const auto load = [&](const char* stars) {
    std::string text;
    for (int user = 1; user < 3; ++user)
      for (int i = 0; i < 6; ++i)
        text += fmt::format("{},{},{},{}\n", user, i, i == 0 ? "5" : stars, i);
    scratch.write("ratings.csv", text);
    return message_of<ConfigError>([&] { load_ratings(scratch.folder(), {}); });
  };
  CHECK(load("5") == "[" + scratch.folder() +
                         "] all of the 6 train examples are clicks (ratings of 4 or more): there "
                         "is nothing to distinguish");
  CHECK(load("3") == "[" + scratch.folder() +
                         "] none of the 6 train examples are clicks (ratings of 4 or more): there "
                         "is nothing to distinguish");
}

TEST_CASE("torn lines are named by file and line") {
  const Scratch scratch;
  CHECK(message_of<IoError>([] { load_ratings("/nowhere", {}); }) ==
        "[/nowhere] is not a folder with MovieLens' ratings.csv or u.data; clicks is the name of "
        "the simulation");
  CHECK(ratings_error(scratch, "u.data", "1\t2\t3\t4\n1\t2\t3\n") ==
        "[u.data:2] expects user, item, rating and time, four fields with tabs between them, or a "
        "header that names its columns: got 3");
  CHECK(ratings_error(scratch, "u.data", "x\t2\t3\t4\n") ==
        "[u.data:1] the user must be a whole number from 0, got \"x\"");
  CHECK(ratings_error(scratch, "u.data", "1\t-2\t3\t4\n") ==
        "[u.data:1] the item must be a whole number from 0, got \"-2\"");
  CHECK(ratings_error(scratch, "u.data", "1\t2\t6\t4\n") ==
        "[u.data:1] the rating must be 0.5 to 5, got \"6\"");
  CHECK(ratings_error(scratch, "u.data", "1\t2\t5\t4x\n") ==
        "[u.data:1] the time must be a whole number of seconds, got \"4x\"");
  CHECK(ratings_error(scratch, "u.data", "\n") == "[u.data] holds no ratings");
  CHECK(ratings_error(scratch, "ratings.csv", "userId,movieId,rating,timestamp\n1,2,3\n") ==
        "[ratings.csv:2] 3 columns, where the first line has 4 (separated by `,`)");
  // A first line that holds a number is no header, whatever else it holds.
  CHECK(ratings_error(scratch, "ratings.csv", "userId,movieId,rating,7\n1,2,3,4\n") ==
        "[ratings.csv:1] the user must be a whole number from 0, got \"userId\"");
  CHECK(ratings_error(scratch, "ratings.csv", "1,99999999999999999999,3,4\n") ==
        "[ratings.csv:1] the item is beyond 64 bits: 99999999999999999999");
  CHECK(ratings_error(scratch, "ratings.csv", "1,2.0,3,4\n") ==
        "[ratings.csv:1] the item must be a whole number from 0, got \"2.0\"");
  CHECK(ratings_error(scratch, "ratings.csv", "1,2,nan,4\n") ==
        "[ratings.csv:1] the rating must be 0.5 to 5, got \"nan\"");
}
