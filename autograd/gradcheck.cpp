#include "autograd/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "autograd/autograd.h"
#include "autograd/engine_state.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"

namespace weft {
namespace {

/// Fixed weights of either sign, none near 0, so that every element of what they weigh counts.
Tensor weights(const Shape& shape, std::uint64_t seed, std::uint64_t number) {
  const std::uint64_t salt = seed * 0x2545F4914F6CDD1Du + number;
  Tensor result = Tensor::empty(shape, DType::f64);
  double* values = result.data<double>();
  for (std::int64_t i = 0, n = result.numel(); i < n; ++i) {
    std::uint64_t x =
        (static_cast<std::uint64_t>(i) + 1) * 0x9E3779B97F4A7C15u + salt * 0xD1B54A32D192ED03u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    const double magnitude = 0.5 + static_cast<double>(x >> 11) * 0x1p-53;
    values[i] = (x & 1) ? magnitude : -magnitude;
  }
  return result;
}

Shape unravel(std::int64_t element, const Shape& shape) {
  Shape index = shape;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    index[d] = element % shape[d];
    element /= shape[d];
  }
  return index;
}

/// Several elements of one place in memory: changing one would change the others.
bool overlaps_itself(const Tensor& t) {
  for (int d = 0; d < t.rank(); ++d)
    if (t.shape()[d] > 1 && t.strides()[d] == 0) return true;
  return false;
}

bool is_wanted(const Tensor& t) { return is_float(t.dtype()) && t.requires_grad(); }

/// One element of an input, changed in place and put back.
class Perturbed {
 public:
  Perturbed(const Tensor& t, const Shape& index) : place_(t.data<double>()) {
    for (int d = 0; d < index.rank(); ++d) place_ += index[d] * t.strides()[d];
    before_ = *place_;
  }
  ~Perturbed() { *place_ = before_; }
  Perturbed(const Perturbed&) = delete;
  Perturbed& operator=(const Perturbed&) = delete;

  double before() const { return before_; }
  void set(double value) { *place_ = value; }

 private:
  double* place_;
  double before_;
};

class Checker {
 public:
  /// own_inputs: how many inputs the caller gave, and `kinks` knows; the second-order pass adds the
  /// incoming gradient.
  Checker(const GradcheckOptions& options, std::size_t own_inputs)
      : options_(options), own_inputs_(static_cast<int>(own_inputs)) {
    result_.passed = true;
  }

  void pass(const GradFunction& function, const std::vector<Tensor>& inputs,
            const std::string& label) {
    if (!result_.passed) return;
    label_ = label;
    const Tensor output = evaluate(function, inputs);
    const std::vector<double> value = output.to_vector<double>();
    const Tensor repeated = evaluate(function, inputs);
    if (!same_values(value, repeated.to_vector<double>(), "the function")) return;
    projection_ = weights(output.shape(), options_.seed, 1);
    weights_ = projection_.to_vector<double>();
    const std::vector<Tensor> gradients = differentiate(output, inputs);
    const std::vector<Tensor> again = differentiate(repeated, inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (is_wanted(inputs[i]) &&
          !same_values(gradients[i].to_vector<double>(), again[i].to_vector<double>(),
                       fmt::format("the gradient of input {}", i)))
        return;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (is_wanted(inputs[i]))
        check_input(function, inputs, static_cast<int>(i), gradients[i].to_vector<double>(), value);
  }

  /// The gradients that a rule gives must be those that its definition gives.
  void compare_with_definition(const GradFunction& function, const std::vector<Tensor>& inputs) {
    if (!result_.passed) return;
    label_ = "rule against definition";
    const Tensor output = evaluate(function, inputs);
    projection_ = weights(output.shape(), options_.seed, 1);
    const std::vector<Tensor> by_rule = differentiate(output, inputs);
    const std::vector<Tensor> by_definition =
        differentiate(evaluate(function, inputs), inputs, true);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!is_wanted(inputs[i])) continue;
      const auto a = by_rule[i].to_vector<double>(), b = by_definition[i].to_vector<double>();
      for (std::size_t e = 0; e < a.size(); ++e)
        if (side_at(inputs[i], static_cast<int>(i), static_cast<std::int64_t>(e)) == 0)
          compare(inputs[i], static_cast<int>(i), static_cast<std::int64_t>(e), a[e], b[e]);
    }
  }

  GradcheckResult finish() {
    if (result_.passed && result_.checked == 0 && result_.skipped > 0) {
      result_.passed = false;
      result_.message =
          fmt::format("nothing was compared: the kinks exclude all {} elements", result_.skipped);
    }
    if (result_.message.empty()) {
      if (result_.input < 0)
        result_.message = "nothing to compare";
      else
        result_.message =
            result_.passed ? fmt::format("{} elements agree; worst: {}", result_.checked, worst())
                           : worst();
    }
    return std::move(result_);
  }

 private:
  Tensor evaluate(const GradFunction& function, const std::vector<Tensor>& inputs) const {
    Tensor output = function(inputs);
    if (output.dtype() != DType::f64)
      fail<DTypeError>("gradcheck", "expects a function that returns f64 for f64, got {}",
                       name(output.dtype()));
    return output;
  }

  std::vector<Tensor> differentiate(const Tensor& output, const std::vector<Tensor>& inputs,
                                    bool create_graph = false) const {
    std::vector<Tensor> wanted, found, result(inputs.size());
    for (const Tensor& input : inputs)
      if (is_wanted(input)) wanted.push_back(input);
    found.resize(wanted.size());
    if (output.requires_grad())
      found = grad({output}, wanted, {projection_},
                   {.create_graph = create_graph, .allow_unused = true});
    std::size_t next = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (is_wanted(inputs[i])) {
        result[i] = found[next++];
        if (!result[i].defined()) result[i] = Tensor::zeros(inputs[i].shape(), DType::f64);
      }
    return result;
  }

  bool same_values(const std::vector<double>& first, const std::vector<double>& second,
                   std::string_view what) {
    if (first.size() == second.size() &&
        (first.empty() ||
         std::memcmp(first.data(), second.data(), first.size() * sizeof(double)) == 0))
      return true;
    result_.passed = false;
    std::size_t i = 0;
    while (i < std::min(first.size(), second.size()) && first[i] == second[i]) ++i;
    result_.message =
        i < std::min(first.size(), second.size())
            ? fmt::format(
                  "not deterministic: {} gave {} and then {} at element {} for the same inputs{}",
                  what, first[i], second[i], i, suffix())
            : fmt::format(
                  "not deterministic: {} gave {} and then {} elements for the same inputs{}", what,
                  first.size(), second.size(), suffix());
    return false;
  }

  int side_at(const Tensor& input, int i, std::int64_t element) const {
    return options_.kinks && i < own_inputs_
               ? options_.kinks(i, element, input.at(unravel(element, input.shape())))
               : 0;
  }

  void check_input(const GradFunction& function, const std::vector<Tensor>& inputs, int i,
                   const std::vector<double>& analytic, const std::vector<double>& value) {
    const Tensor& input = inputs[static_cast<std::size_t>(i)];
    const std::int64_t n = input.numel();
    const std::int64_t count = options_.max_elements > 0 ? std::min(n, options_.max_elements) : n;
    for (std::int64_t k = 0; k < count; ++k) {
      const std::int64_t element =
          count > 1 ? k * (n - 1) / (count - 1) : 0;  // the first and the last among them
      const int side = side_at(input, i, element);
      if (side == 2) {
        ++result_.skipped;
        continue;
      }
      const double given = analytic[static_cast<std::size_t>(element)];
      double slope = numeric(function, inputs, input, unravel(element, input.shape()), side, value,
                             options_.step);
      // A kink that happens to lie within the step, or rounding, spoils one difference; a wrong
      // gradient disagrees with all.
      for (const double factor : {1.0 / 32, 32.0}) {
        if (agrees(given, slope)) break;
        const double other = numeric(function, inputs, input, unravel(element, input.shape()), side,
                                     value, factor * options_.step);
        if (agrees(given, other)) slope = other;
      }
      compare(input, i, element, given, slope);
    }
  }

  double numeric(const GradFunction& function, const std::vector<Tensor>& inputs,
                 const Tensor& input, const Shape& index, int side,
                 const std::vector<double>& value, double relative_step) const {
    Perturbed x(input, index);
    // A power of two, so that x + h and x - h are exact but for the last bits of x.
    const double h =
        std::exp2(std::round(std::log2(relative_step * std::max(1.0, std::abs(x.before())))));
    const auto at = [&](double offset) {
      x.set(x.before() + offset);
      std::vector<double> result = evaluate(function, inputs).to_vector<double>();
      if (result.size() != weights_.size())
        fail<ShapeError>("gradcheck", "the function's output had {} elements and then {}",
                         weights_.size(), result.size());
      return result;
    };
    double slope = 0;
    if (side == 0) {
      const std::vector<double> above = at(h), below = at(-h);
      const double width = (x.before() + h) - (x.before() - h);
      for (std::size_t j = 0; j < above.size(); ++j)
        slope += weights_[j] * (above[j] - below[j]) / width;
      return slope;
    }
    // f'(x) = (-3 f(x) + 4 f(x + h) - f(x + 2 h)) / (2 h) + O(h^2), h of the side's sign.
    const double step = side * h;
    const std::vector<double> near = at(step), far = at(2 * step);
    for (std::size_t j = 0; j < near.size(); ++j)
      slope += weights_[j] * (4 * (near[j] - value[j]) - (far[j] - value[j])) / (2 * step);
    return slope;
  }

  bool agrees(double analytic, double numeric) const {
    return std::isfinite(analytic) && std::isfinite(numeric) &&
           std::abs(analytic - numeric) <=
               options_.atol + options_.rtol * std::max(std::abs(analytic), std::abs(numeric));
  }

  void compare(const Tensor& input, int i, std::int64_t element, double analytic, double numeric) {
    ++result_.checked;
    const double size = std::max(std::abs(analytic), std::abs(numeric)),
                 difference = std::abs(analytic - numeric);
    const bool finite = std::isfinite(analytic) && std::isfinite(numeric);
    const bool agree = agrees(analytic, numeric);
    const double error =
        finite ? difference / std::max(1.0, size) : std::numeric_limits<double>::infinity();
    // A mismatch is worse than any agreement, and among equals the larger error.
    if (result_.input < 0 ||
        (agree == result_.passed ? error > result_.worst_error : result_.passed)) {
      result_.worst_error = error;
      result_.input = i;
      result_.index = unravel(element, input.shape());
      result_.analytic = analytic;
      result_.numeric = numeric;
      worst_label_ = label_;
    }
    result_.passed = result_.passed && agree;
  }

  std::string suffix() const { return label_.empty() ? "" : fmt::format(" ({})", label_); }

  std::string worst() const {
    const std::string where = result_.input < own_inputs_ ? fmt::format("input {}", result_.input)
                                                          : "the incoming gradient";
    return fmt::format("{} element {}: analytic {:.12g}, numeric {:.12g}, error {:.2e}{}", where,
                       result_.index.str(), result_.analytic, result_.numeric, result_.worst_error,
                       worst_label_.empty() ? "" : fmt::format(" ({})", worst_label_));
  }

  const GradcheckOptions& options_;
  int own_inputs_;
  GradcheckResult result_;
  std::string label_, worst_label_;
  Tensor projection_;
  std::vector<double> weights_;
};

std::vector<Tensor> strided(const std::vector<Tensor>& inputs) {
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    result.push_back(strided_copy(inputs[i], static_cast<int>(i % 2)));
    if (is_wanted(inputs[i])) result.back().set_requires_grad();
  }
  return result;
}

/// (inputs..., s) -> sum_i <d<f(inputs), s> / d input_i, w_i>: its gradient holds every second
/// derivative.
GradFunction gradient_function(const GradFunction& function, std::uint64_t seed) {
  return [function, seed](const std::vector<Tensor>& all) {
    const std::vector<Tensor> inputs(all.begin(), all.end() - 1);
    std::vector<Tensor> wanted;
    for (const Tensor& input : inputs)
      if (is_wanted(input)) wanted.push_back(input);
    const Tensor output = function(inputs);
    Tensor total = Tensor::scalar(0, DType::f64);
    if (!output.requires_grad()) return total;
    const std::vector<Tensor> gradients =
        grad({output}, wanted, {all.back()}, {.create_graph = true, .allow_unused = true});
    for (std::size_t i = 0; i < gradients.size(); ++i)
      if (gradients[i].defined())
        total = add(total, sum(mul(gradients[i], weights(gradients[i].shape(), seed, 2 + i))));
    return total;
  };
}

}  // namespace

Tensor strided_copy(const Tensor& t, int variant) {
  const Shape& shape = t.shape();
  const double gap = is_float(t.dtype())      ? std::numeric_limits<double>::quiet_NaN()
                     : t.dtype() == DType::u8 ? 1
                                              : -1;
  Tensor result;
  if (variant == 0 && t.rank() >= 2) {
    Shape strides = shape;
    std::int64_t stride = 1;
    for (int d = 0; d < t.rank(); ++d) {
      strides[d] = stride;
      stride *= std::max<std::int64_t>(1, shape[d]);
    }
    result = Tensor::full({std::max<std::int64_t>(1, shape.numel())}, gap, t.dtype())
                 .as_strided(shape, strides);
  } else {
    Shape wide = shape;
    if (wide.rank() > 0) wide[wide.rank() - 1] *= 2;
    Shape strides = wide.row_major_strides();
    if (strides.rank() > 0) strides[strides.rank() - 1] = 2;
    result = Tensor::full({wide.numel() + 2}, gap, t.dtype()).as_strided(shape, strides, 1);
  }
  result.copy_from(t);
  return result;
}

GradcheckResult gradcheck(const GradFunction& function, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
  const detail::GradModeGuard recording(true);
  std::vector<Tensor> own = inputs;
  bool any = false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (is_float(inputs[i].dtype()) && inputs[i].dtype() != DType::f64)
      fail<DTypeError>("gradcheck", "expects f64 inputs, input {} is {}", i,
                       name(inputs[i].dtype()));
    if (!is_wanted(inputs[i])) continue;
    any = true;
    if (overlaps_itself(inputs[i])) own[i] = raw::clone(inputs[i]).set_requires_grad();
  }
  if (!any)
    fail<GraphError>("gradcheck", "no input requires a gradient; call set_requires_grad() first");
  Checker checker(options, inputs.size());
  checker.pass(function, own, "");
  if (options.noncontiguous) checker.pass(function, strided(own), "strided");
  if (options.second_order) {
    checker.compare_with_definition(function, own);
    std::vector<Tensor> with_seed = own;
    with_seed.push_back(weights(function(own).shape(), options.seed, 1).set_requires_grad());
    checker.pass(gradient_function(function, options.seed), with_seed, "gradient of the gradient");
  }
  return checker.finish();
}

}  // namespace weft
