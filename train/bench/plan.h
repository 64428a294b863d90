// What `weft bench` trains: a model of the list below, its sizes, and how often to run it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "nn/describe.h"

namespace weft::bench {

struct BenchModel;

/// Named as the flags; the defaults are those of tests/peers/torch_peer.py.
struct Plan {
  const BenchModel* model;
  std::map<std::string, std::int64_t, std::less<>> sizes;  ///< the model's, by name
  std::string attention = "softmax";                       ///< gpt and vit
  std::string precision = "f32";                           ///< of products: core/precision.h
  std::int64_t steps = 40;
  std::int64_t warmup = 8;
  int threads = 0;  ///< 0: one a core

  explicit Plan(std::string_view model = "gpt");
  /// A size of the model; 0 where it has none of that name.
  std::int64_t operator[](std::string_view name) const;
  bool is(std::string_view name) const;
  /// Throws ConfigError that names the flag, its value and what it may be, and where the tensors of
  /// a step do not fit in memory.
  void validate() const;
};

struct Size {
  const char* name;
  std::int64_t value;  ///< unless something else is asked for
  std::int64_t most;
  const char* about;
  std::int64_t least = 1;
};

/// A model that is trained, and the loss of its one batch.
struct Work {
  std::shared_ptr<nn::Module> model;
  std::function<Tensor()> loss;
};

/// A model that can be benched. To add one: its entry in one of train/bench/models/*.cpp, and the
/// same in PyTorch in tests/peers/torch_models.py.
struct BenchModel {
  std::string name;  ///< of the command
  std::string title;
  std::string about;
  std::string item;  ///< that items_per_s counts: tokens, images, ...
  std::vector<Size> sizes;
  std::function<std::int64_t(const Plan&)> items;  ///< of a batch
  std::function<void(const Plan&)> check;          ///< whether the sizes go together; may be empty
  std::function<Work(const Plan&, Generator&)> make;
  std::string example{};
  bool attention = false;  ///< --attention chooses among its kinds
};

/// All, as `weft bench --help` lists them.
const std::vector<BenchModel>& bench_models();

// The parts of that list.
std::vector<BenchModel> transformer_models();
std::vector<BenchModel> image_models();
std::vector<BenchModel> click_models();

/// A step of the plan, asked of its model without elements: products, parameters, memory.
nn::StepDescription describe_step(const Plan& plan);

/// For the entries. Throws ConfigError.
void check_heads(const Plan& plan);
inline double number(std::int64_t value) { return static_cast<double>(value); }
Tensor random_ids(const Shape& shape, std::int64_t bound, Generator& generator,
                  std::int64_t first = 0);

}  // namespace weft::bench
