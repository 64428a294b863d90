// Every op has a sample and says what it must say.
//
// An op is a function declared in namespace weft in autograd/ops/*.h (no operator, nothing in
// namespace definition). Its documentation is the `///` lines right above it, or above the
// declarations that directly precede it without a blank line (overloads and pairs), together with
// the shared comment: the last block of plain `//` lines followed by a blank line. It must hold
// "Shape:", "Throws:" and "Gradient:" (or "no gradient").
//
// A module is a class at the outermost level of nn/**.h that derives from Module, through any
// number of others. Those with a pure virtual function and templates (lists of modules) cannot be
// made, so they have no sample; a class within another is checked as a part of it.
#include <doctest/doctest.h>

#include <regex>
#include <set>

#include "autograd/sample.h"
#include "tests/structure/source_files.h"

using namespace weft::structure;

namespace {

struct Declaration {
  std::string name, documentation;
};

/// Ends a block that a declaration has used: the next declaration shares it, the next comment
/// replaces it.
constexpr const char* kUsed = "(used)";

std::vector<Declaration> declarations(const SourceFile& file) {
  static const std::regex kFunction(
      R"(^(?:\[\[nodiscard\]\] )?(?:[\w:]+(?:<[\w:, ]+>)?[&*]?) (\w+)\()");
  std::vector<Declaration> result;
  std::string shared, block, plain;
  int depth = 0;             // of braces, namespace weft being 1
  int definition_depth = 0;  // at which `namespace definition` was opened
  for (const std::string& line : file.lines) {
    if (line.starts_with("///")) {
      if (!plain.empty() || block.ends_with(kUsed)) block.clear();
      plain.clear();
      block += line + "\n";
    } else if (line.starts_with("//")) {
      plain += line + "\n";
    } else {
      std::smatch match;
      if (line.empty() && !plain.empty()) shared = plain;
      if (line.empty() || line.starts_with("}")) block.clear();
      plain.clear();
      if (line.starts_with("namespace definition")) definition_depth = depth + 1;
      if (depth == 1 && definition_depth == 0 && !line.starts_with("inline ") &&
          std::regex_search(line, match, kFunction)) {
        result.push_back({match[1], shared + block});
        block += kUsed;
      }
      for (const char c : line) depth += c == '{' ? 1 : c == '}' ? -1 : 0;
      if (depth < definition_depth) definition_depth = 0;
    }
  }
  return result;
}

std::string missing_words(const std::string& text) {
  std::string missing;
  if (text.find("Shape:") == std::string::npos) missing += " Shape:";
  if (text.find("Throws:") == std::string::npos) missing += " Throws:";
  if (text.find("Gradient:") == std::string::npos && text.find("o gradient") == std::string::npos)
    missing += " Gradient:";
  return missing;
}

struct ModuleClass {
  std::string path, name, base;
  bool is_abstract = false, is_template = false;
};

std::vector<ModuleClass> module_classes(const std::vector<SourceFile>& headers) {
  static const std::regex kClass(
      R"(^(?:class|struct) (\w+)(?: final)? : (?:public )?(\w+)(?!\w|::))");
  static const std::regex kPure(R"(= 0;)"), kVirtual(R"(\bvirtual\b)");
  std::vector<ModuleClass> derived;
  for (const SourceFile& file : headers) {
    ModuleClass* open = nullptr;
    std::string before;
    for (const std::string& line : file.lines) {
      if (std::smatch match; std::regex_search(line, match, kClass)) {
        derived.push_back({file.path, match[1], match[2], false, before.starts_with("template")});
        open = &derived.back();
      } else if (open && line.starts_with("}")) {
        open = nullptr;
      } else if (open && std::regex_search(line, kVirtual) && std::regex_search(line, kPure)) {
        open->is_abstract = true;
      }
      before = line;
    }
  }
  std::set<std::string> modules{"Module"};
  for (std::size_t known = 0; known != modules.size();) {
    known = modules.size();
    for (const ModuleClass& one : derived)
      if (modules.contains(one.base)) modules.insert(one.name);
  }
  std::erase_if(derived, [&](const ModuleClass& one) { return !modules.contains(one.name); });
  return derived;
}

}  // namespace

TEST_CASE("every op has a sample and its documentation") {
  std::set<std::string> sampled, declared;
  for (const auto& entry : weft::samples::all())
    if (entry.kind == weft::samples::Kind::op) sampled.insert(entry.name);
  for (const SourceFile& file : sources({"autograd/ops"}, {".h"}))
    for (const Declaration& op : declarations(file)) {
      declared.insert(op.name);
      CHECK_MESSAGE(sampled.contains(op.name), file.path, ": ", op.name, " has no sample");
      CHECK_MESSAGE(missing_words(op.documentation).empty(), file.path, ": ", op.name,
                    " does not state", missing_words(op.documentation));
    }
  CHECK(declared.size() >= 70);
  for (const std::string& name : sampled)
    CHECK_MESSAGE(declared.contains(name), "the op sample ", name,
                  " names no function of autograd/ops/");
}

TEST_CASE("every module and model has a sample") {
  std::vector<SourceFile> headers;
  for (SourceFile& file : sources({"nn"}, {".h"}))
    if (!file.path.starts_with("nn/samples/")) headers.push_back(std::move(file));
  const std::vector<ModuleClass> classes = module_classes(headers);
  int found = 0;
  for (const ModuleClass& one : classes) {
    if (one.is_abstract || one.is_template) continue;
    ++found;
    // Models that take more than one input are modules; their parts stand beside them.
    const bool must_be_model = one.base == "Model";
    const bool may_be_model = one.path.starts_with("nn/models/");
    const auto& all = weft::samples::all();
    const bool sampled = std::any_of(all.begin(), all.end(), [&](const auto& entry) {
      const bool model = entry.kind == weft::samples::Kind::model;
      if (entry.name != one.name || entry.kind == weft::samples::Kind::op) return false;
      return must_be_model ? model : may_be_model || !model;
    });
    CHECK_MESSAGE(sampled, one.path, ": ", one.name, " has no sample");
  }
  CHECK(found >= 35);
  for (const std::string name : {"FasterRcnn", "ConvBackbone", "VitBackbone", "RmsNorm"})
    CHECK_MESSAGE(
        std::any_of(classes.begin(), classes.end(),
                    [&](const ModuleClass& one) { return one.name == name && !one.is_abstract; }),
        name);
}

TEST_CASE("modules are found however many classes lie between them and Module") {
  const SourceFile file{"nn/x.h",
                        {"class Base : public Module {",
                         " public:", "  virtual Tensor forward(const Tensor& x) const = 0;", "};",
                         "class Middle final : public Base, public Other {", "  int n = 0;", "};",
                         "struct Deep : Middle {", "  struct Inner : Module {", "  };", "};",
                         "template <class M>", "class List : public Module {", "};",
                         "class Other {", "};", "class Options : public Other {", "};"}};
  std::string text;
  for (const ModuleClass& one : module_classes({file}))
    text += one.name + ":" + one.base + (one.is_abstract ? " abstract" : "") +
            (one.is_template ? " template" : "") + ";";
  CHECK(text == "Base:Module abstract;Middle:Base;Deep:Middle;List:Module template;");
}

TEST_CASE("the coverage test sees what it forbids") {
  const SourceFile file{
      "x.h",
      {"namespace weft {", "", "// Shared: Shape: (...). Throws: never.", "",
       "/// One. Gradient: g.", "Tensor one(const Tensor& x);", "Tensor one(double x);", "/// Two.",
       "std::vector<Tensor> two(const Tensor& x);", "", "Tensor three(const Tensor& x);",
       "namespace definition {", "Tensor hidden(const Tensor& x);", "}  // namespace definition",
       "struct Options {", "  Tensor member(int x);", "};",
       "inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }",
       "}  // namespace weft"}};
  const auto found = declarations(file);
  REQUIRE(found.size() == 4);
  CHECK(found[0].name == "one");
  CHECK(found[1].name == "one");
  CHECK(found[2].name == "two");
  CHECK(found[3].name == "three");
  CHECK(missing_words(found[0].documentation).empty());
  CHECK(missing_words(found[1].documentation).empty());
  CHECK(missing_words(found[2].documentation) == " Gradient:");
  CHECK(missing_words(found[3].documentation) == " Gradient:");
}
