// weft explain as a user meets it.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/cli/refused.h"

using namespace weft;
using test::check_refused;
using test::Outcome;
using test::TempFolder;
using test::weft_with;

namespace {

using Words = std::vector<std::string>;

Outcome run_explain(const TempFolder& folder, Words words) {
  words.insert(words.begin(), {"explain", "attention"});
  return weft_with(folder, words);
}

}  // namespace

TEST_CASE("the worked example: text, JSON, page") {
  const TempFolder folder;
  const Outcome text = run_explain(folder, {});
  REQUIRE_MESSAGE(text.code == 0, text.err);
  CHECK(text.out.find("softmax(QKᵀ/√d) V of 你好") != std::string::npos);
  CHECK(text.out.find("full, 3 heads, FFN") != std::string::npos);
  CHECK(text.out.find('\x1b') == std::string::npos);
  const std::string page = (folder / "page.html").string();
  const Outcome json = run_explain(folder, {"--tokens", "春眠不觉晓", "--dim", "4", "--heads", "4",
                                            "--seed", "7", "--json", "--out", page});
  REQUIRE(json.code == 0);
  CHECK(nlohmann::json::parse(json.out)["tokens"].size() == 5);
  CHECK(read_file(page).find("<canvas") == std::string::npos);  // drawn by the script
  CHECK(read_file(page).find("createElement('canvas')") != std::string::npos);
  for (const Words& words : {Words{"explain", "--help"}, Words{"explain", "attention", "--help"}}) {
    const Outcome help = weft_with(folder, words);
    CHECK(help.code == 0);
    CHECK(help.out.find("Example") != std::string::npos);
  }
  CHECK(run_explain(folder, {"--tokens", std::string(64, 'a'), "--dim", "4"}).code == 0);
  CHECK(run_explain(folder, {"--tokens", "ab", "--dim", "64", "--out", page}).code == 0);
  CHECK(run_explain(folder, {"--tokens", "a", "--dim", "1"}).code == 0);
}

TEST_CASE("the worked example: bad input") {
  const TempFolder folder;
  check_refused(run_explain(folder, {"--tokens", ""}), 2, "tokens must not be empty");
  check_refused(run_explain(folder, {"--tokens", "\xff\xfe"}), 1, "not UTF-8");
  check_refused(run_explain(folder, {"--tokens", std::string(65, 'a')}), 2,
                "at most 64 tokens, got 65");
  check_refused(run_explain(folder, {"--tokens", std::string(100000, 'a')}), 2,
                "at most 64 tokens");
  check_refused(run_explain(folder, {"--tokens", std::string(64, 'a'), "--dim", "5"}), 2,
                "tokens times dim must be at most 256");
  for (const char* dim : {"0", "-1", "65", "1000000000"})
    check_refused(run_explain(folder, {"--dim", dim}), 2, "dim must be from 1 to 64");
  check_refused(run_explain(folder, {"--dim", "99999999999999999999"}), 2,
                "dim must be from 1 to 64");
  check_refused(run_explain(folder, {"--dim", "x"}), 2, "--dim");
  for (const char* heads : {"2", "4"})
    check_refused(run_explain(folder, {"--heads", heads}), 2, "heads must divide dim");
  for (const char* heads : {"0", "-3"})
    check_refused(run_explain(folder, {"--heads", heads}), 2, "heads must be from 1 to 64");
  check_refused(run_explain(folder, {"--seed", "-1"}), 2, "--seed must be from 0");
  check_refused(run_explain(folder, {"--matrices", "square"}), 2, "--matrices");
  check_refused(run_explain(folder, {"--text", "x"}), 2, "--text has no effect without a run");
  check_refused(run_explain(folder, {"--image", "1"}), 2, "--image has no effect without a run");
  check_refused(run_explain(folder, {"--out", "/proc/nowhere/x.html"}), 1, "/proc/nowhere");
  check_refused(run_explain(folder, {"--threads", "-1"}), 2, "threads");
  check_refused(weft_with(folder, {"explain"}), 2, "");
  check_refused(weft_with(folder, {"explain", "attenton"}), 2, "did you mean attention?");
}

TEST_CASE("the worked example: files that are no matrix") {
  const TempFolder folder;
  const std::string file = (folder / "x.csv").string();
  check_refused(run_explain(folder, {"--file", file}), 1, "x.csv");
  check_refused(run_explain(folder, {"--file", (folder / "").string()}), 1, "");
  check_refused(run_explain(folder, {"--file", "/dev/zero"}), 1, "/dev/zero");
  const auto refused = [&](const std::string& bytes, const std::string& says) {
    write_file(file, bytes);
    CAPTURE(bytes.substr(0, 40));
    check_refused(run_explain(folder, {"--file", file}), 1, says);
  };
  refused("", "holds no numbers");
  refused("# only words\n\n", "holds no numbers");
  refused("1,2\n3,nan\n", "line 2: numbers must be finite, got nan");
  refused("1,inf\n", "line 1: numbers must be finite");
  refused("1,1e999\n", "line 1: 1e999 is too large");
  refused("1,2e6\n", "between -1e6 and 1e6");
  refused("1,2\n3\n", "line 2: every row must have as many numbers as the first: 2, got 1");
  refused("1,2\n3,", "line 2: a number is missing after the last comma");
  refused("1,,2\n", "line 1: a number is missing before a ','");
  refused(",1\n", "line 1: a number is missing before a ','");
  refused("a,b\n1,2\n", "line 1: 'a' is not a number");
  refused("1 0x2\n", "line 1: '0x2' is not a number");
  refused("1,2\x01\n", "line 1: '2?' is not a number");
  refused(std::string("1,\0,2\n", 6), "line 1: '?' is not a number");
  refused("1 2\n" + std::string(70000, '3') + "\n", "line 2: ");
  std::string wide = "1", high;
  for (int i = 0; i < 64; ++i) wide += " 1";
  for (int i = 0; i < 65; ++i) high += "1\n";
  refused(wide + "\n", "line 1: at most 64 numbers per line");
  refused(high, "line 65: at most 64 rows");
  refused(std::string(2 << 20, '1'), "x.csv");
  write_file(file, "1,2\n3,4\n");
  check_refused(run_explain(folder, {"--file", file, "--dim", "3"}), 2, "dim is 3, but");
  check_refused(run_explain(folder, {"--file", file, "--tokens", "abc"}), 2, "--tokens names 3");
  CHECK(run_explain(folder, {"--file", file, "--tokens", "ab"}).code == 0);
}

TEST_CASE("maps of runs: what fits, and what does not") {
  const TempFolder folder;
  const std::string text = (folder / "text-run").string(),
                    vision = (folder / "vision-run").string(),
                    page = (folder / "maps.html").string();
  train::train_run(test::tiny_text_config(folder), {.out = text});
  train::VisionConfig images = test::tiny_vision_config(folder);
  images.epochs = 1;
  train::train_run(images, {.out = vision});

  const Outcome maps = run_explain(folder, {text, "--text", "the cat", "--out", page});
  REQUIRE_MESSAGE(maps.code == 0, maps.err);
  CHECK(maps.out.find("mean attention distance in tokens") != std::string::npos);
  CHECK(maps.out.find("nearest in the embedding") != std::string::npos);
  CHECK(read_file(page).find("</html>") != std::string::npos);
  const Outcome seen = run_explain(folder, {vision, "--image", "1", "--json", "--threads", "1"});
  REQUIRE_MESSAGE(seen.code == 0, seen.err);
  CHECK(nlohmann::json::parse(seen.out)["distance"]["unit"] == "pixels");
  CHECK(run_explain(folder, {vision, "--image", "1", "--json", "--threads", "2"}).out == seen.out);

  check_refused(run_explain(folder, {vision, "--text", "x"}), 2,
                "is a vision run: --text has no effect, use --image");
  check_refused(run_explain(folder, {text, "--image", "1"}), 2,
                "is a text run: --image has no effect, use --text");
  check_refused(run_explain(folder, {text, "--dim", "3"}), 2, "--dim has no effect with a run");
  check_refused(run_explain(folder, {text, "--text", ""}), 2, "text must not be empty");
  check_refused(run_explain(folder, {text, "--text", "水"}), 2, "text");
  check_refused(run_explain(folder, {text, "--samples", "0"}), 2, "samples must be from 1");
  check_refused(run_explain(folder, {vision, "--image", "9"}), 1,
                "test image 9 does not exist: there are 9");
  check_refused(run_explain(folder, {vision, "--image", "none.png"}), 1, "none.png");
  check_refused(run_explain(folder, {(folder / "none").string()}), 1, "there is no such run");
  check_refused(run_explain(folder, {(folder / "text.txt").string()}), 1, "text.txt");
  const std::string last = text + "/last.safetensors", good = read_file(last);
  write_file(last, good.substr(0, good.size() / 2));
  check_refused(run_explain(folder, {text}), 1, "last.safetensors");
}
