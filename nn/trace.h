// What describe() learns while it runs a module; modules note it through child.h.
#pragma once

#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "autograd/product_observer.h"
#include "core/tensor.h"

namespace weft::nn {

class Module;

/// While one lives, products of this thread are told to the module that is being called, and
/// modules tell of what they make.
class Trace {
 public:
  struct Note {
    double flops = 0, flops_seen = 0;
    Shape output;
  };

  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  const Note* find(const Module* module) const;                       ///< null without one
  const std::vector<Product>& products() const { return products_; }  ///< matrix products, in order
  const std::set<std::string>& bounds() const { return bounds_; }     ///< bounds that were taken

 private:
  friend class Calling;
  friend void take_bound(const std::string& what);
  std::unordered_map<const Module*, Note> notes_;
  std::vector<Product> products_;
  std::set<std::string> bounds_;
  ProductObserver observer_;
  Trace* before_;
};

/// Where a size depends on elements that are not there (under ShapeOnly): says which one was taken
/// in its place.
void take_bound(const std::string& what);

namespace detail {
extern constinit thread_local Trace* running_trace;
extern constinit thread_local const Module* called_module;
}  // namespace detail

/// A module's call: what is computed while one lives is the module's own, but for what it calls.
/// Costs two pointers where no trace runs.
class Calling {
 public:
  explicit Calling(const Module* module) : before_(std::exchange(detail::called_module, module)) {}
  ~Calling() { detail::called_module = before_; }
  Calling(const Calling&) = delete;
  Calling& operator=(const Calling&) = delete;

  /// Notes what a module returned.
  template <class Result>
  static void made(const Module* module, const Result& result) {
    if constexpr (std::is_same_v<Result, Tensor>)
      if (detail::running_trace != nullptr && result.defined())
        detail::running_trace->notes_[module].output = result.shape();
  }

 private:
  const Module* before_;
};

/// Calls `forward` as the module's own.
template <class M, class... Args>
decltype(auto) call_module(const M& module, Args&&... args) {
  const Calling calling(&module);
  decltype(auto) result = module.forward(std::forward<Args>(args)...);
  Calling::made(&module, result);
  return result;
}

}  // namespace weft::nn
