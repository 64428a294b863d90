// Samples of the models of texts and clicks, tiny, and of their activations. Bert's, DIN's and FM's
// values are held against PyTorch's by golden files.
#include <cmath>
#include <set>

#include "nn/dice.h"
#include "nn/models/bag_of_words.h"
#include "nn/models/bert.h"
#include "nn/models/recommender.h"
#include "nn/models/skip_gram.h"
#include "nn/samples/module_case.h"

namespace weft::samples::nn_texts_and_clicks_samples {
namespace {

using namespace nn;

/// A few elements of every parameter are checked.
template <class M>
Case tiny_case(std::string label, std::shared_ptr<M> model, Tensor input,
               Reference reference = {}) {
  Case result =
      module_case(std::move(label), std::move(model), std::move(input), std::move(reference));
  result.check.max_elements = 6;
  result.f32_tolerance = 5e-4;
  return result;
}

const Register dice_sample("Dice", Kind::module, [] {
  Sample sample{.name = "Dice", .kind = Kind::module};
  const auto training = [](const std::vector<Tensor>& in) {
    const auto x = flat(in[0]), alpha = flat(in[1]);
    const std::size_t channels = alpha.size(), rows = x.size() / channels;
    std::vector<double> out(x.size());
    for (std::size_t c = 0; c < channels; ++c) {
      double mean = 0, var = 0;
      for (std::size_t r = 0; r < rows; ++r)
        mean += x[r * channels + c] / static_cast<double>(rows);
      for (std::size_t r = 0; r < rows; ++r)
        var += std::pow(x[r * channels + c] - mean, 2) / static_cast<double>(rows);
      for (std::size_t r = 0; r < rows; ++r) {
        const double s = x[r * channels + c],
                     p = 1 / (1 + std::exp(-(s - mean) / std::sqrt(var + 1e-8)));
        out[r * channels + c] = p * s + (1 - p) * alpha[c] * s;
      }
    }
    return out;
  };
  const auto untrained = std::make_shared<Dice>(3);  // running mean 0, variance 1
  untrained->eval();
  sample.cases = {
      module_case("training", std::make_shared<Dice>(3), values({5, 3}, 1), training),
      module_case("evaluation", untrained, values({4, 3}, 1), [](const std::vector<Tensor>& in) {
        const auto x = flat(in[0]), alpha = flat(in[1]);
        std::vector<double> out;
        for (std::size_t i = 0; i < x.size(); ++i) {
          const double p = 1 / (1 + std::exp(-x[i] / std::sqrt(1 + 1e-8)));
          out.push_back(p * x[i] + (1 - p) * alpha[i % alpha.size()] * x[i]);
        }
        return out;
      })};
  sample.errors = {
      {"shape",
       [] {
         Dice(3).forward(Tensor::zeros({2, 4}));
       },
       "[dice] expects (N, 3), got (2, 4)"},
      {"rows",
       [] {
         Dice(3).forward(Tensor::zeros({0, 3}));
       },
       "[dice] a training batch needs at least one row: got (0, 3)"},
      {"momentum", [] { Dice(3, 0); }, "[dice] momentum must be above 0 and at most 1, got 0"}};
  return sample;
});

const Register prelu_sample("PRelu", Kind::module, [] {
  Sample sample{.name = "PRelu", .kind = Kind::module};
  sample.cases = {module_case("rows", std::make_shared<PRelu>(3), values({2, 4, 3}, 1),
                              [](const std::vector<Tensor>& in) {
                                const auto x = flat(in[0]), alpha = flat(in[1]);
                                std::vector<double> out;
                                for (std::size_t i = 0; i < x.size(); ++i)
                                  out.push_back(x[i] > 0 ? x[i] : alpha[i % alpha.size()] * x[i]);
                                return out;
                              })};
  sample.errors = {{"shape",
                    [] {
                      PRelu(3).forward(Tensor::zeros({2, 4}));
                    },
                    "[prelu] expects (..., 3), got (2, 4)"}};
  return sample;
});

Case bert_case(std::string label, std::int64_t n_class, const Tensor& ids) {
  return tiny_case(std::move(label),
                   std::make_shared<Bert>(BertConfig{.vocab_size = 9,
                                                     .block_size = 6,
                                                     .n_layer = 2,
                                                     .n_head = 2,
                                                     .n_embd = 8,
                                                     .mlp_ratio = 2,
                                                     .dropout = 0,
                                                     .n_class = n_class}),
                   ids);
}

const Register bert_sample("Bert", Kind::model, [] {
  Sample sample{.name = "Bert", .kind = Kind::model};
  const Tensor padded = Tensor::from<std::int64_t>({2, 5, 8, 3, 0, 2, 7, 3, 0, 0}, {2, 5});
  sample.cases = {bert_case("tokens", 0, padded), bert_case("classes", 3, padded)};
  sample.errors = {
      {"vocabulary", [] { Bert({}); }, "[bert] vocab_size must be 1 to 268435456, got 0"},
      {"heads", [] { Bert({.vocab_size = 5, .n_embd = 130}); },
       "[bert] n_embd 130 is not divisible by n_head 4; use 128 or 132"},
      {"padding", [] { Bert({.vocab_size = 5, .pad_id = 5}); },
       "[bert] pad_id must be an id of the vocabulary, 0 to 4, got 5"},
      {"length",
       [] {
         Bert({.vocab_size = 5, .block_size = 4, .n_layer = 1, .n_head = 2, .n_embd = 8})
             .forward(Tensor::ones({1, 5}, DType::i64));
       },
       "[bert] 5 tokens are more than block_size 4, and learned positions end there"},
      {"rank",
       [] {
         Bert({.vocab_size = 5, .n_layer = 1, .n_head = 2, .n_embd = 8})
             .forward(Tensor::ones({4}, DType::i64));
       },
       "[bert] expects ids (B, T), got (4,)"},
      {"no token head",
       [] {
         const Bert bert({.vocab_size = 5,
                          .block_size = 4,
                          .n_layer = 1,
                          .n_head = 2,
                          .n_embd = 8,
                          .n_class = 2});
         bert.predict_tokens(bert.encode(Tensor::ones({1, 3}, DType::i64)), Tensor());
       },
       "[bert] built with a classifier of 2 classes and without a token head: it predicts no "
       "tokens"}};
  return sample;
});

const Register bag_sample("BagOfWords", Kind::model, [] {
  Sample sample{.name = "BagOfWords", .kind = Kind::model};
  const Tensor ids = Tensor::from<std::int64_t>({5, 6, 5, 0, 1, 2, 3, 0, 7, 4, 7, 7}, {3, 4});
  sample.cases = {tiny_case(
      "repeated and ignored words",
      std::make_shared<BagOfWords>(BagOfWordsConfig{.vocab_size = 8, .n_class = 3}), ids,
      [](const std::vector<Tensor>& in) {
        const auto ids = flat(in[0]), weight = flat(in[1]), bias = flat(in[2]);
        std::vector<double> out;
        for (std::size_t row = 0; row < 3; ++row) {
          const std::set<double> words(ids.begin() + static_cast<std::ptrdiff_t>(row * 4),
                                       ids.begin() + static_cast<std::ptrdiff_t>(row * 4 + 4));
          for (std::size_t c = 0; c < 3; ++c) {
            double sum = bias[c];
            for (const double word : words)
              sum += word < 4 ? 0 : weight[static_cast<std::size_t>(word) * 3 + c];
            out.push_back(sum);
          }
        }
        return out;
      })};
  sample.errors = {
      {"vocabulary", [] { BagOfWords({}); },
       "[bag of words] vocab_size must be 1 to 268435456, got 0"},
      {"rank", [] { BagOfWords({.vocab_size = 8}).forward(Tensor::zeros({4}, DType::i64)); },
       "[bag of words] expects ids (B, T), got (4,)"}};
  return sample;
});

const Register skip_gram_sample("SkipGram", Kind::model, [] {
  Sample sample{.name = "SkipGram", .kind = Kind::model};
  const auto scores = [](const std::vector<Tensor>& in) {
    const auto ids = flat(in[0]), input = flat(in[1]), output = flat(in[2]);
    std::vector<double> out;
    for (std::size_t row = 0; row < 3; ++row)
      for (std::size_t k = 1; k < 5; ++k) {
        double dot = 0;
        for (std::size_t c = 0; c < 4; ++c)
          dot += input[static_cast<std::size_t>(ids[row * 5]) * 4 + c] *
                 output[static_cast<std::size_t>(ids[row * 5 + k]) * 4 + c];
        out.push_back(dot);
      }
    return out;
  };
  const auto loss = [scores](const std::vector<Tensor>& in) {
    const auto all = scores(in);
    double sum = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
      sum += std::log1p(std::exp(i % 4 == 0 ? -all[i] : all[i]));
    return std::vector<double>{sum / 3};
  };
  const SkipGramConfig config{.vocab_size = 6, .n_embd = 4};
  sample.cases = {
      tiny_case("scores", std::make_shared<SkipGram>(config), ids({3, 5}, 6, 1), scores),
      module_case<SkipGram>(
          "loss", std::make_shared<SkipGram>(config), {ids({3, 5}, 6, 1)},
          [](SkipGram& model, const std::vector<Tensor>& in) {
            return negative_sampling_loss(model(in[0]));
          },
          loss)};
  sample.errors = {
      {"vocabulary", [] { SkipGram({}); }, "[skip-gram] vocab_size must be 1 to 268435456, got 0"},
      {"pairs",
       [] {
         SkipGram({.vocab_size = 6}).forward(Tensor::zeros({3, 1}, DType::i64));
       },
       "[skip-gram] expects ids (B, 2 + noise words), got (3, 1)"}};
  return sample;
});

/// Users, items, categories, then three places of history: full, partly empty, empty.
Tensor clicks() {
  return Tensor::from<std::int64_t>({1, 4, 2, 5, 3, 1, 1, 2, 1,  //
                                     2, 1, 1, 4, 0, 0, 2, 0, 0,  //
                                     3, 5, 1, 0, 0, 0, 0, 0, 0},
                                    {3, 9});
}

Case click_case(std::string label, RecommenderConfig config) {
  config.n_item = 6;
  config.n_category = 3;
  config.history = 3;
  config.n_embd = 2;
  config.hidden = {4, 3};
  config.unit_hidden = 3;
  return tiny_case(std::move(label), std::make_shared<Recommender>(config), clicks());
}

const Register recommender_sample("Recommender", Kind::model, [] {
  Sample sample{.name = "Recommender", .kind = Kind::model};
  sample.cases = {
      click_case("fm", {.n_user = 4, .model = ClickModel::fm}),
      click_case("deepfm", {.model = ClickModel::deepfm, .activation = ClickActivation::prelu}),
      click_case("sum", {.model = ClickModel::sum, .activation = ClickActivation::dice}),
      click_case("din", {.n_user = 4, .model = ClickModel::din}),
      click_case("bst",
                 {.model = ClickModel::bst, .activation = ClickActivation::prelu, .n_head = 2}),
      click_case("autoint",
                 {.n_user = 4, .model = ClickModel::autoint, .n_head = 2, .n_layer = 2})};
  Case penalty = module_case<Recommender>(
      "penalty",
      std::make_shared<Recommender>(RecommenderConfig{.n_item = 6,
                                                      .n_category = 3,
                                                      .n_user = 4,
                                                      .history = 3,
                                                      .model = ClickModel::sum,
                                                      .n_embd = 2,
                                                      .hidden = {}}),
      {clicks()},
      [](Recommender& model, const std::vector<Tensor>& in) {
        return model.embedding_penalty(
            in[0], {Tensor::from<double>({0, 2, 1, 3, 5, 4}, {6}),
                    Tensor::from<double>({0, 7, 3}, {3}), Tensor::from<double>({0, 1, 2, 3}, {4})});
      },
      [](const std::vector<Tensor>& in) {  // the rows that the batch reads: items 1, 3, 4, 5;
                                           // categories 1, 2; users 1, 2, 3
        const auto items = flat(in[1]), categories = flat(in[2]), users = flat(in[3]);
        double sum = 0;
        const auto add = [&](const std::vector<double>& table, std::size_t row, double n) {
          sum += (table[2 * row] * table[2 * row] + table[2 * row + 1] * table[2 * row + 1]) / n;
        };
        add(items, 1, 2), add(items, 3, 3), add(items, 4, 5), add(items, 5, 4);
        add(categories, 1, 7), add(categories, 2, 3), add(users, 1, 1), add(users, 2, 2),
            add(users, 3, 3);
        return std::vector<double>{sum / 2};
      });
  sample.cases.push_back(std::move(penalty));
  const RecommenderConfig tiny{.n_item = 6, .n_category = 3, .history = 3};
  sample.errors = {
      {"items", [] { Recommender({}); }, "[recommender] n_item must be 1 to 268435456, got 0"},
      {"heads",
       [] { Recommender({.n_item = 6, .model = ClickModel::bst, .n_embd = 4, .n_head = 3}); },
       "[recommender] n_embd 8 is not divisible by n_head 3; use 6 or 9"},
      {"history",
       [=] {
         Recommender(tiny).forward(Tensor::zeros({2, 11}, DType::i64));
       },
       "[recommender] expects ids (B, 9): user, item, category, 3 items and 3 categories of the "
       "history; got (2, 11)"},
      {"weights",
       [=] {
         RecommenderConfig sum = tiny;
         sum.model = ClickModel::sum;
         Recommender(sum).history_weights(Tensor::zeros({2, 9}, DType::i64));
       },
       "[recommender] sum has no local activation unit: only din weighs the history"}};
  return sample;
});

}  // namespace
}  // namespace weft::samples::nn_texts_and_clicks_samples
