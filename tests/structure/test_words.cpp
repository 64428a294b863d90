// What users read is plain standard English with the field's terms, in American spelling.
//
// Phrases that have crept in before are listed here with what to write instead; adjacent literals
// count as one, so that a phrase cannot hide behind a line break.
#include <doctest/doctest.h>

#include <algorithm>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/structure/source_files.h"

using namespace weft::structure;

namespace {

struct Phrase {
  const char* pattern;
  const char* instead;
};

constexpr Phrase kPhrases[] = {
    {R"((^|[^e]) is no (?!longer|more|such|box|room|loss|gradient|test|training))", "is not a"},
    {R"(there is no number)", "is not a number"},
    {R"(\bsittings?\b)", "session"},
    {R"(\bmade[- ]up\b)", "synthetic"},
    {R"(\btold apart\b|\btells? \w+ apart\b)", "distinguish"},
    {R"(\bwants\b)", "expects, or needs"},
    {R"(\bmeans nothing with\b)", "has no effect with"},
    {R"(\bload(ed)? (it )?down\b)", "download"},
    {R"(\bnot to be had\b)", "is not available"},
    {R"(\btorn\b)", "truncated"},
    {R"(\bput back what\b)", "restore"},
    {R"(\blikeliest\b)", "most likely"},
    {R"(\bfits? the memory\b)", "fits in memory"},
};

/// British spellings of words that programs say, as stems.
constexpr const char* kBritish =
    R"(\b(\w*colour|cent(re|red|res|ring)\b|\w*neighbour|\w*favour|\w*honour|\w*behaviour|grey\b|labell(?!edby)|modell|travell|cancell(ed|ing)|licence|)"
    R"((optim|normal|standard|regular|initial|organ|recogn|general|penal|vector|minim|maxim|summar|token|serial|parallel|random|synchron|util|visual)is(e|ed|es|ing|ation)\b|)"
    R"(analys(e|ed|es|ing)\b|artefact|judgement|learnt|spelt|whilst|amongst))";

std::string source_text(const SourceFile& file) {
  std::string text;
  for (const std::string& line : file.lines) text += line + "\n";
  return text;
}

/// The string literals of a C++ source, adjacent ones as one. Comments and #include lines hold
/// none; escapes stay as they are written.
std::vector<std::string> literals(const std::string& text) {
  std::vector<std::string> found;
  bool adjacent = false;  // nothing but white space since the last literal
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = std::string_view(text).substr(i);
    const auto skip_past = [&](std::string_view end, std::size_t from) {
      const std::size_t at = text.find(end, i + from);
      i = at == std::string::npos ? text.size() : at + end.size();
    };
    if (rest.starts_with("//") || rest.starts_with("#include")) {
      skip_past("\n", 0);
    } else if (rest.starts_with("/*")) {
      skip_past("*/", 2);
    } else if (rest.starts_with("R\"")) {
      const std::size_t open = text.find('(', i);
      const std::string end = ")" + text.substr(i + 2, open - i - 2) + "\"";
      const std::size_t begin = open + 1;
      skip_past(end, 2);
      found.push_back(text.substr(begin, i - end.size() - begin));
      adjacent = false;
    } else if (rest.front() == '"' || rest.front() == '\'') {
      std::size_t end = i + 1;
      while (end < text.size() && text[end] != rest.front()) end += text[end] == '\\' ? 2 : 1;
      // An apostrophe between digits separates them.
      const bool separator = rest.front() == '\'' && i > 0 && std::isalnum(text[i - 1]) != 0;
      if (rest.front() == '"') {
        const std::string inner = text.substr(i + 1, end - i - 1);
        if (adjacent)
          found.back() += inner;
        else
          found.push_back(inner);
        adjacent = true;
      }
      i = separator ? i + 1 : end + 1;
    } else {
      adjacent = adjacent && std::isspace(static_cast<unsigned char>(rest.front())) != 0;
      ++i;
    }
  }
  return found;
}

/// What to mend in a text, or nothing.
std::string word_objection(const std::string& text) {
  for (const auto& [pattern, instead] : kPhrases)
    if (std::smatch match; std::regex_search(text, match, std::regex(pattern)))
      return "\"" + match[0].str() + "\": write " + instead;
  static const std::regex british(kBritish, std::regex::icase);
  if (std::smatch match; std::regex_search(text, match, british))
    return "\"" + match[0].str() + "\" is British: spell it the American way";
  return "";
}

}  // namespace

TEST_CASE("what the program says is standard English in American spelling") {
  int count = 0;
  for (const SourceFile& file : sources({"core", "autograd", "nn", "optim", "data", "train"}))
    for (const std::string& text : literals(source_text(file))) {
      // Names that earlier versions wrote into files are still read.
      if (text == "standardise" || text == "sittings.json") continue;
      ++count;
      const std::string wrong = word_objection(text);
      CHECK_MESSAGE(wrong.empty(), file.path, ": ", text, ": ", wrong);
    }
  CHECK(count > 3000);
}

TEST_CASE("documents, suites and pages are spelled the American way") {
  static const std::regex british(kBritish, std::regex::icase);
  // Names of tasks in results of earlier versions keep their spelling, and former names in code are
  // quoted.
  static const std::regex kept("[a-z]+-standardised|`(--)?standardise`");
  std::vector<SourceFile> files =
      sources({"core", "autograd", "nn", "optim", "data", "train", "tests"},
              {".md", ".toml", ".js", ".css", ".cmake"});
  for (const char* page : {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "weft"})
    files.push_back(read_source(page));
  for (const SourceFile& file : files) {
    if (file.path.starts_with("data/sets/") || file.path.starts_with("tests/old_runs/")) continue;
    for (const std::string& line : file.lines) {
      const std::string text = std::regex_replace(line, kept, "");
      std::smatch match;
      CHECK_MESSAGE(!std::regex_search(text, match, british), file.path, ": ", line);
    }
  }
}

TEST_CASE("the test of words sees what it forbids, and what may stand") {
  CHECK(literals("f(\"one is \"\n  \"no number\"); // \"not this\"\n#include \"a.h\"\n") ==
        std::vector<std::string>{"one is no number"});
  CHECK(literals("a = R\"x(raw \"text\")x\"; b = '\"'; c = 1'000; d = \"e\\\"f\";") ==
        std::vector<std::string>{"raw \"text\"", "e\\\"f"});
  for (const char* wrong :
       {"lr is no number", "{} is no folder of a run", "in all sittings", "a made-up row",
        "how places are told apart", "wants f32", "--clip means nothing with it", "load it down",
        "a torn file", "put back what they were", "the likeliest",
        "this run does not fit the memory", "the colour", "from its centre", "nearest neighbours",
        "labelled lines", "standardising", "its normalisation", "analysed"})
    CHECK_MESSAGE(!word_objection(wrong).empty(), wrong);
  for (const char* right :
       {"there is no such file", "it is no longer part of its module", "aria-labelledby",
        "a parallelism of 2", "the analysis", "optimistic", "the center", "is not a number"})
    CHECK_MESSAGE(word_objection(right).empty(), right, ": ", word_objection(right));
}
