#include "nn/models/bag_of_words.h"
#include "train/tasks/classify/classify_model.h"

namespace weft::train {
namespace {

class ClassifyBagOfWordsEntry : public ClassifyModelOf<ModelOptions> {
 public:
  std::string name() const override { return "bow"; }
  std::string about() const override { return "logistic regression on the words that occur"; }

  const Fields& fields() const override {
    static const Fields table;
    return table;
  }

  void begin(RunConfig& config) const override {
    auto& c = static_cast<ClassifyConfig&>(config);
    c.tokenizer = "words";
    c.vocabulary = 20000;
    c.lr = 0.02;
    c.weight_decay = 0.01;
    c.steps = 1000;
  }

  std::unique_ptr<nn::Model> build(const ClassifyConfig&, std::int64_t vocabulary,
                                   std::int64_t classes) const override {
    return std::make_unique<nn::BagOfWords>(
        nn::BagOfWordsConfig{.vocab_size = vocabulary, .n_class = classes});
  }
};

}  // namespace

const Entry& bow_classify_model() {
  static const ClassifyBagOfWordsEntry entry;
  return entry;
}

}  // namespace weft::train
