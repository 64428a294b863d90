// A tiny run that goes wrong where a test wants it to, and what it says of that.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "autograd/ops/binary.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/unary.h"
#include "core/random.h"
#include "nn/models/mlp.h"
#include "tests/train/tiny_runs.h"
#include "train/loop/checkpoint.h"
#include "train/loop/run_folder.h"
#include "train/tasks/common/kinds.h"

namespace weft::test {

struct Notes : train::Observer {
  void on_note(const std::string& text) override { notes.push_back(text); }
  void on_step(const train::StepRecord& record) override { steps = record.step; }
  bool tells(const std::string& part) const {
    return std::any_of(notes.begin(), notes.end(), [&](const std::string& note) {
      return note.find(part) != std::string::npos;
    });
  }
  std::vector<std::string> notes;
  std::int64_t steps = 0;
};

/// A tiny classification whose step `at` goes wrong in one of several ways.
class PoisonedTask : public train::Task {
 public:
  enum class Where { nowhere, batch, loss, gradient, weight };
  PoisonedTask(Where where, std::int64_t at)
      : model_({.input_shape = Shape{4}, .hidden = {8}, .n_class = 3}), where_(where), at_(at) {}

  nn::Module& model() override { return model_; }
  std::string unit() const override { return "rows"; }
  void start(std::int64_t number) override { next_ = number; }
  Tensor next_loss(train::BatchRecord& seen) override {
    Generator numbers(7, "test" + std::to_string(next_));
    Tensor inputs = Tensor::empty({5, 4}, DType::f32);
    numbers.fill_normal(inputs);
    const bool now = ++next_ == at_;
    if (now && where_ == Where::batch) inputs.data<float>()[3] = NAN;
    if (now && where_ == Where::weight)
      model_.named_parameters().front().second.data<float>()[0] = INFINITY;
    const Tensor targets = Tensor::from(std::vector<std::int64_t>{0, 1, 2, 0, 1}, {5});
    seen.add(5, inputs, targets, 5);
    Tensor loss = cross_entropy(model_(inputs), targets);
    if (now && where_ == Where::loss)
      loss = log(loss - loss - Tensor::full({}, 1.0, DType::f32));  // of -1
    if (now && where_ == Where::gradient)
      loss = loss + sqrt(loss - loss);  // 0, whose slope is infinite
    return loss;
  }
  train::Evaluation evaluate(data::Split, const std::function<bool(double)>&) override {
    return {.loss = losses.empty() ? 1 : losses.at(static_cast<std::size_t>(evaluations_++))};
  }
  std::string data_json() const override { return "{}"; }
  std::string fingerprint() const override { return "f"; }

  std::vector<double> losses;  ///< of the evaluations in turn; empty: 1

 private:
  nn::Mlp model_;
  Where where_;
  std::int64_t at_;
  std::int64_t next_ = 0;
  std::int64_t evaluations_ = 0;
};

inline train::RunConfig poisoned_config(const std::string& on_nan) {
  train::RunConfig c;
  c.lr = 1e-2;
  c.warmup = 0;
  c.eval_every = 5;
  c.save_every = 5;
  c.on_nan = on_nan;
  return c;
}

inline train::Summary run_poisoned(PoisonedTask& task, const std::string& on_nan,
                                   const std::filesystem::path& out, Notes& notes) {
  const train::RunFolder folder = train::RunFolder::create(out, "{}");
  return train::run_training(task, poisoned_config(on_nan), "{}", 20, false, folder,
                             {.out = out, .observer = &notes});
}

inline train::CheckpointFacts facts_at(std::int64_t step) {
  train::CheckpointFacts facts;
  facts.config = facts.data = "{}";
  facts.progress.step = step;
  return facts;
}

inline std::int64_t saved_step(const std::filesystem::path& run) {
  return train::read_checkpoint_facts(run / "last.safetensors").progress.step;
}

}  // namespace weft::test
