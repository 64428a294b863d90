// Who hears of ops as they end.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "autograd/autograd.h"
#include "autograd/op_observer.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/unary.h"

using namespace weft;

namespace {

using Heard = std::vector<std::string>;

OpObserver::Ended into(Heard& heard) {
  return [&heard](const char* op, bool backward) {
    heard.push_back(std::string(backward ? "d " : "") + op);
  };
}

}  // namespace

TEST_CASE(
    "an observer hears of each op and each node once, in order, and not of what a rule computes") {
  const Tensor x = Tensor::ones({2, 3}), row = Tensor::ones({3});
  x.set_requires_grad();
  row.set_requires_grad();
  Heard heard;
  {
    const OpObserver observer(into(heard));
    const Tensor y =
        sum(tanh(x * row));  // the row's gradient is summed over the broadcast, by the engine
    CHECK(heard == Heard{"mul", "tanh", "sum"});
    heard.clear();
    y.backward();
  }
  CHECK(heard == Heard{"d sum", "d tanh", "d mul"});
  sum(x).backward();
  CHECK(heard.size() == 3);  // the observer is gone
}

TEST_CASE("the innermost observer alone hears") {
  const Tensor x = Tensor::ones({2});
  x.set_requires_grad();
  Heard outer, inner;
  const OpObserver first(into(outer));
  exp(x);
  {
    const OpObserver second(into(inner));
    neg(x);
  }
  exp(x);
  CHECK(outer == Heard{"exp", "exp"});
  CHECK(inner == Heard{"neg"});
}
