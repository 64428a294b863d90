// What layers report while describe() runs a module. Not for users.
#pragma once

#include <unordered_map>

#include "core/shape.h"

namespace weft::nn {

class Module;

/// While one lives, Module::note() in this thread adds to it.
class Trace {
 public:
  struct Note {
    double flops = 0;
    Shape output;
  };

  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  static Trace* running();
  void add(const Module* module, double flops, const Shape& output);
  const Note* find(const Module* module) const;

 private:
  std::unordered_map<const Module*, Note> notes_;
  Trace* before_;
};

}  // namespace weft::nn
