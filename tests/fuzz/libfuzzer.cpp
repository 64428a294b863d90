// The same targets under libFuzzer: WEFT_FUZZ_TARGET names one. Built by `./weft fuzz`, with clang.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "tests/fuzz/targets.h"

namespace {

const weft::fuzz::Target& chosen() {
  const char* const name = std::getenv("WEFT_FUZZ_TARGET");
  for (const auto& target : weft::fuzz::targets()) {
    if (name != nullptr && target.name == name) return target;
  }
  std::fprintf(stderr, "WEFT_FUZZ_TARGET must be one of:");
  for (const auto& target : weft::fuzz::targets()) std::fprintf(stderr, " %s", target.name.c_str());
  std::fprintf(stderr, "\n");
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  chosen();  // who names none is told which there are
  // `-write_seeds=DIR` puts the valid files into a folder, and ends.
  for (int i = 1; i < *argc; ++i) {
    const std::string word = (*argv)[i];
    if (!word.starts_with("-write_seeds=")) continue;
    int number = 0;
    auto seeds = chosen().seeds();
    for (std::string& file : weft::fuzz::corpus(chosen().name)) seeds.push_back(std::move(file));
    for (const std::string& seed : seeds) {
      const std::string path = word.substr(13) + "/seed-" + std::to_string(number++);
      std::FILE* const file = std::fopen(path.c_str(), "wb");
      if (file == nullptr) std::exit(2);
      std::fwrite(seed.data(), 1, seed.size(), file);
      std::fclose(file);
    }
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const weft::fuzz::Target& target = chosen();
  weft::fuzz::read_once(target, std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
