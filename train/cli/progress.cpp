#include "train/cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "train/cli/terminal.h"
#include "train/loop/figures.h"

namespace weft::cli {
namespace {

constexpr auto kRedrawInterval = std::chrono::milliseconds(100);
constexpr auto kLineEvery = std::chrono::seconds(15);
constexpr auto kLong = std::chrono::seconds(2);  // what takes longer is told

}  // namespace

std::string short_number(double value) {
  if (!std::isfinite(value)) return "-";
  if (value >= 9.995e5) return fmt::format("{:.2f}M", value / 1e6);
  if (value >= 9995) return fmt::format("{:.1f}k", value / 1e3);
  return fmt::format("{:.0f}", value);
}

ProgressBar::ProgressBar(std::string title)
    : title_(std::move(title)),
      terminal_(is_terminal()),
      colors_(wants_colors()),
      unicode_(terminal_ && speaks_utf8()) {}

ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::clear() {
  if (drawn_) put_terminal("\r\x1b[K");
  drawn_ = false;
}

std::string ProgressBar::color(const char* code, const std::string& text) const {
  return colors_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

void ProgressBar::on_start(std::int64_t parameters, std::int64_t first_step, std::int64_t steps,
                           const std::string& unit) {
  unit_ = unit;
  first_step_ = first_step;
  steps_ = steps;
  latest_.step = first_step;
  smooth_loss_ = std::numeric_limits<double>::quiet_NaN();
  begin_ = Clock::now();
  last_drawn_ = begin_;
  put_terminal(fmt::format(
      "{}: {} parameters, {} steps{}\n", title_, short_number(static_cast<double>(parameters)),
      steps, first_step > 0 ? fmt::format(", resuming from step {}", first_step) : ""));
  if (terminal_) draw(true);
}

std::string ProgressBar::figures() const {
  std::string text = fmt::format("loss {:.3f}", smooth_loss_);
  const double accuracy = validation_.figure("accuracy");
  if (std::isfinite(accuracy))
    text += fmt::format("  val {:.2f} %", 100 * accuracy);
  else if (std::isfinite(validation_.loss))
    text += fmt::format("  val {:.3f}", validation_.loss);
  return text + fmt::format("  {} {}/s", short_number(latest_.rate), unit_);
}

void ProgressBar::on_step(const train::StepRecord& record) {
  // The loss of one batch jumps about; the mean of the last twenty or so can be read.
  if (std::isfinite(record.train_loss)) {  // not of a step that is left out
    smooth_loss_ = std::isfinite(smooth_loss_) ? 0.95 * smooth_loss_ + 0.05 * record.train_loss
                                               : record.train_loss;
  }
  latest_ = record;
  evaluating_ = false;
  draw(record.step == record.steps);
}

void ProgressBar::on_evaluating(double share) {
  const auto now = Clock::now();
  if (!std::exchange(evaluating_, true)) report_evaluation_at_ = now + kLong;
  share_evaluated_ = share;
  if (terminal_) {
    draw(false);
  } else if (now >= report_evaluation_at_) {
    report_evaluation_at_ = now + kLineEvery;
    put_terminal(fmt::format("{}: step {}/{}  evaluating, {:.0f} % done\n", title_, latest_.step,
                             steps_, 100 * share));
  }
}

void ProgressBar::on_evaluation(const train::StepRecord& record) {
  evaluating_ = false;
  validation_ = record.validation;
  if (terminal_) {
    draw(true);
    return;
  }
  std::string text = fmt::format("{}: step {}/{}", title_, record.step, record.steps);
  if (std::isfinite(smooth_loss_))
    text +=
        fmt::format("  loss {:.4f}", smooth_loss_);  // not where a run was resumed in an evaluation
  text += fmt::format("  val loss {:.4f}", record.validation.loss);
  for (const auto& [name, value] : record.validation.figures)
    text += fmt::format("  val {}", train::figure_text(name, value));
  put_terminal(text + fmt::format("  {} {}/s  {}\n", short_number(latest_.rate), unit_,
                                  clock_text(record.seconds)));
  last_drawn_ = Clock::now();
}

void ProgressBar::on_note(const std::string& text) {
  clear();
  put_terminal(fmt::format("{}: {}\n", title_, text));
}

void ProgressBar::draw(bool at_once) {
  const auto now = Clock::now();
  if (!terminal_) {
    if (now - last_drawn_ < kLineEvery || evaluating_) return;
    last_drawn_ = now;
    put_terminal(fmt::format("{}: step {}/{}  {}\n", title_, latest_.step, steps_, figures()));
    return;
  }
  if (!at_once && now - last_drawn_ < kRedrawInterval) return;
  last_drawn_ = now;
  const double share =
      steps_ > 0 ? static_cast<double>(latest_.step) / static_cast<double>(steps_) : 1;
  const double here = static_cast<double>(latest_.step - first_step_);
  const double took = std::chrono::duration<double>(now - begin_).count();
  const std::string left =
      here >= 3 ? clock_text(took / here * static_cast<double>(steps_ - latest_.step)) + " left"
                : "";
  const std::string tail = fmt::format(
      " {:3.0f} %  {}  {}{}", 100 * share, here > 0 ? figures() : "", left,
      evaluating_ ? fmt::format("  (evaluating, {:.0f} %)", 100 * share_evaluated_) : "");
  const int room = terminal_columns() - 1 - static_cast<int>(title_.size() + tail.size()) - 2;
  std::string bar;
  if (room >= 5) {
    const int wide = std::min(room, 30);
    const int full = static_cast<int>(share * wide);
    for (int i = 0; i < full; ++i) bar += unicode_ ? "█" : "#";
    bar = color("36", bar);
    std::string rest;
    for (int i = full; i < wide; ++i) rest += unicode_ ? "░" : ".";
    bar += color("2", rest);
  }
  const std::string line = fmt::format("{} {}", title_, bar);
  const int tail_room = terminal_columns() - 1 - static_cast<int>(title_.size()) - 1;
  put_terminal(
      "\r" + line +
      (room >= 5 ? tail : tail.substr(0, static_cast<std::size_t>(std::max(0, tail_room)))) +
      "\x1b[K");
  drawn_ = true;
}

}  // namespace weft::cli
