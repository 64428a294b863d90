// What is printed and cannot be written, of every command; what long work says; terminals.
#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

#include "core/phase.h"
#include "tests/cli/run_program.h"
#include "tests/cli/tiny_suite.h"
#include "train/cli/terminal.h"

using namespace weft;
using test::operator+;
using test::Outcome;
using test::Running;
using test::TempFolder;
using test::tiny_train;
using test::weft_with;

namespace {

using Words = std::vector<std::string>;

/// The commands that `weft --help` lists.
std::set<std::string> commands(const TempFolder& folder) {
  const std::string help = weft_with(folder, {"--help"}).out;
  std::set<std::string> names;
  bool among = false;
  for (std::size_t at = 0; at < help.size();) {
    const std::size_t end = std::min(help.find('\n', at), help.size());
    const std::string line = help.substr(at, end - at);
    at = end + 1;
    if (among && line.size() > 2 && line.starts_with("  ") && line[2] != ' ')
      names.insert(line.substr(2, line.find(' ', 2) - 2));
    among = (among && !line.empty()) || line.starts_with("Subcommands") ||
            line.starts_with("SUBCOMMANDS");
  }
  return names;
}

}  // namespace

TEST_CASE("every command whose words cannot be written says so, and exits alike") {
  const TempFolder folder;
  const std::string run = (folder / "run").string(), images = (folder / "images-run").string(),
                    compared = (folder / "c").string();
  REQUIRE(weft_with(folder, tiny_train(folder, run)).code == 0);
  REQUIRE(weft_with(folder, {"train", "vision", "--data", test::tiny_vision_config(folder).data,
                             "--model", "mlp", "--layers", "1", "--width", "8", "--batch", "8",
                             "--epochs", "1", "--validation", "10", "--out", images})
              .code == 0);
  REQUIRE(weft_with(folder, {"compare", test::tiny_suite(folder, "steps = 2\n", "margin = 5\n"),
                             "--out", compared})
              .code == 0);
  const std::map<std::string, std::vector<Words>> all{
      {"demo",
       {{"demo", "--help"}}},  // it takes minutes; what it prints goes the way of the others'
      {"train",
       {tiny_train(folder, (folder / "new").string()),
        {"train", "text", "--resume", "--out", run, "--json"},
        {"train", "text", "--estimate", "--data", test::tiny_text_config(folder).data}}},
      {"sample", {{"sample", run, "--chars", "5"}, {"sample", run, "--chars", "5", "--json"}}},
      {"predict", {{"predict", images, "--test-image", "0"}}},
      {"detect",
       {{"detect",
         "--help"}}},  // of a detector that has learned something; of the others' way, too
      {"eval", {{"eval", run}, {"eval", run, "--json"}}},
      {"compare",
       {{"compare", "--list"},
        {"compare", (folder / "s.toml").string(), "--out", compared},
        {"compare", "cross-dimension", "--quick", "--check"}}},
      {"report", {{"report", compared}}},
      {"verify", {{"verify", run}, {"verify", run, "--json"}}},
      {"explain", {{"explain", "attention"}, {"explain", "attention", run}}},
      {"gradcheck", {{"gradcheck", "relu"}}},
      {"bench", {{"bench", "ulps", "relu", "--stride", "1000003"}}},
      {"info", {{"info"}, {"info", run}, {"info", "model", "--kind", "gpt"}}}};
  const auto known = commands(folder);
  CHECK(known.size() >= 13);
  for (const std::string& name : known) CHECK_MESSAGE(all.contains(name), name);
  for (const auto& [name, calls] : all) {
    for (const Words& words : calls) {
      std::string line = test::program();
      for (const std::string& word : words) line += " '" + word + "'";
      CAPTURE(line);
      const Outcome full = Running({"/bin/sh", "-c", line + " >/dev/full"}, folder).wait();
      CHECK(full.code == 3);
      CHECK_MESSAGE(
          full.err.find(
              "weft: [output] the output could not be written: No space left on device") !=
              std::string::npos,
          full.err);
    }
  }
}

TEST_CASE(
    "UTF-8 is known however a locale spells it, and the first of LC_ALL, LC_CTYPE and LANG that is "
    "set counts") {
  const auto speaks = [](const char* all, const char* ctype, const char* lang) {
    const std::pair<const char*, const char*> variables[] = {
        {"LC_ALL", all}, {"LC_CTYPE", ctype}, {"LANG", lang}};
    std::vector<std::pair<const char*, std::string>> before;
    for (const auto& [name, value] : variables) {
      const char* const old = std::getenv(name);
      before.emplace_back(name, old == nullptr ? "\x01" : old);
      value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
    }
    const bool answer = cli::speaks_utf8();
    for (const auto& [name, value] : before)
      value == "\x01" ? ::unsetenv(name) : ::setenv(name, value.c_str(), 1);
    return answer;
  };
  for (const char* const name :
       {"en_US.UTF-8", "en_US.utf-8", "en_US.utf8", "en_US.UTF8", "C.UTF-8", "C.utf8",
        "zh_CN.Utf-8", "de_DE.UTF-8@euro", "en_US.utf_8"}) {
    CHECK_MESSAGE(speaks(name, nullptr, nullptr), name);
    CHECK_MESSAGE(speaks(nullptr, name, "C"), name);
    CHECK_MESSAGE(speaks("", "", name), name);
    CHECK_MESSAGE(!speaks("C", name, name), name);
    CHECK_MESSAGE(!speaks(nullptr, "POSIX", name), name);
  }
  for (const char* const name : {"C", "POSIX", "en_US", "en_US.ISO-8859-1", "zh_CN.GB18030",
                                 "de_DE@utf8", "utf8", "en_US.UTF-16", "ja_JP.eucJP"})
    CHECK_MESSAGE(!speaks(name, "C.UTF-8", "C.UTF-8"), name);
  CHECK_FALSE(speaks(nullptr, nullptr, nullptr));
}

TEST_CASE("what takes long says what it is, and what does not is quiet") {
  const TempFolder folder;
  const auto train = [&](const char* after, const char* out) {
    return Running(Words{"/usr/bin/env", std::string("WEFT_TELL_AFTER=") + after, test::program()} +
                       tiny_train(folder, (folder / out).string()),
                   folder)
        .wait();
  };
  const Outcome each = train("0", "each");
  for (const char* const phase : {"estimating whether this run fits in memory",
                                  "preparing the data and the model", "reading ", "tokenizing "})
    CHECK_MESSAGE(each.err.find(std::string("weft is ") + phase) != std::string::npos, each.err);
  const Outcome some = train("0.0001", "some");  // by the one that watches
  CHECK_MESSAGE(
      some.err.find("weft is estimating whether this run fits in memory") != std::string::npos,
      some.err);
  CHECK(train("1000", "none").err.find("weft is ") == std::string::npos);
}

TEST_CASE("phases are heard as they begin and end, and not where nobody listens") {
  struct Listener : PhaseListener {
    std::vector<std::string> heard;
    void begun(std::uint64_t number, const std::string& what) override {
      heard.push_back(fmt::format("{} {}", what, number)), last = number;
    }
    void ended(std::uint64_t number) override { heard.push_back(fmt::format("end {}", number)); }
    std::uint64_t last = 0;
  } listener;
  { const Phase unheard("unheard"); }
  listen_to_phases(&listener);
  {
    const Phase outer("reading {}", "a");
    const auto first = listener.last;
    {
      const Phase inner("reading {}", "b");
      CHECK(listener.last > first);
    }
    CHECK(listener.heard.back() == fmt::format("end {}", listener.last));
  }
  listen_to_phases(nullptr);
  { const Phase unheard("unheard"); }
  CHECK(listener.heard.size() == 4);
  CHECK(listener.heard.front().starts_with("reading a "));
}
