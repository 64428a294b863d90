// A training of fifty steps leaves the same bits for 1, 2, 3, 4 and 8 threads: every kind of run
// with each of its models, at sizes that are cut into tasks. (tests/samples/test_threads*.cpp:
// every op, module and model by itself.)
#include <doctest/doctest.h>

#include <cstdlib>

#include "core/parallel.h"
#include "tests/reliability/run_result.h"
#include "tests/train/tiny_runs.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/kinds.h"

using namespace weft;
using test::result_of;
using test::TempFolder;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kThreadedSteps = 3;  // many times slower, and there for races
#else
constexpr int kThreadedSteps = 50;
#endif

struct ThreadedRun {
  std::string kind;
  std::string choices;  ///< "name=value name=value ...", all but the number of steps
};

/// 28 x 28 images of ten classes, told apart by where they are bright.
std::string digit_like_images(const TempFolder& folder) {
  const auto path = folder / "digits";
  test::fs::create_directories(path);
  const auto write = [&](const std::string& part, std::int64_t count) {
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count * 784)),
        labels(static_cast<std::size_t>(count));
    for (std::int64_t n = 0; n < count; ++n) {
      labels[static_cast<std::size_t>(n)] = static_cast<std::uint8_t>(n % 10);
      for (std::int64_t i = 0; i < 784; ++i) {
        const bool inside = i / 28 > 3 && i / 28 < 24 && i % 28 > 5 && i % 28 < 22 &&
                            (i / 28 + i % 28 * (n % 10)) % 7 < 4;
        pixels[static_cast<std::size_t>(n * 784 + i)] =
            static_cast<std::uint8_t>(inside ? 150 + (n * 31 + i * 17) % 100 : 0);
      }
    }
    data::write_idx((path / (part + "-images-idx3-ubyte")).string(),
                    Tensor::from(pixels, {count, 28, 28}));
    data::write_idx((path / (part + "-labels-idx1-ubyte")).string(), Tensor::from(labels, {count}));
  };
  write("train", 90);
  write("t10k", 10);
  return path.string();
}

std::string labeled_lines(const TempFolder& folder) {
  std::string text;
  for (int i = 0; i < 120; ++i)
    text += i % 3 == 0 ? fmt::format("spam\twin {} prizes now call {}\n", i, i * 7 % 100)
                       : fmt::format("ham\tsee you {} at home in {} minutes\n", i, i * 7 % 50);
  write_file((folder / "labels.tsv").string(), text);
  return (folder / "labels.tsv").string();
}

/// Sources and targets, which are the same letters turned around.
std::string pairs_of_texts(const TempFolder& folder) {
  std::string text;
  for (int i = 0; i < 120; ++i) {
    const std::string source =
        fmt::format("{}{}{}", i * 7 % 97, i % 2 == 0 ? "ab" : "cde", i * i % 89);
    text += source + '\t' + std::string(source.rbegin(), source.rend()) + '\n';
  }
  write_file((folder / "pairs.tsv").string(), text);
  return (folder / "pairs.tsv").string();
}

void check_run(const TempFolder& folder, const ThreadedRun& wanted) {
  CAPTURE(wanted.kind + " " + wanted.choices);
  const train::Kind& kind = train::find_kind(wanted.kind, "test");
  train::Sources sources;
  for (std::size_t at = 0; at < wanted.choices.size();) {
    const std::size_t equals = wanted.choices.find('=', at),
                      end = std::min(wanted.choices.find(' ', at), wanted.choices.size());
    sources.flags.emplace_back(wanted.choices.substr(at, equals - at),
                               wanted.choices.substr(equals + 1, end - equals - 1));
    at = end + 1;
  }
  const auto config = train::resolve(kind, sources);
  kind.set_steps(*config, kThreadedSteps,
                 *kind.inspect_data(*config));  // or the epochs that come nearest
  std::string expected;
  for (const int threads : {1, 2, 3, 4, 8}) {
    config->threads = threads;
    const auto out = folder / "run";
    const auto summary = train::train_run(kind, *config, {.out = out, .estimate = false});
    CHECK(std::abs(summary.steps - kThreadedSteps) <= 8);  // an epoch of clicks is eleven
    const std::string result = result_of(out);
    test::fs::remove_all(out);
    if (threads == 1) expected = result;
    CHECK_MESSAGE(result == expected, threads, " threads");
  }
}

void check_runs(const TempFolder& folder, const std::vector<ThreadedRun>& runs) {
  const int before = num_threads();
  for (const ThreadedRun& run : runs) check_run(folder, run);
  set_num_threads(before);
  MESSAGE(runs.size(), " trainings of ", kThreadedSteps,
          " steps, each with 1, 2, 3, 4 and 8 threads: the same bits");
}

}  // namespace

TEST_CASE("the same training for any number of threads: text") {
  const TempFolder folder;
  const std::string data = "data=" + test::tiny_text_config(folder).data +
                           " layers=2 heads=4 width=64 context=32 batch=16 ";
  check_runs(folder, {{"text", data + "dropout=0.1 clip=0.5"},
                      {"text", data + "attention=plain optimizer=sgd lr=0.1 accumulate=2"},
                      {"text", data + "attention=lightning optimizer=lion lr=0.0003 ema=0.9"},
                      {"text", data + "attention=linear optimizer=adam post_norm=yes"},
                      {"text", data + "positions=rope norm=rms optimizer=muon activation=swiglu "
                                      "qk_norm=yes kv_heads=2 schedule=wsd tie=no"}});
}

TEST_CASE("the same training for any number of threads: images") {
  const TempFolder folder;
  const std::string data =
      "data=" + digit_like_images(folder) + " validation=10 shift=2 flip=yes batch=16 ";
  check_runs(folder, {{"vision", data + "model=vit layers=1 heads=2 width=32 dropout=0.1"},
                      {"vision", data + "model=vit attention=channels layers=1 heads=2 width=32"},
                      {"vision", data + "model=mlp layers=2 width=128"},
                      {"vision", data + "model=cnn width=64"},
                      {"vision", data + "model=lenet"},
                      {"vision", data + "model=resnet layers=1 width=8"}});
}

TEST_CASE("the same training for any number of threads: scenes") {
  const TempFolder folder;
  const std::string data = "data=" + std::string(WEFT_SOURCE_DIR) +
                           "/data/sets/mnist eval_scenes=2 max_digits=3 clutter=2 batch=1 ";
  check_runs(folder, {{"detect", data + "model=faster_rcnn width=16"},
                      {"detect", data + "model=faster_rcnn_vit layers=1 heads=2 width=32"},
                      {"detect", data + "model=detr layers=1 heads=2 width=32 queries=6"}});
}

TEST_CASE("the same training for any number of threads: sequences and tokens") {
  const TempFolder folder;
  const std::string rows = "train=512 validation=64 test=64 batch=128 ";
  check_runs(folder,
             {{"sequence",
               "data=recall symbols=16 length=32 held_out=32 layers=1 heads=2 width=64 batch=16"},
              {"sequence",
               "data=reverse model=encoder_decoder symbols=8 length=12 held_out=32 layers=1 "
               "heads=2 width=64 batch=32"},
              {"tokens", rows + "model=linear"},
              {"tokens", rows + "model=fm"},
              {"tokens", rows + "model=mlp layers=2 width=64"},
              {"tokens", rows + "model=cnn width=64"},
              {"tokens", rows + "model=transformer layers=1 heads=4 width=64"},
              {"tokens", rows + "model=transformer layers=1 attention=channels width=64"},
              {"tokens", rows + "model=ft layers=1 heads=4 width=64"}});
}

TEST_CASE("the same training for any number of threads: words and clicks") {
  const TempFolder folder;
  const std::string labeled =
      "data=" + labeled_lines(folder) + " context=16 vocabulary=80 batch=32 ";
  const std::string clicks =
      "users=60 items=40 topics=6 interests=2 history=12 events=24 batch=64 ";
  check_runs(folder, {{"translate",
                       "data=" + pairs_of_texts(folder) + " layers=1 heads=2 width=64 batch=32"},
                      {"bert", labeled + "layers=1 heads=2 width=64 whole_words=yes"},
                      {"classify", labeled + "model=bert layers=1 heads=2 width=64 pretrain=1"},
                      {"classify", labeled + "model=bow tokenizer=words"},
                      {"embedding", "data=synonyms width=64 batch=256"},
                      {"recommend", clicks + "model=fm user_id=yes"},
                      {"recommend", clicks + "model=deepfm"},
                      {"recommend", clicks + "model=sum"},
                      {"recommend", clicks + "model=din penalty=0.001"},
                      {"recommend", clicks + "model=bst"},
                      {"recommend", clicks + "model=autoint"}});
}
