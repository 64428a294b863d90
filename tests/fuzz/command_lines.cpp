#include "tests/fuzz/command_lines.h"

#include "core/error.h"
#include "train/cli/command_line.h"

namespace weft::fuzz {

std::vector<std::string> command_line_seeds() {
  return {"train\ntext\n--steps\n10\n--lr=1e-3\n--data\nshakespeare\n--out\nruns/a\n",
          "train\nvision\n--model\nvit\n--epochs\n5\n--config\nrecipe.toml\n",
          "compare\ncross-dimension\n--quick\n--seeds\n8\n--jobs=2\n",
          "sample\nruns/b\n--prompt\nROMEO:\n--chars\n500\n--temperature\n0.8\n",
          "gradcheck\n--seeds\n7\n--kind\nop\n--json\nsoftmax\n",
          "explain\nattention\n--heads\n2\n",
          "bench\ngpt\n--layers\n2\n",
          "predict\nruns/c\n--test-image\n0\n1\n2\n",
          "info\nmodel\n--kind\nvit\n--help\n"};
}

void read_words(std::string_view bytes) {
  std::vector<std::string> words{"weft"};
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::vector<const char*> pointers;
  for (const std::string& word : words) pointers.push_back(word.c_str());
  const cli::CommandLine line =
      cli::read_command_line(static_cast<int>(pointers.size()), pointers.data());
  if (!line.action) fail<ConfigError>("fuzz", "code {}: {}{}", line.code, line.answer, line.error);
}

}  // namespace weft::fuzz
