#include "data/recommend/clicks.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/phase.h"
#include "core/random.h"

namespace weft::data {
namespace {

constexpr std::int64_t kMostEvents = std::int64_t{1} << 30;

}  // namespace

void ClickOptions::validate() const {
  if (history < 1 || history > 65536)
    fail<ConfigError>("clicks", "history must be 1 to 65536, got {}", history);
  if (leave_out < 1 || leave_out > 1000)
    fail<ConfigError>("clicks", "leave_out must be 1 to 1000, got {}", leave_out);
}

ClickData::ClickData(std::vector<std::vector<ClickEvent>> events,
                     std::vector<std::int32_t> category, const ClickOptions& options,
                     std::string where)
    : where_(std::move(where)),
      events_(std::move(events)),
      category_(std::move(category)),
      options_(options) {
  options.validate();
  for (const std::int32_t c : category_) n_category_ = std::max<std::int64_t>(n_category_, c + 1);
  for (std::size_t user = 1; user < events_.size(); ++user) {
    const auto& list = events_[user];
    const auto count = static_cast<std::int64_t>(list.size());
    std::int64_t clicks = 0;
    for (std::int64_t p = 0; p < count; ++p) {
      const ClickEvent& event = list[static_cast<std::size_t>(p)];
      if (event.item < 1 || event.item >= n_item())
        fail<ConfigError>(where_, "item {} of user {} is outside 1 to {}", event.item, user,
                          n_item() - 1);
      if (clicks > 0) {
        const int split = p >= count - options.leave_out       ? 2
                          : p >= count - 2 * options.leave_out ? 1
                                                               : 0;
        examples_[split].push_back({static_cast<std::int32_t>(user), static_cast<std::int32_t>(p)});
        shortened_ += clicks > options.history ? 1 : 0;
      }
      clicks += event.clicked ? 1 : 0;
    }
  }
  const bool any_click = std::any_of(events_.begin(), events_.end(), [](const auto& list) {
    return std::any_of(list.begin(), list.end(), [](const ClickEvent& e) { return e.clicked; });
  });
  if (!any_click) {
    fail<ConfigError>(
        where_,
        "none of its events is a click (a rating of 4 or more): there is nothing to distinguish");
  }
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    if (size(split) == 0)
      fail<ConfigError>(where_,
                        "no examples in the {} split: users need more than {} events, and a click "
                        "before the last ones",
                        name(split), 2 * options.leave_out);
  }
  if (!options.old_rules) check_clicks_differ();
}

void ClickData::check_clicks_differ() {
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    const double rate = click_rate(split);
    if (rate != 0 && rate != 1) continue;
    const std::string all =
        fmt::format("{} of the {} {} examples are clicks (ratings of 4 or more)",
                    rate == 0 ? "none" : "all", size(split), name(split));
    if (split == Split::train)
      fail<ConfigError>(where_, "{}: there is nothing to distinguish", all);
    notes_.push_back(fmt::format("{}: {}, so AUC cannot be measured there", where_, all));
  }
  if (events_.size() == 2)
    notes_.push_back(
        fmt::format("{}: there is one user: what distinguishes users cannot be learned", where_));
  if (n_item() == 2)
    notes_.push_back(
        fmt::format("{}: there is one item: what distinguishes items cannot be learned", where_));
}

double ClickData::click_rate(Split split) const {
  double clicks = 0;
  for (const Example& e : examples_[static_cast<int>(split)])
    clicks +=
        events_[static_cast<std::size_t>(e.user)][static_cast<std::size_t>(e.position)].clicked ? 1
                                                                                                : 0;
  return clicks / static_cast<double>(std::max<std::int64_t>(1, size(split)));
}

void ClickData::fill(const Example& example, std::int64_t* row, float* target) const {
  const auto& list = events_[static_cast<std::size_t>(example.user)];
  const ClickEvent& event = list[static_cast<std::size_t>(example.position)];
  std::fill(row, row + 3 + 2 * options_.history, std::int64_t{0});
  row[0] = example.user;
  row[1] = event.item;
  row[2] = category_of(event.item);
  std::int64_t place = 0;
  for (std::int32_t p = example.position - 1; p >= 0 && place < options_.history; --p) {
    const ClickEvent& before = list[static_cast<std::size_t>(p)];
    if (!before.clicked) continue;
    row[3 + place] = before.item;
    row[3 + options_.history + place] = category_of(before.item);
    ++place;
  }
  *target = event.clicked ? 1.0F : 0.0F;
}

ClickBatch ClickData::batch(Split split, const std::vector<std::int64_t>& numbers) const {
  const auto& examples = examples_[static_cast<int>(split)];
  const auto rows = static_cast<std::int64_t>(numbers.size()), width = 3 + 2 * options_.history;
  const ClickBatch result{Tensor::empty({rows, width}, DType::i64),
                          Tensor::empty({rows}, DType::f32)};
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t number = numbers[static_cast<std::size_t>(r)];
    if (number < 0 || number >= size(split))
      fail<IndexError>("clicks", "example {} does not exist: the {} split has {}", number,
                       name(split), size(split));
    fill(examples[static_cast<std::size_t>(number)], result.inputs.data<std::int64_t>() + r * width,
         result.targets.data<float>() + r);
  }
  return result;
}

std::int64_t ClickData::batches_per_epoch(std::int64_t batch_size) const {
  if (batch_size < 1 || batch_size > size(Split::train))
    fail<ConfigError>("clicks", "batch must be 1 to {}, the examples to train on; got {}",
                      size(Split::train), batch_size);
  return size(Split::train) / batch_size;
}

ClickBatch ClickData::train_batch(std::int64_t k, std::int64_t batch_size,
                                  std::uint64_t seed) const {
  const std::int64_t per_epoch = batches_per_epoch(batch_size);
  if (k < 0) fail<IndexError>("clicks", "batch {} does not exist", k);
  // Example number i of an epoch: a bijection of 0 .. n - 1 that needs no table (cycle-walking
  // Feistel network over Philox).
  const auto n = static_cast<std::uint64_t>(size(Split::train));
  int half_bits = 1;
  while ((std::uint64_t{1} << (2 * half_bits)) < n) ++half_bits;
  const std::uint64_t mask = (std::uint64_t{1} << half_bits) - 1;
  const Generator stream(seed, "data");
  const auto epoch = static_cast<std::uint64_t>(k / per_epoch);
  const auto permuted = [&](std::uint64_t i) {
    do {
      std::uint64_t left = i >> half_bits, right = i & mask;
      for (std::uint64_t round = 0; round < 4; ++round) {
        const std::uint64_t word = stream.block((epoch * 4 + round) << 32 | right)[0];
        const std::uint64_t mixed = left ^ (word & mask);
        left = right;
        right = mixed;
      }
      i = left << half_bits | right;
    } while (i >= n);
    return static_cast<std::int64_t>(i);
  };
  std::vector<std::int64_t> numbers;
  const std::int64_t first = k % per_epoch * batch_size;
  for (std::int64_t i = first; i < first + batch_size; ++i)
    numbers.push_back(permuted(static_cast<std::uint64_t>(i)));
  return batch(Split::train, numbers);
}

std::vector<Tensor> ClickData::occurrences() const {
  const std::vector<Tensor> counts{Tensor::zeros({n_item()}), Tensor::zeros({n_category()}),
                                   Tensor::zeros({n_user()})};
  std::vector<std::int64_t> row(static_cast<std::size_t>(3 + 2 * options_.history));
  float target = 0;
  for (const Example& example : examples_[0]) {
    fill(example, row.data(), &target);
    const auto add = [&](std::size_t table, std::int64_t id) {
      counts[table].data<float>()[id] += 1;
    };
    add(2, row[0]);
    add(0, row[1]);
    add(1, row[2]);
    for (std::int64_t l = 0; l < options_.history && row[static_cast<std::size_t>(3 + l)] != 0;
         ++l) {
      add(0, row[static_cast<std::size_t>(3 + l)]);
      add(1, row[static_cast<std::size_t>(3 + options_.history + l)]);
    }
  }
  return counts;
}

std::uint64_t ClickData::fingerprint() const {
  std::vector<std::int64_t> all{options_.history, options_.leave_out};
  for (const auto& list : events_) {
    for (const ClickEvent& event : list) all.push_back(event.item * 2 + (event.clicked ? 1 : 0));
    all.push_back(-1);
  }
  const auto n = static_cast<std::int64_t>(all.size());
  return batch_hash(Tensor::from(all, {n}), Tensor::from(category_, {n_item()}));
}

void ClickSimulation::validate() const {
  const auto in = [](const char* field, std::int64_t value, std::int64_t low, std::int64_t high) {
    if (value < low || value > high)
      fail<ConfigError>("clicks", "{} must be {} to {}, got {}", field, low, high, value);
  };
  in("users", users, 1, 100'000'000);
  in("topics", topics, 1, 1'000'000);
  in("items", items, topics, 100'000'000);
  in("interests", interests, 1, topics);
  in("events", events, 4, 1'000'000);
  if (users > kMostEvents / events)
    fail<ConfigError>("clicks", "{} users with {} events each are too many", users, events);
  if (!(liked >= 0 && liked <= 1 && other >= 0 && other <= 1))
    fail<ConfigError>("clicks", "probabilities of a click must be 0 to 1, got {} and {}", liked,
                      other);
}

ClickData simulate_clicks(const ClickSimulation& s, const ClickOptions& options) {
  s.validate();
  constexpr std::int64_t kTopicsPerCategory = 3;
  std::vector<std::int32_t> category{0};
  for (std::int64_t item = 0; item < s.items; ++item)
    category.push_back(static_cast<std::int32_t>(1 + item % s.topics / kTopicsPerCategory));
  Generator generator(s.seed, "clicks");
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(generator.next_below(static_cast<std::uint64_t>(bound)));
  };
  /// An item of a topic: items topic, topic + topics, topic + 2 topics, ...
  const auto item_of = [&](std::int64_t topic) {
    return topic + s.topics * below((s.items - topic + s.topics - 1) / s.topics);
  };
  std::vector<std::vector<ClickEvent>> events{{}};
  for (std::int64_t user = 0; user < s.users; ++user) {
    const std::vector<std::int64_t> topics =
        generator.permutation(s.topics).to_vector<std::int64_t>();  // the first few are liked
    std::vector<ClickEvent> list;
    for (std::int64_t e = 0; e < s.events; ++e) {
      const bool own = (generator.next_u32() & 1U) != 0;
      const std::int64_t item =
          own ? item_of(topics[static_cast<std::size_t>(below(s.interests))]) : below(s.items);
      const auto end = topics.begin() + static_cast<std::ptrdiff_t>(s.interests);
      const bool likes = std::find(topics.begin(), end, item % s.topics) != end;
      list.push_back({static_cast<std::int32_t>(item + 1),
                      generator.next_uniform() < (likes ? s.liked : s.other)});
    }
    events.push_back(std::move(list));
  }
  return {std::move(events), std::move(category), options, "clicks"};
}

ClickData load_clicks(const std::string& name_or_folder, const ClickOptions& options,
                      const ClickSimulation& simulation) {
  const Phase phase("simulating the clicks of {}", name_or_folder);
  return name_or_folder == "clicks" ? simulate_clicks(simulation, options)
                                    : load_ratings(name_or_folder, options);
}

}  // namespace weft::data
