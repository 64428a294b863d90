// The list of kinds.
#include "train/tasks/common/kinds.h"

#include "train/tasks/classify/classify_config.h"
#include "train/tasks/common/encoder_config.h"
#include "train/tasks/detect/detect_config.h"
#include "train/tasks/embedding/embedding_config.h"
#include "train/tasks/recommend/recommend_config.h"
#include "train/tasks/sequence/sequence_config.h"
#include "train/tasks/table/table_config.h"
#include "train/tasks/text/text_config.h"
#include "train/tasks/tokens/tokens_config.h"
#include "train/tasks/translate/translate_config.h"
#include "train/tasks/vision/vision_config.h"

namespace weft::train {

const std::vector<const Kind*>& kinds() {
  static const std::vector<const Kind*> all = {
      &kind_of(TextConfig()),      &kind_of(VisionConfig()),    &kind_of(DetectConfig()),
      &kind_of(SequenceConfig()),  &kind_of(TranslateConfig()), &kind_of(TokensConfig()),
      &kind_of(TableConfig()),     &kind_of(BertRunConfig()),   &kind_of(ClassifyConfig()),
      &kind_of(EmbeddingConfig()), &kind_of(RecommendConfig()),
  };
  return all;
}

}  // namespace weft::train
