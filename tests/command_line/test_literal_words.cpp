// The command line is taken literally: for every option and positional of every command, each way
// of writing it reaches the command as the value that was asked for, or is an error. Derived from
// the commands themselves; nothing is run.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/io/file.h"
#include "train/cli/command_line.h"
#include "train/cli/options.h"

using namespace weft;

namespace {

using Words = std::vector<std::string>;

// What a shell, a configuration reader or CLI11 itself might take apart, strip or read as something
// else.
const Words kHostile = {
    "[MASK]",     "[free, win]", "[]",       "[a",    "a]",   "{}",  "{a}",   "%%", "a,b", ",",
    "\"quoted\"", "'single'",    "`x`",      "a=b",   "=",    "==a", "a\nb",  "\n", "\\n", "\r\n",
    "水 é",       " ",           " padded ", "a\tb",  "-",    "-1",  "-x",    "-h", "--",  "---",
    "--help",     "--steps",     "--no-x",   "--x=y", "++",   "/x",  "$HOME", "#",  "!",   "true",
    "\x01",       "\x01\x01",    "\xff\xfe", "1e5",   "0x10", "010", "",      "nan"};

struct Program {
  CLI::App app{"", "weft"};
  cli::Action action;
  Program() { cli::add_commands(app, action); }

  /// The message, or "" when the words were taken.
  std::string parse(const Words& words) {
    try {
      cli::parse_literally(app, words);
      return "";
    } catch (const CLI::Success&) {
      return "(help)";
    } catch (const CLI::ParseError& error) {
      return error.what();
    } catch (const ConfigError& error) {
      return error.what();
    }
  }
};

/// A command, and the words that choose it and give what it requires.
struct Command {
  CLI::App* app;
  Words words;
};

void collect(CLI::App& app, Words words, std::vector<Command>& all) {
  if (app.get_parent() != nullptr) words.push_back(app.get_name());
  Words whole = words;
  if (!app.get_options([](CLI::Option* option) {
            return option->get_positional() && option->get_required();
          })
           .empty())
    whole.emplace_back("RUN");
  if (app.get_require_subcommand_min() == 0) all.push_back({&app, whole});
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; }))
    collect(*sub, words, all);
}

std::vector<Command> commands_of(Program& program) {
  std::vector<Command> all;
  collect(program.app, {}, all);
  return all;
}

Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string shown(CLI::Option& option) { return option.capture_default_str()->get_default_str(); }
/// Numbers are shown as fmt prints them.
bool is_same(CLI::Option& option, const std::string& value) {
  const std::string text = shown(option);
  return text == value ||
         ((option.get_type_name() == "INT" || option.get_type_name() == "NUMBER") &&
          text == fmt::format("{}", std::strtod(value.c_str(), nullptr)));
}
bool is_switch(const CLI::Option& option) { return option.get_items_expected_max() == 0; }
bool takes_several(const CLI::Option& option) { return option.get_items_expected_max() > 1; }
bool is_yes_or_no(const CLI::Option& option) {
  return option.get_type_name() == "yes|no" && option.get_items_expected_min() == 0;
}
bool is_train(const Command& command) { return command.words.front() == "train"; }
/// Its words are held against its limits or choices while they are read; those of `train` later, by
/// the table of choices.
bool is_free(const Command& command, const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type != "INT" && type != "NUMBER" && type.find('|') == std::string::npos
             ? true
             : is_train(command) && type != "yes|no";
}

std::vector<CLI::Option*> flags_of(const Command& command) {
  return command.app->get_options([](CLI::Option* option) {
    return !option->get_positional() && option->get_lnames().front() != "help" &&
           option->get_lnames().front() != "version";
  });
}

/// Something that the option takes.
std::string valid_value(Program& program, const Command& command, CLI::Option& option) {
  const std::string flag = "--" + option.get_lnames().front();
  Words candidates{"1", "2", "0.5", "4", "28", "64", "word"};
  const std::string type = option.get_type_name();
  if (type.find('|') != std::string::npos) candidates = {type.substr(0, type.find('|'))};
  for (const std::string& value : candidates) {
    if (program.parse(command.words + Words{flag + "=" + value}).empty()) return value;
  }
  FAIL("no value for ", flag);
  return "";
}

std::size_t room_for_words(const Command& command) {
  std::size_t room = 0;
  for (const CLI::Option* option :
       command.app->get_options([](CLI::Option* one) { return one->get_positional(); }))
    room += static_cast<std::size_t>(option->get_items_expected_max());
  return room;
}

bool says_so(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every option of every command gets each hostile text as it was typed, or refuses it") {
  Program program;
  std::size_t options = 0;
  for (const Command& command : commands_of(program)) {
    for (CLI::Option* const option : flags_of(command)) {
      if (is_switch(*option)) continue;
      ++options;
      const std::string flag = "--" + option->get_lnames().front();
      CAPTURE(cli::path_of(*command.app));
      CAPTURE(flag);
      for (const std::string& value : kHostile) {
        CAPTURE(value);
        const std::string error = program.parse(command.words + Words{flag + "=" + value});
        const bool may_be_refused = !is_free(command, *option) || value.empty();
        if (error.empty())
          CHECK(is_same(*option, value));
        else
          CHECK_MESSAGE(may_be_refused, error);
        CHECK(error != "(help)");

        const std::string as_word = program.parse(command.words + Words{flag, value});
        const bool is_option = value.starts_with("--") || value == "-h";
        if (is_yes_or_no(*option) && value == "--") continue;  // bare, and the end of options
        if (is_option || (is_yes_or_no(*option) && value == "-x"))
          CHECK_MESSAGE(!as_word.empty(), "an option is no value");
        else
          CHECK(as_word.empty() == error.empty());
        if (as_word.empty()) CHECK(is_same(*option, value));
      }
    }
  }
  CHECK(options > 400);
}

TEST_CASE("every positional gets each hostile text as it was typed") {
  Program program;
  std::size_t positionals = 0;
  for (const Command& command : commands_of(program)) {
    Words before;
    for (CLI::Option* const option :
         command.app->get_options([](CLI::Option* one) { return one->get_positional(); })) {
      ++positionals;
      CAPTURE(cli::path_of(*command.app));
      Words words = command.words;
      if (!words.empty() && words.back() == "RUN") words.pop_back();
      for (const std::string& value : kHostile) {
        CAPTURE(value);
        const std::string error = program.parse(words + before + Words{"--", value});
        if (error.empty())
          CHECK(shown(*option) == value);
        else
          CHECK_MESSAGE(value.empty(), error);
        if (value.starts_with("-") && value != "-" && value != "-1") continue;
        CHECK(program.parse(words + before + Words{value}) == error);
        if (error.empty()) CHECK(shown(*option) == value);
      }
      before.emplace_back("RUN");
      if (takes_several(*option)) continue;
      const std::string both = program.parse(words + before + Words{"again"});
      if (before.size() == room_for_words(command))
        CHECK(says_so(both, "unexpected argument again"));
    }
    if (room_for_words(command) == 0)
      CHECK_FALSE(program.parse(command.words + Words{"word"}).empty());
  }
  CHECK(positionals > 12);
}

TEST_CASE(
    "bare, yes, no, repeated, two values: each option takes it as it is meant or says what is "
    "wrong") {
  Program program;
  for (const Command& command : commands_of(program)) {
    for (CLI::Option* const option : flags_of(command)) {
      const std::string name = option->get_lnames().front(), flag = "--" + name;
      CAPTURE(cli::path_of(*command.app));
      CAPTURE(flag);
      const std::string bare = program.parse(command.words + Words{flag});
      if (is_switch(*option)) {
        CHECK(bare == "");
        CHECK(option->count() == 1);
        CHECK(says_so(program.parse(command.words + Words{flag, flag}), "given twice"));
        CHECK_FALSE(program.parse(command.words + Words{flag + "=perhaps"}).empty());
        CHECK_FALSE(program.parse(command.words + Words{flag + "="}).empty());
        if (!name.starts_with("no-")) {
          CHECK(program.parse(command.words + Words{flag + "=no"}) == "");
          CHECK(option->count() == 0);
          CHECK(program.parse(command.words + Words{flag + "=yes"}) == "");
          CHECK(option->count() == 1);
        }
        continue;
      }
      if (is_yes_or_no(*option)) {
        CHECK(bare == "");
        CHECK(shown(*option) == "yes");
        CHECK(program.parse(command.words + Words{"--no-" + name}) == "");
        CHECK(shown(*option) == "no");
        CHECK(says_so(program.parse(command.words + Words{"--no-" + name + "=yes"}),
                      "takes no value"));
      } else {
        CHECK(says_so(bare, flag + " needs a value"));
        CHECK(says_so(program.parse(command.words + Words{flag, flag + "=1"}),
                      flag + " needs a value"));
        if (command.app->get_option_no_throw("--no-" + name) == nullptr)
          CHECK(says_so(program.parse(command.words + Words{"--no-" + name}), "unknown option"));
      }
      const std::string value = valid_value(program, command, *option);
      CHECK(program.parse(command.words + Words{flag, value}) == "");
      CHECK(shown(*option) == value);
      for (const Words& repeated :
           {Words{flag, value, flag, value}, Words{flag + "=" + value, flag + "=" + value},
            Words{flag, value, flag + "=" + value}}) {
        const std::string error = program.parse(command.words + repeated);
        if (takes_several(*option)) {
          CHECK(error == "");
          CHECK(option->results().size() == 2);
        } else {
          CHECK(says_so(error, "is given twice: " + value + " and " + value));
        }
      }
      if (takes_several(*option))
        CHECK(program.parse(command.words + Words{flag, value, value}) == "");
      else if (room_for_words(command) == 0)
        CHECK(says_so(program.parse(command.words + Words{flag, value, "other"}),
                      "takes one value, got " + value + " and other"));
    }
  }
}

TEST_CASE("every number of every command but train has limits, and is read as a decimal number") {
  Program program;
  std::size_t numbers = 0;
  for (const Command& command : commands_of(program)) {
    if (is_train(command)) continue;
    for (CLI::Option* const option : flags_of(command)) {
      const std::string type = option->get_type_name(), flag = "--" + option->get_lnames().front();
      CAPTURE(cli::path_of(*command.app));
      CAPTURE(flag);
      CHECK(type != "UINT");
      CHECK(type != "FLOAT");
      if ((type != "INT" && type != "NUMBER") || option->get_group() == "As in weft train")
        continue;
      ++numbers;
      for (const char* wrong : {"nan", "inf", "-inf", "1e300", "-1e300", "0x10", " 1", "1 ", "1x",
                                "true", "yes", "", "--1", "1_000", "1'000", "+1"}) {
        CAPTURE(wrong);
        const std::string error = program.parse(command.words + Words{flag + "=" + wrong});
        CHECK(says_so(error, flag + " must be "));
        CHECK(says_so(error, std::string(", got ") + (*wrong == '\0' ? "nothing" : wrong)));
      }
      if (type == "INT")
        CHECK(says_so(program.parse(command.words + Words{flag + "=1.5"}), "whole number"));
    }
  }
  CHECK(numbers > 60);
  CHECK(says_so(program.parse({"predict", "RUN", "--beam", "0"}),
                "--beam must be from 1 to 1000, got 0"));
  CHECK(says_so(program.parse({"predict", "RUN", "--top", "-3"}),
                "--top must be from 1 to 1000000, got -3"));
  CHECK(says_so(program.parse({"bench", "attention", "--lengths", "16,,32"}), "got nothing"));
  CHECK(program.parse({"bench", "attention", "--lengths", "16,32", "--lengths=64"}) == "");
}

TEST_CASE("commands add options by the functions of options.h alone") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(WEFT_SOURCE_DIR "/train/cli")) {
    const std::string name = entry.path().filename().string(),
                      text = read_file(entry.path().string());
    ++files;
    if (name != "options.cpp") CHECK_MESSAGE(!says_so(text, "add_option"), name);
    if (name != "parse_literally.cpp") CHECK_MESSAGE(!says_so(text, ".parse("), name);
  }
  CHECK(files > 30);
}

TEST_CASE(
    "lists end where options, dashes and required words do; commands are chosen by their first "
    "word alone") {
  Program program;
  const auto results = [&](const char* command, const char* option) {
    Words texts;
    for (const std::string& result :
         program.app.get_subcommand(command)->get_option(option)->results())
      texts.push_back(result.substr(1));
    return texts;
  };
  CHECK(program.parse({"predict", "--text", "[free, win]", "[]", "RUN"}) == "");
  CHECK(results("predict", "--text") == Words{"[free, win]", "[]"});
  CHECK(results("predict", "run") == Words{"RUN"});
  CHECK(program.parse({"predict", "RUN", "--text=a", "b.png", "--text", "c", "--", "--d.png"}) ==
        "");
  CHECK(results("predict", "--text") == Words{"a", "c"});
  CHECK(results("predict", "files") == Words{"b.png", "--d.png"});
  CHECK(program.parse({"info", "--", "model"}) == "");
  CHECK(results("info", "run") == Words{"model"});
  CHECK(says_so(program.parse({"info", "RUN", "model"}), "unexpected argument model"));
  CHECK(says_so(program.parse({"info", "--json", "model"}),
                "--json is placed before model, which would not see it"));
  CHECK(says_so(program.parse({"bench", "--rounds", "3", "ops"}), "--rounds is placed before ops"));
  CHECK(says_so(program.parse({"train", "text", "--", "--steps"}), "unexpected argument --steps"));
  CHECK(says_so(program.parse({"train", "text", "--seed", "1", "--", "--steps"}),
                "unexpected argument --steps"));
  CHECK(says_so(program.parse({"sample", "RUN", "--prompt", "--chars", "5"}),
                "is written --prompt=--chars"));
  CHECK(program.parse({"train", "text", "--help", "--nonsense"}) == "(help)");
  CHECK(program.parse({"train", "text", "--nonsense", "--help"}) == "(help)");
  CHECK(says_so(program.parse({"trian", "text", "--help"}),
                "unknown command trian; did you mean train?"));
}

TEST_CASE(
    "mistyped options of every command get the name that was meant, and nothing far-fetched") {
  Program program;
  for (const Command& command : commands_of(program)) {
    for (CLI::Option* const option : flags_of(command)) {
      std::string name = option->get_lnames().front();
      if (name.size() < 4 || name.starts_with("no-")) continue;
      const std::string right = "--" + name;
      std::swap(name[1], name[2]);
      if ("--" + name == right) continue;
      const std::string error = program.parse(command.words + Words{"--" + name});
      CHECK_MESSAGE(says_so(error, "unknown option --" + name + "; did you mean " + right + "?"),
                    error);
    }
    for (const char* far : {"--frobnicate", "--a-thing-that-is-not-there", "--zzz"}) {
      const std::string error = program.parse(command.words + Words{far});
      CHECK(says_so(error, std::string("unknown option ") + far));
      CHECK_FALSE(says_so(error, "did you mean"));
    }
  }
  CHECK(says_so(program.parse({"train", "text", "--batch-size", "3"}), "did you mean --batch?"));
  CHECK(says_so(program.parse({"train", "text", "--num-heads=3"}), "did you mean --heads?"));
  CHECK(says_so(program.parse({"train", "text", "--head_size", "3"}), "did you mean --head-size?"));
  CHECK_FALSE(says_so(program.parse({"train", "text", "--learning-rate", "3"}), "did you mean"));
}
