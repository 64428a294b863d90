// What a choice such as `model` or `optimizer` names: an entry of a registry, with choices of its
// own. A configuration holds the options of the entry that was chosen, and of no other.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace weft::train {

struct Field;
struct RunConfig;
using Fields = std::vector<Field>;
using Value = std::variant<std::int64_t, double, bool, std::string>;

/// Choices of one entry, as plain data: a struct that derives from ModelOptions or
/// OptimizerOptions.
struct Options {
  virtual ~Options() = default;
};

struct ModelOptions : Options {
  /// Throws ConfigError naming the first rule that the options break by themselves.
  virtual void check() const {}
  /// Fills in what was left to the program, and adds the names to `derived`.
  virtual void settle(std::vector<std::string>& /*derived*/) {}
  /// What a width must be a multiple of.
  virtual std::int64_t width_granularity() const { return 1; }
  /// Matrices of equal size that a parameter holds, one above the other, and that Muon
  /// orthogonalizes one by one: query, key and value; the gates of a SwiGLU or of an LSTM.
  virtual std::int64_t row_blocks(const std::string& parameter) const;
};

struct OptimizerOptions : Options {
  /// Learning rates that it has beside the run's own become so many times what they are.
  virtual void scale_lr(double /*factor*/) {}
};

/// One line of a registry. EntryOf makes one of a name, a table of choices and a type of options.
class Entry {
 public:
  virtual ~Entry() = default;
  virtual std::string name() const = 0;               ///< by which it is chosen
  virtual std::string about() const = 0;              ///< a few words of help
  virtual const Fields& fields() const = 0;           ///< the choices that come with it
  virtual std::unique_ptr<Options> make() const = 0;  ///< with the entry's defaults
  virtual std::unique_ptr<Options> copy(const Options& options) const = 0;  ///< of the same type
  /// What the run's other choices begin with beside this one, before anybody chooses: a learning
  /// rate.
  virtual void begin(RunConfig& /*config*/) const {}
};

/// `Base`: what a registry's entries have in common, derived from Entry; `O`: the options. A class
/// that derives from this has name(), about() and fields(), and what Base asks for.
template <class Base, class O>
class EntryOf : public Base {
 public:
  std::unique_ptr<Options> make() const override { return std::make_unique<O>(); }  ///< an O
  std::unique_ptr<Options> copy(const Options& options) const override {            ///< of an O
    return std::make_unique<O>(static_cast<const O&>(options));
  }
};

class Registry {
 public:
  /// `choice`: the name of the choice, "model"; the first entry is the default.
  Registry(std::string choice, std::vector<const Entry*> entries);
  const std::string& choice() const { return choice_; }                  ///< "model"
  const std::vector<const Entry*>& entries() const { return entries_; }  ///< in their order
  std::vector<std::string> names() const;                                ///< of the entries
  /// Throws ConfigError with the nearest known name.
  const Entry& find(std::string_view name) const;
  /// The entries that have a choice of this name.
  std::vector<const Entry*> with_field(const std::string& field) const;

 private:
  std::string choice_;
  std::vector<const Entry*> entries_;
};

/// The optimizers that train. A new one is one line in train/loop/optimizers.cpp.
const Registry& optimizers();
/// Of runs whose model has no choices.
const Registry& no_models();

/// The entry that is chosen, and its options.
class Chosen {
 public:
  explicit Chosen(const Registry& registry);
  Chosen(const Chosen& other);
  Chosen& operator=(const Chosen& other);
  ~Chosen() = default;

  /// Another entry's options begin with their defaults; those of the same one stay as they are.
  /// Throws ConfigError for a name that the registry does not have.
  Chosen& operator=(std::string_view name);
  std::string name() const { return entry_->name(); }      ///< of the entry
  const Entry& entry() const { return *entry_; }           ///< that is chosen
  const Registry& registry() const { return *registry_; }  ///< in which it was looked up
  friend bool operator==(const Chosen& chosen, std::string_view name) {
    return chosen.name() == name;
  }

  /// Defaults that a kind of run has for choices of this name, whichever entry is chosen.
  void begin_with(std::vector<std::pair<std::string, Value>> values);

  /// The options, which must be of this type.
  template <class O>
  O& as() {
    O* const options = dynamic_cast<O*>(options_.get());
    if (options == nullptr) refuse_type();
    return *options;
  }
  template <class O>
  const O& as() const {                         ///< the same
    return const_cast<Chosen*>(this)->as<O>();  // only read through
  }
  /// nullptr where they are of another.
  template <class O>
  const O* as_if() const {
    return dynamic_cast<const O*>(options_.get());
  }

 private:
  [[noreturn]] void refuse_type() const;
  void make_options();

  const Registry* registry_;
  const Entry* entry_;
  std::unique_ptr<Options> options_;
  std::vector<std::pair<std::string, Value>> begin_with_;
};

}  // namespace weft::train
