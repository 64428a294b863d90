// The kind of run called recommend: its choices, its rules, and how it begins.
#include <algorithm>
#include <cmath>

#include "autograd/ops/binary.h"
#include "autograd/ops/loss.h"
#include "core/error.h"
#include "train/tasks/common/epochs.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/recommend/recommend_run.h"
#include "train/tasks/recommend/recommend_task.h"

namespace weft::train {
namespace {

struct RecommendFacts : DataFacts {
  ClickFacts clicks;
  std::int64_t train_examples = 0;
};

Fields recommend_fields() {
  using C = RecommendConfig;
  const auto no_simulation = [](const C& c) { return c.data != "clicks" ? "data " + c.data : ""; };
  Fields all = {
      {"data", "Data", &C::data,
       "clicks, the simulation, or a folder with MovieLens' u.data or ratings.csv (a rating from 4 "
       "is a click)"},
      {"history", "Data", &C::history,
       "length of the click history that the model sees, the latest clicks", 1, 65536},
      {"leave_out", "Data", &C::leave_out,
       "each user's last events to test on, as many before them to validate on (0: 1, of the "
       "simulation 5)",
       0, 1000},
      Field{"users", "Simulation", &C::users, "users", 1, 1e8}.idle_where<C>(no_simulation),
      Field{"items", "Simulation", &C::items, "items", 1, 1e8}.idle_where<C>(no_simulation),
      Field{"topics", "Simulation", &C::topics, "hidden topics of the items", 1, 1e6}.idle_where<C>(
          no_simulation),
      Field{"interests", "Simulation", &C::interests, "topics that a user likes", 1, 1e6}
          .idle_where<C>(no_simulation),
      Field{"events", "Simulation", &C::events, "items shown to each user", 4, 1e6}.idle_where<C>(
          no_simulation),
      model_field(recommend_models()),
      {"penalty", "Optimization", &C::penalty, "mini-batch aware regularization of the embeddings",
       0, 1e6},
  };
  append(all, length_fields<C>("examples"));
  append(all, optimizer_fields("kind recommend"));
  append(all, run_fields());
  return all;
}

class RecommendKind : public UsedAs<RecommendRun, KindByEpochs<RecommendConfig>> {
 public:
  std::string name() const override { return "recommend"; }
  std::string about() const override {
    return "train a recommender: FM, DeepFM, DIN, or a transformer over what a user clicked before";
  }
  std::string command(Use use) const override {
    return command_of(use) + (use == Use::explain_history ? " (of model din)" : "");
  }
  std::string example() const override {
    return "weft train recommend --data ml-100k --model din --out runs/din";
  }

  const Fields& own_fields() const override {
    static const Fields table = recommend_fields();
    return table;
  }

  void check(const RunConfig& config) const override {
    const RecommendConfig& c = own(config);
    check_common(c);
    check_target(c, figures(), name());
    if (c.topics > c.items)
      fail<ConfigError>("config", "every topic needs an item: topics {}, items {}", c.topics,
                        c.items);
    if (c.interests > c.topics)
      fail<ConfigError>("config", "interests are topics: interests {}, topics {}", c.interests,
                        c.topics);
  }

  std::vector<std::string> figures() const override { return {"auc", "gauc"}; }

  Prepared prepare(std::unique_ptr<RunConfig> config, const Known& known) const override {
    RecommendConfig& c = own(*config);
    if (known.whole)
      fail<ConfigError>("eval",
                        "--data is not for recommend runs: other clicks are of other users and "
                        "items, of which this model knows nothing");
    c.data = c.data == "clicks" ? c.data : absolute_data_path(c.data);
    settle_leave_out(c);
    data::ClickData data = load_click_data(c);
    const std::int64_t per_epoch = data.batches_per_epoch(c.batch);
    Prepared run;
    run.steps = steps_of(c, per_epoch);
    settle_common(c, run.steps, std::max<std::int64_t>(1, per_epoch / c.accumulate));
    RecommendFacts facts;
    facts.clicks = {data.n_item(), data.n_category(), data.n_user()};
    check_fits(c, facts);
    run.has_test = true;
    run.notes = data.notes();
    run.task = std::make_unique<RecommendTask>(c, std::move(data));
    run.config = std::move(config);
    return run;
  }

  std::unique_ptr<DataFacts> inspect_data(const RunConfig& config) const override {
    RecommendConfig c = own(config);
    settle_leave_out(c);
    const data::ClickData data = load_click_data(c);
    auto facts = std::make_unique<RecommendFacts>();
    facts->clicks = {data.n_item(), data.n_category(), data.n_user()};
    facts->train_examples = data.size(data::Split::train);
    return facts;
  }
  /// Of examples with full histories.
  Sketch sketch(const RunConfig& config, const DataFacts& data) const override {
    const RecommendConfig& c = own(config);
    const ClickFacts& facts = static_cast<const RecommendFacts&>(data).clicks;
    const auto model = std::make_shared<nn::Recommender>(recommender_config(c, facts));
    const std::vector<Tensor> occurrences{Tensor::empty({facts.items}),
                                          Tensor::empty({facts.categories}),
                                          Tensor::empty({facts.users})};
    return {.model = model,
            .loss = [=, history = c.history, penalty = c.penalty](std::int64_t batch) {
              const Tensor ids = sketched_ids({batch, 3 + 2 * history});
              const Tensor loss = bce_with_logits((*model)(ids), Tensor::empty({batch}));
              return penalty == 0 ? loss
                                  : loss + mul(model->embedding_penalty(ids, occurrences), penalty);
            }};
  }

 protected:
  std::int64_t batches_per_epoch(const RecommendConfig& c, const DataFacts& data) const override {
    return static_cast<const RecommendFacts&>(data).train_examples / c.batch;
  }

 private:
  static void settle_leave_out(RecommendConfig& c) {
    if (c.leave_out != 0) return;
    c.leave_out = c.data == "clicks" ? 5 : 1;
    c.derived.emplace_back("leave_out");
  }
};

}  // namespace

RecommendConfig::RecommendConfig() : RunConfig(recommend_models()) {
  batch = 128;
  lr = 3e-3;
  optimizer.begin_with({{"beta2", 0.999}});
  weight_decay = 0;
  schedule = "linear";
  final_lr = 0;
}

const Kind& kind_of(const RecommendConfig&) {
  static const RecommendKind kind;
  return kind;
}

}  // namespace weft::train
