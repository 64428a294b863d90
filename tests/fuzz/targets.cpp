#include "tests/fuzz/targets.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/npy.h"
#include "core/io/safetensors.h"
#include "data/image/idx.h"
#include "data/image/picture.h"
#include "data/image/png.h"
#include "data/recommend/clicks.h"
#include "data/table/csv.h"
#include "data/table/table_rows.h"
#include "data/text/labeled_text.h"
#include "data/text/tabbed_lines.h"
#include "data/text/text_dataset.h"
#include "data/text/tokenizer.h"
#include "data/text/word_tokenizer.h"
#include "tests/fuzz/command_lines.h"
#include "train/compare/collect.h"
#include "train/compare/shipped.h"
#include "train/compare/suite.h"
#include "train/config/config_sources.h"
#include "train/explain/matrix_file.h"
#include "train/loop/checkpoint.h"
#include "train/loop/run_folder.h"
#include "train/page/chart_page.h"
#include "train/tasks/classify/classify_model.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/recommend/recommend_task.h"
#include "train/tasks/table/table_task.h"
#include "train/tasks/text/text_config.h"
#include "train/tasks/vision/vision_model.h"

namespace weft::fuzz {
namespace {

/// A file in memory, for readers that want a path. It keeps its end, as some readers look at it.
class MemoryFile {
 public:
  MemoryFile(std::string_view bytes, const std::string& ending) {
    path_ = "/dev/shm/weft-fuzz-" + std::to_string(::getpid()) + ending;
    const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      throw std::runtime_error("no room in /dev/shm");
    ::close(file);
  }
  ~MemoryFile() { ::unlink(path_.c_str()); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// What a function writes into a file.
std::string written(const std::string& ending,
                    const std::function<void(const std::string&)>& write) {
  const MemoryFile file("", ending);
  write(file.path());
  return read_file(file.path());
}

std::string gzipped(const std::string& bytes) {
  return written(".gz", [&](const std::string& path) {
    const gzFile file = ::gzopen(path.c_str(), "wb9");
    ::gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    ::gzclose(file);
  });
}

Tensor small(const Shape& shape, DType dtype) { return Tensor::full(shape, 7.0, dtype); }

std::vector<std::string> safetensors_seeds() {
  const auto file = [](const TensorFile& tensors) {
    return written(".safetensors",
                   [&](const std::string& path) { write_safetensors(path, tensors); });
  };
  return {
      file({}),
      file({.tensors = {{"a", small({2, 3}, DType::f32)}, {"b.c", small({}, DType::i64)}},
            .metadata = {{"format", "weft-run-1"}, {"config", "{}"}}}),
      file({.tensors = {{"empty", small({0, 5}, DType::f64)}, {"bytes", small({9}, DType::u8)}}})};
}

std::vector<std::string> idx_seeds() {
  const auto file = [](const Tensor& tensor) {
    return written("", [&](const std::string& path) { data::write_idx(path, tensor); });
  };
  const std::string images = file(small({2, 4, 4}, DType::u8)),
                    labels = file(small({3}, DType::u8));
  return {images, labels, gzipped(images), gzipped(std::string(1 << 20, '\0'))};
}

std::vector<std::string> png_seeds() {
  const auto file = [](const Shape& shape) {
    return written(".png",
                   [&](const std::string& path) { data::save_png(path, small(shape, DType::u8)); });
  };
  return {file({1, 3, 5}), file({3, 4, 2})};
}

std::vector<std::string> npy_seeds() {
  const auto file = [](const Tensor& tensor) {
    return written(".npy", [&](const std::string& path) { save_npy(path, tensor); });
  };
  return {file(small({2, 3}, DType::f32)), file(small({4}, DType::i64)),
          file(small({}, DType::f64))};
}

/// A folder in memory, there once for all runs of this process.
const std::string& memory_folder() {
  static const struct Folder {
    std::string path = "/dev/shm/weft-fuzz-" + std::to_string(::getpid()) + ".folder";
    Folder() { std::filesystem::create_directory(path); }
    ~Folder() { std::filesystem::remove_all(path); }
  } folder;
  return folder.path;
}

void put(const std::string& path, std::string_view bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || ::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("no room in /dev/shm");
  ::close(file);
}

void read_metrics(std::string_view bytes) {
  const std::string& folder = memory_folder();
  put(folder + "/metrics.jsonl", bytes);
  put(folder + "/config.json", "{}");
  const bool empty = compare::batch_hashes(folder).empty();
  compare::read_curve(folder, "val_loss");
  report::loss_chart(folder, "fuzz");
  { train::RunFolder::open(folder).trim_metrics(1); }
  if (empty) fail<IoError>("fuzz", "no line of it holds a hash");
}

/// Ratings, then after a line of `====` the items with their genres; comma separated where the
/// first line is a heading.
void read_ratings(std::string_view bytes) {
  const std::string& folder = memory_folder();
  const bool csv = bytes.starts_with("userId");
  const auto end = std::min(bytes.find("====\n"), bytes.size());
  for (const char* name : {"ratings.csv", "movies.csv", "u.data", "u.item"})
    ::unlink((folder + "/" + name).c_str());
  put(folder + (csv ? "/ratings.csv" : "/u.data"), bytes.substr(0, end));
  if (end < bytes.size()) put(folder + (csv ? "/movies.csv" : "/u.item"), bytes.substr(end + 5));
  const data::ClickData clicks = data::load_ratings(folder, {.history = 3});
  clicks.train_batch(0, 1, 1);
  clicks.fingerprint();
}

std::vector<std::string> ratings_seeds() {
  std::string tabs, commas = "userId,movieId,rating,timestamp\n";
  for (int user = 1; user <= 2; ++user)
    for (int i = 1; i <= 5; ++i) {
      tabs += fmt::format("{}\t{}\t{}\t{}\n", user, 10 * i, i % 2 == 1 ? 5 : 2, 1000 * user + i);
      commas += fmt::format("{},{},{},{}\n", user, 10 * i, i % 2 == 1 ? 4.5 : 2, 1000 * user + i);
    }
  const std::string item =
      "10|A (1995)|01-Jan-1995||http://x|0|1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n";
  return {commas + "====\nmovieId,title,genres\n10,\"A, the\",Drama|War\n20,B,(no genres listed)\n",
          tabs + "====\n" + item, tabs};
}

std::vector<std::string> labeled_seeds() {
  std::string text;
  for (const char* label : {"ham", "spam"})
    for (int i = 0; i < 6; ++i) text += fmt::format("{}\t{} message {} 你好\n", label, label, i);
  return {text};
}

std::string word_vocabulary() {
  return data::WordTokenizer::of_text("the cat sat on the mat, the cats sit", {.vocab_size = 60})
      ->to_json();
}

/// One of today, and one of the first format, whose header has no checksum: only with it do changed
/// texts come further than that.
std::vector<std::string> checkpoint_seeds() {
  std::map<std::string, std::string> texts{{"format", "weft-run-2"},
                                           {"config", "{}"},
                                           {"data", "{}"},
                                           {"data_fingerprint", "0"},
                                           {"progress", "{\"step\":3,\"items\":4,\"seconds\":1.5}"},
                                           {"streams", "{\"seed\":1,\"positions\":{\"data\":7}}"}};
  const auto file = [&] {
    return written(".safetensors", [&](const std::string& path) {
      write_safetensors(path, {.tensors = {{"a", small({2}, DType::f32)}}, .metadata = texts});
    });
  };
  const std::string today = file();
  texts["format"] = "weft-run-1";
  std::string first = file();
  first.replace(first.find("weft_header_crc32"), 17, "another_text_here");
  return {today, first};
}

constexpr const char* kResults =
    R"({"format":1,"weft":"0","suite":"s","kind":"tokens","question":{"en":"?","zh":"?"},"seeds":[1,2],"alpha":0.05,"seconds":3,"jobs":1,
"budget":{"equal":"steps","amount":9,"lr_factors":[1]},"machine":{"cpu":"x","cores":2,"simd":"avx2"},
"tasks":[{"name":"t","about":"a","metric":"val_loss","lower_is_better":true,"margin":0.1,"chance":0.5,"ceiling":1,"pairing":[{"seed":1,"hash":"0f","runs":2,"equal":true}]}],
"arms":[{"name":"a","about":"b","unequal":false,"choices":{"layers":2}},{"name":"b","about":{"en":"c"}}],
"cells":[{"task":"t","arm":"a","values":[0.5,null],"failed":0,"mean":0.5,"interval":[0.4,0.6],"parameters":9,"tried":[{"factor":1,"lr":0.1,"value":2}],
"runs":[{"seed":1,"status":"done","value":0.5}],"curve":{"figure":"val_loss","steps":[1,2],"mean":[1,2],"low":[1,2],"high":[1,2]}},
{"task":"t","arm":"b","values":[0.25,0.5],"mean":0.4}],
"contrasts":[{"task":"t","a":"a","b":"b","question":"?","differences":[0.1],"expected":"better","interval":[null,0.2],"seeds":2,"difference":0.1,"p":0.5,"verdict":"undecided","reason":"too_few_seeds"}],
"exploratory":[{"task":"t","a":"a","b":"b","difference":0.1,"interval":[0,1],"seeds":2}],
"controls":[{"task":"t","arm":"a","expect":"chance","limit":0.5,"within":0.1,"mean":0.5,"holds":true}]})";

/// A table: what its columns are, and every row by that.
void read_table_rows(std::string_view bytes) {
  for (const bool skip : {false, true}) {
    const data::Records table = data::Records::parse(bytes, "fuzz.csv", {.skip_bad = skip});
    const data::SchemaOptions options{.min_count = 1, .skip_bad = skip};
    const data::TableTarget target = data::target_of(table, options);
    std::vector<std::int64_t> rows;
    for (std::int64_t row = 0; row < table.rows(); ++row)
      if (!table.cell(row, table.find(target.name)).empty()) rows.push_back(row);
    std::vector<std::string> notes;
    const data::TableSchema schema = data::learn_schema(table, rows, target, options, notes);
    const data::TableRows read = data::read_rows(table, rows, schema);
    if (schema.width() < 10000) data::table_features(read, {0}, schema);
    data::TableSchema::from_json(schema.to_json(), "fuzz");
  }
}

/// Configurations of all kinds, as TOML or JSON.
void read_config(std::string_view bytes, const char* ending) {
  const MemoryFile file(bytes, ending);
  bool taken = false;
  for (const train::Kind* kind : train::kinds()) {
    try {
      train::resolve(*kind, {.preset = "", .file = file.path()});
      taken = true;
    } catch (const Error&) {
    }
  }
  if (!taken) fail<ConfigError>("fuzz", "no kind of run takes it");
}

std::vector<std::string> config_json_seeds() {
  std::vector<std::string> seeds;
  for (const train::Kind* kind : train::kinds())
    seeds.push_back(train::to_json(*kind, *kind->make()));
  return seeds;
}

}  // namespace

std::vector<std::string> corpus(const std::string& target) {
  std::vector<std::filesystem::path> paths;
  const std::filesystem::path folder =
      std::filesystem::path(WEFT_SOURCE_DIR) / "tests/fuzz/corpus" / target;
  if (std::filesystem::is_directory(folder))
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> files;
  for (const auto& path : paths) files.push_back(read_file(path.string()));
  return files;
}

const std::vector<Target>& targets() {
  static const std::vector<Target> all = {
      {"safetensors", safetensors_seeds,
       [](std::string_view bytes) {
         const MemoryFile file(bytes, ".safetensors");
         read_safetensors_header(file.path());
         read_safetensors(file.path());
       }},
      {"idx", idx_seeds,
       [](std::string_view bytes) { data::read_idx(MemoryFile(bytes, "-ubyte").path()); }},
      {"png", png_seeds,
       [](std::string_view bytes) { data::load_png(MemoryFile(bytes, ".png").path(), 1); }},
      {"picture",
       [] {
         std::vector<std::string> seeds = png_seeds();
         for (const char* name : {"subsampled.jpg", "turned6.jpg", "gray.jpg", "color.webp"})
           seeds.push_back(
               read_file(std::string(WEFT_SOURCE_DIR) + "/tests/golden/files/pictures/" + name));
         return seeds;
       },
       [](std::string_view bytes) {
         data::picture_info(bytes, "fuzz");
         data::resize_and_crop(data::decode_picture(bytes, "fuzz", 3), 8);
       }},
      {"npy", npy_seeds, [](std::string_view bytes) { parse_npy(bytes, "fuzz"); }},
      {"config-toml",
       [] {
         return std::vector<std::string>{"preset = \"text-best\"\nlr = 1e-3\nsteps = 10\n",
                                         "model = \"cnn\"\nbatch = 3 # three\nflip = true\n"};
       },
       [](std::string_view bytes) { read_config(bytes, ".toml"); }},
      {"config-json", config_json_seeds,
       [](std::string_view bytes) { read_config(bytes, ".json"); }},
      {"suite",
       [] {
         std::vector<std::string> seeds{
             "name = \"s\"\nquestion = \"?\"\nkind = \"text\"\nseeds = 6\n[budget]\nequal = "
             "\"steps\"\n[[task]]\nname = \"t\"\nmetric = \"test_loss\"\n"
             "[[arm]]\nname = \"a\"\n[[arm]]\nname = \"b\"\nset = { heads = 2 "
             "}\n[[contrast]]\ntask = \"t\"\na = \"a\"\nb = \"b\"\nquestion = \"?\"\n"};
         for (const EmbeddedFile& suite : compare::shipped_suites()) seeds.emplace_back(suite.text);
         return seeds;
       },
       [](std::string_view bytes) { compare::parse_suite(std::string(bytes), "fuzz.toml"); }},
      {"metrics",
       [] {
         return std::vector<std::string>{
             "{\"step\":1,\"train_loss\":2.5,\"batch_hash\":\"00ff\"}\n{\"step\":2,\"val_loss\":1,"
             "\"batch_hash\":\"11\"}\n"};
       },
       read_metrics},
      {"text",
       [] {
         return std::vector<std::string>{"two words\nand 你好, \xF0\x9F\x99\x82!\n",
                                         std::string(40, 'a')};
       },
       [](std::string_view bytes) {
         for (const char* tokenizer : {"char", "byte"}) {
           const data::TextData text(bytes, {.tokenizer = tokenizer}, "fuzz");
           text.tokenizer().decode(text.ids(data::Split::train).to_vector<std::int64_t>());
         }
       }},
      {"tokenizer",
       [] {
         return std::vector<std::string>{data::CharTokenizer::of_text("hello cats 你好").to_json(),
                                         "{\"type\":\"byte\"}", word_vocabulary()};
       },
       [](std::string_view bytes) {
         const auto tokenizer = data::tokenizer_from_json(bytes);
         tokenizer->decode(tokenizer->encode("hello cats"));
       }},
      {"words",
       [] {
         return std::vector<std::string>{"the cat sat on the mat, the cats' sit. 你好, Été!\n",
                                         "aaaa aab abab ba\n"};
       },
       [](std::string_view bytes) {
         for (const bool pieces : {false, true}) {
           const auto tokenizer =
               data::WordTokenizer::of_text(bytes, {.vocab_size = 80, .pieces = pieces}, "fuzz");
           tokenizer->decode(tokenizer->encode(bytes, "fuzz"));
         }
       }},
      {"labeled", labeled_seeds,
       [](std::string_view bytes) { data::LabeledData(bytes, {}, "fuzz"); }},
      {"text-columns",
       [] {
         return std::vector<std::string>{"source\ttarget\n1\t\"2\n", "a,\"b, \"\"c\"\"\nd\"\n"};
       },
       [](std::string_view bytes) {
         const data::TextColumns columns{"source", "target", {"src"}, {"tgt"}};
         data::read_text_columns(bytes, "fuzz", columns,
                                 {.csv = bytes.find('\t') == std::string_view::npos});
       }},
      {"ratings", ratings_seeds, read_ratings},
      {"checkpoint", checkpoint_seeds,
       [](std::string_view bytes) {
         train::read_checkpoint_facts(MemoryFile(bytes, ".safetensors").path());
       }},
      {"results", [] { return std::vector<std::string>{kResults}; },
       [](std::string_view bytes) { compare::read_results(std::string(bytes)); }},
      {"matrix", [] { return std::vector<std::string>{"# q\n1, 2.5; -3e2\n0\t1 2\n"}; },
       [](std::string_view bytes) {
         explain::read_matrix(MemoryFile(bytes, ".txt").path(), 16, 16);
       }},
      {"classifier-facts",
       [] {
         return std::vector<std::string>{
             "{\"classes\":[\"a\",\"b\"],\"tokenizer\":" + word_vocabulary() + "}"};
       },
       [](std::string_view bytes) {
         train::ClassifierFacts::from_json(std::string(bytes), "fuzz");
       }},
      {"click-facts",
       [] {
         return std::vector<std::string>{
             train::ClickFacts{.items = 3, .categories = 2, .users = 4}.to_json()};
       },
       [](std::string_view bytes) { train::ClickFacts::from_json(std::string(bytes), "fuzz"); }},
      {"command-line", command_line_seeds, read_words},
      {"image-facts",
       [] {
         return std::vector<std::string>{
             train::ImageFacts{.normalization = {.mean = {0.5F}, .std = {0.25F}}}.to_json()};
       },
       [](std::string_view bytes) { train::ImageFacts::from_json(std::string(bytes), "fuzz"); }},
      {"csv",
       [] {
         return std::vector<std::string>{"a;b;quality\n1;2.5;6\n3;-1e3;7\n", "\"x\";\"y\"\n0;0\n"};
       },
       [](std::string_view bytes) { data::parse_csv(bytes, "fuzz.csv"); }},
      {"rows",
       [] {
         return std::vector<std::string>{
             "age,city,since,y\n20,\"York, old\",2024-03-01,a\n,Hull,?,b\n30,Hull,2024/01/02 "
             "10:30,a\n",
             "1;x;2.5\n2;y;3\n3;x;NA\n4;x;1e3\n"};
       },
       read_table_rows},
      {"table-schema",
       [] {
         return std::vector<std::string>{
             R"({"schema":{"named":true,"target":{"name":"y","classes":["a","b"],"mean":0,"std":1},"columns":[{"name":"n","type":"number","mean":1,"std":2,"median":1,"indicator":true},{"name":"c","type":"category","categories":["","x"]}]},"positive":1})"};
       },
       [](std::string_view bytes) {
         train::TableKnown::from_json(std::string(bytes), "fuzz.json");
       }},
  };
  return all;
}

bool read_once(const Target& target, std::string_view bytes) {
  try {
    target.read(bytes);
    return true;
  } catch (const Error& error) {
    if (error.what()[0] == '\0') throw std::logic_error("an error without a text");
    return false;
  }
}

}  // namespace weft::fuzz
