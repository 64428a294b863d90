// The models of recommend runs, the default one first. They are one class of nn, which differs in
// what it makes of the history.
#include "train/tasks/recommend/recommend_model.h"

#include "core/error.h"

namespace weft::train {
namespace {

/// Of these names, in the order of help.
Fields fields_named(const std::vector<std::string>& names) {
  using O = RecommenderOptions;
  const Fields all = {
      {"width", "Model", &O::width, "embedding dimension", 1, 65536},
      {"hidden", "Model", &O::hidden, "first hidden layer of the MLP; the second is half of it", 1,
       65536},
      {"unit_hidden", "Model", &O::unit_hidden, "hidden layer of din's local activation unit", 1,
       65536},
      {"gate", "Model", &O::gate, "activation of the MLP and of the local activation unit", 0, 0,
       nn::choices<nn::ClickActivation>()},
      {"layers", "Model", &O::layers, "layers of bst and autoint", 1, 10000},
      {"heads", "Model", &O::heads, "their attention heads", 1, 10000},
      {"user_id", "Model", &O::user_id, "the user's id is a feature, too"},
      {"dropout", "Model", &O::dropout,
       "dropout: fraction of the MLP's activations dropped in training", 0, 0.99},
      {"init_std", "Model", &O::init_std, "standard deviation of the initial embeddings", 0, 100},
  };
  Fields chosen;
  for (const Field& field : all)
    for (const std::string& name : names)
      if (field.name == name) chosen.push_back(field);
  return chosen;
}

/// The width of a place of bst is that of an item and its
/// category.
struct BstChoices : RecommenderOptions {
  void check() const override {
    if (2 * width % heads != 0)
      fail<ConfigError>("config", "twice the width must be divisible by heads: width {}, heads {}",
                        width, heads);
  }
};

template <class Choices>
class RecommenderEntry : public EntryOf<Entry, Choices> {
 public:
  RecommenderEntry(std::string name, std::string about, std::vector<std::string> own)
      : name_(std::move(name)), about_(std::move(about)) {
    own.insert(own.end(), {"width", "user_id", "init_std"});
    fields_ = fields_named(own);
  }
  std::string name() const override { return name_; }
  std::string about() const override { return about_; }
  const Fields& fields() const override { return fields_; }

 private:
  std::string name_, about_;
  Fields fields_;
};

}  // namespace

const Registry& recommend_models() {
  using Plain = RecommenderEntry<RecommenderOptions>;
  static const Plain din("din", "deep interest network",
                         {"hidden", "unit_hidden", "gate", "dropout"}),
      fm("fm", "factorization machine", {}),
      deepfm("deepfm", "factorization machine and MLP", {"hidden", "gate", "dropout"}),
      sum("sum", "summed history", {"hidden", "gate", "dropout"}),
      autoint("autoint", "attention between features", {"layers", "heads"});
  static const RecommenderEntry<BstChoices> bst("bst", "transformer over the history",
                                                {"hidden", "gate", "layers", "heads", "dropout"});
  static const Registry all("model", {&din, &fm, &deepfm, &sum, &bst, &autoint});
  return all;
}

nn::RecommenderConfig recommender_config(const RecommendConfig& c, const ClickFacts& facts) {
  const auto& o = c.model.as<RecommenderOptions>();
  return {.n_item = facts.items,
          .n_category = facts.categories,
          .n_user = o.user_id ? facts.users : 0,
          .history = c.history,
          .model = nn::from_name<nn::ClickModel>(c.model.name(), "model"),
          .n_embd = o.width,
          .hidden = {o.hidden, std::max<std::int64_t>(1, o.hidden / 2)},
          .unit_hidden = o.unit_hidden,
          .activation = nn::from_name<nn::ClickActivation>(o.gate, "gate"),
          .n_head = o.heads,
          .n_layer = o.layers,
          .dropout = o.dropout,
          .init_std = o.init_std};
}

}  // namespace weft::train
