
#include "train/tasks/classify/classify_model.h"

namespace weft::train {
namespace {

class ClassifyBertEntry : public ClassifyModelOf<BertChoices> {
 public:
  std::string name() const override { return "bert"; }
  std::string about() const override { return "BERT, fine-tuned or from scratch"; }

  const Fields& fields() const override {
    static const Fields table = bert_fields();
    return table;
  }

  std::unique_ptr<nn::Model> build(const ClassifyConfig& c, std::int64_t vocabulary,
                                   std::int64_t classes) const override {
    return std::make_unique<nn::Bert>(classifier_config(c, vocabulary, classes));
  }
};

}  // namespace

const Entry& bert_classify_model() {
  static const ClassifyBertEntry entry;
  return entry;
}

}  // namespace weft::train
