#include "tests/fuzz/targets.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <stdexcept>

#include "core/error.h"
#include "core/file.h"
#include "core/npy.h"
#include "data/image/idx.h"
#include "data/image/png.h"
#include "data/table/csv.h"
#include "data/text/text_dataset.h"
#include "data/text/tokenizer.h"
#include "train/compare/run_results.h"
#include "train/compare/shipped.h"
#include "train/compare/suite.h"
#include "train/config_sources.h"
#include "train/kind.h"
#include "train/kinds/text/text_config.h"
#include "train/kinds/vision/vision_model.h"
#include "train/safetensors.h"

namespace weft::fuzz {
namespace {

/// A file in memory, for readers that want a path. It keeps its end, as some readers look at it.
class MemoryFile {
 public:
  MemoryFile(std::string_view bytes, const std::string& ending) {
    path_ = "/dev/shm/weft-fuzz-" + std::to_string(::getpid()) + ending;
    const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) throw std::runtime_error("no room in /dev/shm");
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
std::string written(const std::string& ending, const std::function<void(const std::string&)>& write) {
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
  const auto file = [](const train::TensorFile& tensors) { return written(".safetensors", [&](const std::string& path) { train::write_safetensors(path, tensors); }); };
  return {file({}), file({.tensors = {{"a", small({2, 3}, DType::f32)}, {"b.c", small({}, DType::i64)}}, .metadata = {{"format", "weft-run-1"}, {"config", "{}"}}}),
          file({.tensors = {{"empty", small({0, 5}, DType::f64)}, {"bytes", small({9}, DType::u8)}}})};
}

std::vector<std::string> idx_seeds() {
  const auto file = [](const Tensor& tensor) { return written("", [&](const std::string& path) { data::write_idx(path, tensor); }); };
  const std::string images = file(small({2, 4, 4}, DType::u8)), labels = file(small({3}, DType::u8));
  return {images, labels, gzipped(images), gzipped(std::string(1 << 20, '\0'))};
}

std::vector<std::string> png_seeds() {
  const auto file = [](const Shape& shape) { return written(".png", [&](const std::string& path) { data::save_png(path, small(shape, DType::u8)); }); };
  return {file({1, 3, 5}), file({3, 4, 2})};
}

std::vector<std::string> npy_seeds() {
  const auto file = [](const Tensor& tensor) { return written(".npy", [&](const std::string& path) { save_npy(path, tensor); }); };
  return {file(small({2, 3}, DType::f32)), file(small({4}, DType::i64)), file(small({}, DType::f64))};
}

void read_metrics(std::string_view bytes) {
  const std::string folder = "/dev/shm/weft-fuzz-" + std::to_string(::getpid()) + ".run";
  std::filesystem::create_directory(folder);
  { write_file(folder + "/metrics.jsonl", bytes); }
  const bool empty = compare::batch_hashes(folder).empty();
  std::filesystem::remove_all(folder);
  if (empty) fail<IoError>("fuzz", "no line of it holds a hash");
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
  for (const train::Kind* kind : train::kinds()) seeds.push_back(train::to_json(*kind, *kind->make()));
  return seeds;
}

}  // namespace

const std::vector<Target>& targets() {
  static const std::vector<Target> all = {
      {"safetensors", safetensors_seeds,
       [](std::string_view bytes) {
         const MemoryFile file(bytes, ".safetensors");
         train::read_safetensors_metadata(file.path());
         train::read_safetensors(file.path());
       }},
      {"idx", idx_seeds, [](std::string_view bytes) { data::read_idx(MemoryFile(bytes, "-ubyte").path()); }},
      {"png", png_seeds, [](std::string_view bytes) { data::load_png(MemoryFile(bytes, ".png").path(), 1); }},
      {"npy", npy_seeds, [](std::string_view bytes) { parse_npy(bytes, "fuzz"); }},
      {"config-toml", [] { return std::vector<std::string>{"preset = \"text-best\"\nlr = 1e-3\nsteps = 10\n", "model = \"cnn\"\nbatch = 3 # three\nflip = true\n"}; },
       [](std::string_view bytes) { read_config(bytes, ".toml"); }},
      {"config-json", config_json_seeds, [](std::string_view bytes) { read_config(bytes, ".json"); }},
      {"suite",
       [] {
         std::vector<std::string> seeds{"name = \"s\"\nquestion = \"?\"\nkind = \"text\"\nseeds = 6\n[budget]\nequal = \"steps\"\n[[task]]\nname = \"t\"\nmetric = \"val_loss\"\n"
                                        "[[arm]]\nname = \"a\"\n[[arm]]\nname = \"b\"\nset = { heads = 2 }\n[[contrast]]\ntask = \"t\"\na = \"a\"\nb = \"b\"\nquestion = \"?\"\n"};
         for (const compare::ShippedSuite& suite : compare::shipped_suites()) seeds.emplace_back(suite.text);
         return seeds;
       },
       [](std::string_view bytes) { compare::parse_suite(std::string(bytes), "fuzz.toml"); }},
      {"metrics", [] { return std::vector<std::string>{"{\"step\":1,\"train_loss\":2.5,\"batch_hash\":\"00ff\"}\n{\"step\":2,\"val_loss\":1,\"batch_hash\":\"11\"}\n"}; }, read_metrics},
      {"text", [] { return std::vector<std::string>{"two words\nand 你好, \xF0\x9F\x99\x82!\n", std::string(40, 'a')}; },
       [](std::string_view bytes) {
         for (const char* tokenizer : {"char", "byte"}) {
           const data::TextData text(bytes, {.tokenizer = tokenizer}, "fuzz");
           text.tokenizer().decode(text.ids(data::Split::train).to_vector<std::int64_t>());
         }
       }},
      {"tokenizer", [] { return std::vector<std::string>{data::CharTokenizer::of_text("hello 你好").to_json(), "{\"type\":\"byte\"}"}; },
       [](std::string_view bytes) { data::tokenizer_from_json(bytes)->encode("hello"); }},
      {"image-facts", [] { return std::vector<std::string>{train::ImageFacts{.normalization = {.mean = {0.5F}, .std = {0.25F}}}.to_json()}; }, [](std::string_view bytes) { train::ImageFacts::from_json(std::string(bytes), "fuzz"); }},
      {"csv", [] { return std::vector<std::string>{"a;b;quality\n1;2.5;6\n3;-1e3;7\n", "\"x\";\"y\"\n0;0\n"}; }, [](std::string_view bytes) { data::parse_csv(bytes, "fuzz.csv"); }},
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
