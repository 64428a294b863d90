// Click models: will this user click this item, after what the user clicked before?
#pragma once

#include <optional>
#include <vector>

#include "nn/block.h"
#include "nn/dice.h"
#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/model.h"

namespace weft::nn {

/// fm: factorization machine (Rendle 2010, ICDM, eq. 1 and lemma 3.1). deepfm: the same beside an
/// MLP on the same embeddings (Guo et al. 2017, arXiv 1703.04247, eq. 1 to 3). sum: embeddings and
/// the summed history into an MLP (the base model of Zhou et al. 2018, section 4.2). din: the
/// history weighted by a local activation unit (Zhou et al. 2018, arXiv 1706.06978, section 4.3).
/// bst: a transformer layer over the history and the item (Chen et al. 2019, arXiv 1905.06874,
/// section 2), read at the item. autoint: fm's fields attend to each other, layer by layer, and a
/// linear map reads all of them (Song et al. 2019, arXiv 1810.11921, eq. 4 to 10).
enum class ClickModel : std::uint8_t { fm, deepfm, sum, din, bst, autoint };
enum class ClickActivation : std::uint8_t { relu, prelu, dice };
template <>
const std::vector<std::string>& choices<ClickModel>();
template <>
const std::vector<std::string>& choices<ClickActivation>();
template <>
std::string_view to_name<ClickModel>(ClickModel value);
template <>
std::string_view to_name<ClickActivation>(ClickActivation value);
template <>
ClickModel from_name<ClickModel>(std::string_view text, std::string_view option);
template <>
ClickActivation from_name<ClickActivation>(std::string_view text, std::string_view option);

struct RecommenderConfig {
  std::int64_t n_item = 0;      ///< rows of the item table, id 0 (nothing) included; must be given
  std::int64_t n_category = 1;  ///< the same of categories
  std::int64_t n_user = 0;      ///< the same of users; 0: the model does not look at who it is
  std::int64_t history = 30;    ///< places of the history
  ClickModel model = ClickModel::din;
  std::int64_t n_embd = 8;  ///< of each embedding
  std::vector<std::int64_t> hidden{80, 40};
  std::int64_t unit_hidden = 36;  ///< of the local activation unit
  ClickActivation activation = ClickActivation::dice;
  std::int64_t n_head =
      2;  ///< of bst, whose width is 2 n_embd, and of autoint, each of whose heads is n_embd wide
  std::int64_t n_layer = 1;  ///< of both
  double dropout = 0;        ///< of the MLP's hidden layers
  double init_std = 0.05;    ///< of the embeddings

  /// Throws ConfigError.
  void validate() const;
};

/// A batch is one table of ids (B, 3 + 2 L): user, item, category, L items of the history and L
/// categories of them, 0 where there is none. Parameters: item, category, user: the tables. fm,
/// deepfm and autoint: history_item and history_category beside them. fm and deepfm: first_*
/// tables, bias. din: unit. bst: position, blocks. autoint: interacting. head in all but fm, mlp in
/// these but autoint.
class Recommender : public Model {
 public:
  explicit Recommender(const RecommenderConfig& config);

  /// Shape: ids (B, 3 + 2 L) -> (B,), logits of a click. Throws: ShapeError, IndexError.
  Tensor forward(const Tensor& ids) const override;
  /// What din multiplies each place of the history with, (B, L), 0 where there is none. Throws
  /// ConfigError for other models.
  Tensor history_weights(const Tensor& ids) const;
  /// Mini-batch aware regularization: half the sum, over the rows of the item, category and user
  /// tables that the batch reads, of |w_j|^2 / n_j. `occurrences`: n_j of items, categories and
  /// users (may be undefined without users), (rows,) float, in the whole training data. Its
  /// gradient is eq. 6 of Zhou et al. 2018 without its factor lambda.
  Tensor embedding_penalty(const Tensor& ids, const std::vector<Tensor>& occurrences) const;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const RecommenderConfig& config() const { return config_; }  ///< as it was built

 private:
  /// One hidden layer with its activation.
  struct Hidden : Module {
    Hidden(std::int64_t in, std::int64_t out, ClickActivation activation);
    Tensor forward(const Tensor& x) const;
    Child<Linear> fc;
    OptionalChild<Dice> dice;
    OptionalChild<PRelu> prelu;
  };
  /// The local activation unit: how much a clicked item says about the candidate.
  struct Unit : Module {
    explicit Unit(const RecommenderConfig& config);
    /// Shape: clicked and candidate (N, C) -> (N, 1).
    Tensor forward(const Tensor& clicked, const Tensor& candidate) const;
    Child<Hidden> hidden;
    Child<Linear> out;
  };
  /// One interacting layer of AutoInt: a field is what it finds in the others, and itself.
  struct Interacting : Module {
    Interacting(std::int64_t in, std::int64_t n_head, std::int64_t head_size);
    /// Shape: (B, F, in) -> (B, F, n_head head_size).
    Tensor forward(const Tensor& x) const;
    std::int64_t n_head;
    Child<Linear> query, key, value, residual;
  };
  struct Batch;  ///< the ids taken apart

  Tensor fields(const Batch& batch) const;
  Tensor factorization(const Batch& batch) const;
  Tensor interest(const Batch& batch, const Tensor& candidate) const;
  Tensor attend(const Batch& batch, const Tensor& candidate) const;
  Tensor cross(Tensor x) const;
  Tensor deep(Tensor x) const;

  RecommenderConfig config_;
  Child<Embedding> item;
  Child<Embedding> category;
  OptionalChild<Embedding> user;
  OptionalChild<Embedding> history_item, history_category;
  OptionalChild<Embedding> first_item, first_category, first_user, first_history_item,
      first_history_category;
  OptionalChild<Unit> unit;
  OptionalChild<Embedding> position;
  ModuleList<Block> blocks{*this, "blocks"};
  ModuleList<Interacting> interacting{*this, "interacting"};
  ModuleList<Hidden> mlp{*this, "mlp"};
  Child<Dropout> drop;
  OptionalChild<Linear> head;
  Parameter bias;
};

}  // namespace weft::nn
