#include "train/tasks/common/uses.h"

namespace weft::train {

std::string command_of(Use use) {
  switch (use) {
    case Use::sample:
      return "weft sample RUN";
    case Use::predict_text:
      return "weft predict RUN --text TEXT";
    case Use::predict_image:
      return "weft predict RUN FILE.png";
    case Use::predict_rows:
      return "weft predict RUN FILE.csv";
    case Use::detect:
      return "weft detect RUN FILE.png";
    case Use::explain_attention:
      return "weft explain attention RUN";
    case Use::explain_embedding:
      return "weft explain embedding RUN";
    case Use::explain_history:
      return "weft explain history RUN";
    case Use::eval:
      break;
  }
  return "weft eval RUN";
}

}  // namespace weft::train
