// Clicks: what users did with items, in time; training examples with the history before them. From
// ratings in MovieLens' form, or planted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/tensor.h"
#include "data/split.h"

namespace weft::data {

/// One item shown to a user, and whether it was clicked (rated 4 or more).
struct ClickEvent {
  std::int32_t item = 0;
  bool clicked = false;
};

struct ClickOptions {
  std::int64_t history = 30;  ///< the latest clicks before an example that a model gets to see;
                              ///< earlier ones are left out
  std::int64_t leave_out =
      1;  ///< each user's last events are the test split, as many before them the validation split
  bool old_rules = false;  ///< files as runs before config format 3 read them: the first line of
                           ///< ratings.csv is passed over, columns have one order
  /// Throws ConfigError.
  void validate() const;
};

/// inputs (B, 3 + 2 L) as nn::Recommender reads them: user, item, category, the history's items and
/// categories, the latest first, 0 behind. targets (B,), f32: 1 for a click.
struct ClickBatch {
  Tensor inputs;
  Tensor targets;
};

/// Copies share nothing. Ids begin at 1.
class ClickData {
 public:
  /// `events`: by user (0 unused), in the order of time; `category`: by item (0 unused). An event
  /// without a click before it is no example, since its history is empty. Throws ConfigError for
  /// impossible options, ids out of range, and where a split would be empty or training examples
  /// are all clicks, or none of them.
  ClickData(std::vector<std::vector<ClickEvent>> events, std::vector<std::int32_t> category,
            const ClickOptions& options, std::string where);

  std::int64_t n_user() const {
    return static_cast<std::int64_t>(events_.size());
  }  ///< rows of a table, 0 included
  /// Number of items.
  std::int64_t n_item() const { return static_cast<std::int64_t>(category_.size()); }
  std::int64_t n_category() const { return n_category_; }  ///< number of categories
  /// Examples of a split.
  std::int64_t size(Split split) const {
    return static_cast<std::int64_t>(examples_[static_cast<int>(split)].size());
  }
  /// Share of clicks.
  double click_rate(Split split) const;
  /// Examples of all splits that know more clicks than the history has places.
  std::int64_t shortened() const { return shortened_; }
  const std::string& source() const { return where_; }  ///< where the clicks are from
  /// The category of an item.
  std::int32_t category_of(std::int32_t item) const {
    return category_[static_cast<std::size_t>(item)];
  }

  /// These examples of a split, by number. Throws IndexError.
  ClickBatch batch(Split split, const std::vector<std::int64_t>& numbers) const;
  /// Batch k of training: a new order each epoch, the last batch of an epoch left out where it is
  /// not full. Depends on (seed, k, B, size) alone.
  ClickBatch train_batch(std::int64_t k, std::int64_t size, std::uint64_t seed) const;
  std::int64_t batches_per_epoch(std::int64_t size) const;  ///< of `size` examples each
  /// How often each item, category and user stands in the training examples, candidates and
  /// histories: what mini-batch aware regularization divides by.
  std::vector<Tensor> occurrences() const;
  /// Changes when the data do.
  std::uint64_t fingerprint() const;
  /// What whoever trains on them should know, in sentences: one user, one item, a split of clicks
  /// alone, columns that were left out.
  const std::vector<std::string>& notes() const { return notes_; }
  void add_note(std::string text) { notes_.push_back(std::move(text)); }  ///< one more of notes()

 private:
  struct Example {
    std::int32_t user, position;
  };
  void fill(const Example& example, std::int64_t* row, float* target) const;

  void check_clicks_differ();

  std::string where_;
  std::vector<std::string> notes_;
  std::vector<std::vector<ClickEvent>> events_;
  std::vector<std::int32_t> category_;
  std::vector<Example> examples_[3];
  std::int64_t n_category_ = 1, shortened_ = 0;
  ClickOptions options_;
};

struct ClickSimulation {
  std::int64_t users = 1500;
  std::int64_t items = 600;
  std::int64_t topics =
      30;  ///< what an item is about: hidden, but three of them make a category, which is seen
  std::int64_t interests = 3;  ///< topics that a user likes
  std::int64_t events = 40;    ///< shown to each user
  double liked = 0.8;          ///< probability of a click on an item of a liked topic,
  double other = 0.1;          ///< on any other
  std::uint64_t seed = 1;
  /// Throws ConfigError.
  void validate() const;
};

/// Users with several interests each: half of what they are shown is of their topics, half of any.
/// Which of a user's interests matters depends on the item shown, and the history holds them all:
/// what local activation is for (Zhou et al. 2018, section 4.3).
ClickData simulate_clicks(const ClickSimulation& simulation, const ClickOptions& options);

/// A MovieLens folder: `u.data` (user, item, rating, time; tabs) with `u.item`, or `ratings.csv`
/// (commas, quotes as in RFC 4180) with `movies.csv`. A first line of names (userId, movieId,
/// rating, timestamp, ...) says where the columns stand, others are left out with a note; without
/// one they stand in the order above. Ratings of 4 and more are clicks. Categories are the first
/// genre of the second file where it is there. Throws IoError `[FILE:LINE] ...` for a torn line, a
/// rating outside 0.5 to 5, a negative id, a column that is missing; `[FOLDER] ...` where neither
/// file is.
ClickData load_ratings(const std::string& folder, const ClickOptions& options);

/// `clicks` is the simulation, anything else a folder.
ClickData load_clicks(const std::string& name_or_folder, const ClickOptions& options,
                      const ClickSimulation& simulation = {});

}  // namespace weft::data
