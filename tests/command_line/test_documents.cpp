// The commands that the documents show exist, with every option that they are given.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/structure/source_files.h"
#include "train/cli/command_line.h"

using namespace weft;

namespace {

using Words = std::vector<std::string>;

/// The words of a shell command, without its comment: quotes hold a word together.
Words words_of(const std::string& line) {
  Words words;
  bool inside = false;
  char quote = 0;
  for (const char c : line) {
    if (quote == 0 && c == '#' && !inside) break;
    if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
      if (!inside) words.emplace_back();
      inside = true;
    } else if (c == quote) {
      quote = 0;
    } else if (quote == 0 && c == ' ') {
      inside = false;
    } else {
      if (!inside) words.emplace_back();
      inside = true;
      words.back() += c;
    }
  }
  return words;
}

/// The commands `./weft ...` of a document's blocks of shell.
std::vector<Words> commands_of(const structure::SourceFile& document) {
  std::vector<Words> commands;
  bool shell = false;
  for (const std::string& line : document.lines) {
    if (line.starts_with("```"))
      shell = line == "```sh";
    else if (shell && line.starts_with("./weft "))
      commands.push_back(words_of(line));
  }
  return commands;
}

/// What the program says against a command line, or nothing.
std::string objection(const Words& words) {
  std::vector<const char*> pointers;
  for (const std::string& word : words) pointers.push_back(word.c_str());
  return cli::read_command_line(static_cast<int>(pointers.size()), pointers.data()).error;
}

}  // namespace

TEST_CASE("the commands of the documents are read without an error") {
  // What the script does itself.
  const std::set<std::string> script = {"test", "check", "fuzz", "faults", "docs"};
  std::vector<structure::SourceFile> documents =
      structure::sources({"core", "autograd", "nn", "optim", "data", "train", "tests"}, {".md"});
  for (const char* name : {"README.md", "CONTRIBUTING.md"})
    documents.push_back(structure::read_source(name));
  int read = 0;
  for (const structure::SourceFile& document : documents)
    for (const Words& words : commands_of(document)) {
      if (words.size() > 1 && script.contains(words[1])) continue;
      ++read;
      CHECK_MESSAGE(objection(words).empty(), document.path, ": ", words[1],
                    " ...: ", objection(words));
    }
  CHECK(read >= 20);
}

TEST_CASE("words in quotes are one, and a command that does not exist is seen") {
  CHECK(words_of("./weft sample runs/b --prompt \"ROMEO: I\" --chars 5   # a comment") ==
        Words{"./weft", "sample", "runs/b", "--prompt", "ROMEO: I", "--chars", "5"});
  CHECK_FALSE(objection({"./weft", "sampel", "runs/b"}).empty());
  CHECK_FALSE(objection({"./weft", "sample", "runs/b", "--promt", "x"}).empty());
}
