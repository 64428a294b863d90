#include "train/loop/figures.h"

#include <fmt/format.h>

namespace weft::train {

const std::vector<Figure>& known_figures() {
  static const std::vector<Figure> all = {
      {"loss", "loss", true},
      {"bits_per_byte", "bits per byte", true},
      {"accuracy", "accuracy", false, true},
      {"exact", "exact sequences", false, true},
      {"f1", "F1", false},
      {"macro_f1", "macro-F1", false},
      {"auc", "AUC", false},
      {"gauc", "grouped AUC", false},
      {"synonyms", "synonyms in the top 3", false, true},
      {"ece", "calibration error", true, true},
      {"mse", "mean squared error", true},
      {"rmse", "root mean squared error", true},
      {"mae", "mean absolute error", true},
      {"r2", "R2", false},
      {"map50", "mAP@0.5", false},
      {"map", "mAP@0.5:0.95", false},
  };
  return all;
}

const Figure* find_figure(std::string_view name) {
  for (const Figure& figure : known_figures()) {
    if (figure.name == name) return &figure;
  }
  return nullptr;
}

double Evaluation::figure(std::string_view name) const {
  if (name == "loss") return loss;
  for (const auto& [own, value] : figures) {
    if (own == name) return value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

std::string figure_text(std::string_view name, double value) {
  const Figure* const figure = find_figure(name);
  if (figure == nullptr) return fmt::format("{} {:.4f}", name, value);
  return figure->percent ? fmt::format("{} {:.2f} %", figure->label, 100 * value)
                         : fmt::format("{} {:.4f}", figure->label, value);
}

}  // namespace weft::train
