// Several questions of one command, answered one by one.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"

namespace weft::cli {

/// What cannot be answered (a file that cannot be read, a text with unknown characters) is told on
/// stderr, and in the JSON of its question; it keeps no other question from its answer.
class Answers {
 public:
  using Json = nlohmann::ordered_json;

  explicit Answers(bool json) : json_(json) {}

  /// Calls `answer`, which prints the answer, or puts it into the entry where JSON is wanted: the
  /// entry has the question under `key`, and gets an "error" instead where `answer` throws an
  /// Error. So print only what is whole.
  void add(const char* key, const std::string& question,
           const std::function<void(Json& entry)>& answer);

  /// Prints the entries where JSON is wanted. The exit code: done, or what the worst of the errors
  /// means; wrong usage only where nothing has been answered.
  int finish() const;
  /// Questions without an answer, in their order.
  const std::vector<std::string>& failed() const { return failed_; }
  int answered() const { return answered_; }

 private:
  bool json_;
  Json list_ = Json::array();
  std::vector<std::string> failed_;
  int answered_ = 0;
  int code_ = 0;
};

}  // namespace weft::cli
