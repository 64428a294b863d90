#include "train/cli/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "core/io/process.h"
#include "train/cli/cli.h"

namespace weft::cli {
namespace {

constexpr std::size_t kShownBytes = 60;  // of a question that the error does not name itself

int code_of(const Error& error) {
  if (dynamic_cast<const DiskFullError*>(&error) != nullptr) return kDiskFull;
  return dynamic_cast<const ConfigError*>(&error) != nullptr ? kWrongUsage : kFailed;
}

/// A full disk is the worst, wrong usage the least.
int worse(int a, int b) {
  if (a == kDiskFull || b == kDiskFull) return kDiskFull;
  return a == kFailed || b == kFailed ? kFailed : std::max(a, b);
}

std::string shown(const std::string& question) {
  if (question.size() <= kShownBytes) return question;
  std::size_t end = kShownBytes;
  while (end > 0 && (static_cast<unsigned char>(question[end]) & 0xC0) == 0x80)
    --end;  // not within a character
  return question.substr(0, end) + "...";
}

}  // namespace

void Answers::add(const char* key, const std::string& question,
                  const std::function<void(Json& entry)>& answer) {
  Json entry{{key, question}};
  try {
    answer(entry);
    ++answered_;
  } catch (const Error& error) {
    const std::string text = error.what();
    entry = Json{{key, question}, {"error", text}};
    const std::string of_what =
        text.find(question) == std::string::npos ? fmt::format("\"{}\": ", shown(question)) : "";
    std::fflush(stdout);  // so that both come in their order where they go to one place
    std::fputs(fmt::format("weft: {}{}\n", of_what, text).c_str(), stderr);
    code_ = worse(code_, code_of(error));
    failed_.push_back(question);
  }
  list_.push_back(std::move(entry));
}

int Answers::finish() const {
  if (json_) fmt::print("{}\n", list_.dump(2, ' ', false, Json::error_handler_t::replace));
  return code_ == kWrongUsage && answered_ > 0 ? kFailed : code_;
}

}  // namespace weft::cli
