// A module as a function of its inputs and parameters: what the gradient check and the parity tests
// need.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autograd/sample.h"
#include "nn/module.h"

namespace weft::samples {

/// Values for a parameter: around 1 for the weight of a norm, around 0 for all others.
inline Tensor parameter_values(const std::string& path, const Tensor& parameter,
                               std::uint64_t salt) {
  const bool is_norm = parameter.rank() == 1 && path.ends_with("weight");
  return is_norm ? values(parameter.shape(), salt, 0.6, 1.4)
                 : values(parameter.shape(), salt, -0.6, 0.6);
}

/// Inputs of the case: `inputs`, the first of them floats, then those parameters, by declaration,
/// that `is_input` accepts. `call` sees the first only. The module keeps the parameters of the last
/// call; the others keep their values, in the dtype of the inputs.
template <class M>
Case partial_module_case(std::string label, std::shared_ptr<M> module, std::vector<Tensor> inputs,
                         const std::function<bool(const std::string&)>& is_input,
                         std::function<Tensor(M&, const std::vector<Tensor>&)> call,
                         Reference reference = {}) {
  Case result;
  result.label = std::move(label);
  result.inputs = inputs;
  result.reference = std::move(reference);
  std::vector<std::string> paths;
  for (const auto& [path, parameter] : module->named_parameters()) {
    if (!is_input(path)) continue;
    result.inputs.push_back(parameter_values(path, parameter, 100 + paths.size()));
    paths.push_back(path);
  }
  const bool has_others = paths.size() < module->named_parameters().size();
  result.call = [module, paths, has_others, count = inputs.size(),
                 call = std::move(call)](const std::vector<Tensor>& in) {
    if (has_others) module->to(in[0].dtype());
    for (std::size_t i = 0; i < paths.size(); ++i) module->set_parameter(paths[i], in[count + i]);
    return call(*module, in);
  };
  result.f32_tolerance = 1e-4;
  return result;
}

/// The same with every parameter.
template <class M>
Case module_case(std::string label, std::shared_ptr<M> module, std::vector<Tensor> inputs,
                 std::function<Tensor(M&, const std::vector<Tensor>&)> call,
                 Reference reference = {}) {
  return partial_module_case<M>(
      std::move(label), std::move(module), std::move(inputs),
      [](const std::string&) { return true; }, std::move(call), std::move(reference));
}

/// For modules whose forward takes one tensor.
template <class M>
Case module_case(std::string label, std::shared_ptr<M> module, Tensor input,
                 Reference reference = {}) {
  return module_case<M>(
      std::move(label), std::move(module), std::vector<Tensor>{std::move(input)},
      [](M& m, const std::vector<Tensor>& in) { return m.forward(in[0]); }, std::move(reference));
}

}  // namespace weft::samples
