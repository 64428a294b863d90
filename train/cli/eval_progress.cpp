#include "train/cli/eval_progress.h"

#include <fmt/format.h>

#include "train/cli/progress.h"
#include "train/cli/terminal.h"

namespace weft::cli {
namespace {

constexpr auto kEvalReportAfter = std::chrono::seconds(2);
constexpr auto kEvalRedrawInterval = std::chrono::milliseconds(100);
constexpr auto kEvalLineEvery = std::chrono::seconds(15);

}  // namespace

EvalProgress::EvalProgress() : terminal_(is_terminal()) {}

EvalProgress::~EvalProgress() {
  if (drawn_) put_terminal("\r\x1b[K");
}

void EvalProgress::show(double share) {
  const auto now = Clock::now();
  if (now - begin_ < kEvalReportAfter) return;
  if (now - last_ <
      (terminal_ ? Clock::duration(kEvalRedrawInterval) : Clock::duration(kEvalLineEvery)))
    return;
  last_ = now;
  const double took = std::chrono::duration<double>(now - begin_).count();
  const std::string left = share > 0.01 ? clock_text(took / share * (1 - share)) + " left" : "";
  if (!terminal_) {
    put_terminal(fmt::format("eval: {:.0f} %  {}\n", 100 * share, left));
    return;
  }
  put_terminal(fmt::format("\reval {:3.0f} %  {}\x1b[K", 100 * share, left));
  drawn_ = true;
}

}  // namespace weft::cli
