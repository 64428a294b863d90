// Graphs of any depth, freed as they are walked, and no tensor left behind.
#include <doctest/doctest.h>
#include <pthread.h>

#include <exception>
#include <functional>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "core/storage.h"

using namespace weft;

namespace {

/// Runs `f` on a thread with a 256 KiB stack: a recursion a graph deep overflows it at once.
void on_small_stack(std::function<void()> f) {
  struct Job {
    std::function<void()> f;
    std::exception_ptr error;
  } job{std::move(f), nullptr};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  pthread_attr_setstacksize(&attributes, 1024 * 1024);  // sanitizers need room of their own
#else
  pthread_attr_setstacksize(&attributes, 256 * 1024);
#endif
  pthread_t thread{};
  const auto body = [](void* context) -> void* {
    auto* const own = static_cast<Job*>(context);
    try {
      own->f();
    } catch (...) {
      own->error = std::current_exception();
    }
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, body, &job) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  if (job.error) std::rethrow_exception(job.error);
}

constexpr int kDeep = 100'000;

Tensor chain(Tensor x, int depth) {
  for (int i = 0; i < depth; ++i) x = add(x, 1.0);
  return x;
}

Tensor scalar_leaf() {
  const Tensor x = Tensor::scalar(1, DType::f64);
  x.set_requires_grad();
  return x;
}

std::int64_t bytes_held() { return memory_stats().current; }

}  // namespace

TEST_CASE("100,000 ops deep: forward, backward, grad and release need no stack") {
  const std::int64_t before = bytes_held();
  on_small_stack([] {
    const Tensor x = scalar_leaf();
    Tensor y = chain(x, kDeep);
    CHECK(y.item() == kDeep + 1);
    y.backward(Tensor(), true);
    CHECK(x.grad().item() == 1);
    CHECK(grad({y}, {x}, {}, {.retain_graph = true})[0].item() == 1);
    y = Tensor();                    // releases a graph that nothing freed
    Tensor never = chain(x, kDeep);  // released without any backward
    never = Tensor();
    Tensor freed = chain(x, kDeep);
    freed.backward();
    CHECK(x.grad().item() == 2);
  });
  CHECK(bytes_held() == before);
}

TEST_CASE("deep graphs through fused ops and saved outputs are released without stack") {
  const std::int64_t before = bytes_held();
  on_small_stack([] {
    const Tensor x = scalar_leaf();
    Tensor y = x;
    for (int i = 0; i < kDeep / 2; ++i) {
      const Tensor input = y;
      y = record_fused(
          "pass", Tensor::scalar(1, DType::f64), {input},
          [input](const Tensor& g) { return Gradients{g}; }, [input] { return mul(input, 1.0); });
      y = tanh(y);
    }
    y = Tensor();
    CHECK(!x.grad().defined());
  });
  CHECK(bytes_held() == before);
}

TEST_CASE("a wide graph over one leaf") {
  const Tensor x = scalar_leaf();
  Tensor total = Tensor::scalar(0, DType::f64);
  for (int i = 0; i < 2000; ++i) total = add(total, mul(x, static_cast<double>(i)));
  total.backward();
  CHECK(x.grad().item() == 1999 * 1000);
}

TEST_CASE("backward frees as it goes") {
  constexpr std::int64_t kElements = 16 * 1024, kBytes = kElements * 8;
  const Tensor x = Tensor::ones({kElements}, DType::f64);
  x.set_requires_grad();
  Tensor y = x;
  for (int i = 0; i < 50; ++i) y = sin(y);  // each keeps its input
  const Tensor loss = sum(y);
  y = Tensor();
  const std::int64_t graph = bytes_held();
  CHECK(graph >= 49 * kBytes);
  reset_peak_memory();
  loss.backward();
  CHECK(memory_stats().peak <= graph + 6 * kBytes);  // a few gradients more, never one a node
  CHECK(bytes_held() <= 4 * kBytes);                 // the loss still lives, its graph does not
}

TEST_CASE("saved outputs are no cycles") {
  const std::int64_t before = bytes_held();
  {
    const Tensor x = Tensor::from<double>({0.1, 0.2}, {2});
    x.set_requires_grad();
    { const Tensor never_used = exp(tanh(sigmoid(sqrt(x)))); }
    sum(exp(tanh(x))).backward();
    const Tensor y = sum(exp(x));
    const Tensor first = grad({y}, {x}, {}, {.create_graph = true})[0];
    const Tensor second = grad({sum(first)}, {x}, {}, {.create_graph = true})[0];
    CHECK(second.defined());
  }
  CHECK(bytes_held() == before);
}

TEST_CASE("an exception in the middle of backward leaves nothing behind") {
  const std::int64_t before = bytes_held();
  {
    const Tensor x = scalar_leaf();
    const Tensor h = mul(x, x);
    h.register_hook([](const Tensor&) -> Tensor { throw NumericError("[hook] stop"); });
    CHECK_THROWS_AS(chain(exp(h), 100).backward(), NumericError);
    CHECK(!x.grad().defined());
    CHECK(grad_enabled());
  }
  CHECK(bytes_held() == before);
}
