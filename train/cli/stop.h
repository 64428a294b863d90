// Signals that ask the program to end: what is worth saving is saved first, otherwise it ends at
// once.
#pragma once

namespace weft::cli {

/// Opens /dev/null in the place of standard descriptors that are closed, so that no file that is
/// opened later is taken for one of them. What is then printed to a closed standard output is an
/// error, as it is lost; what is said on a closed standard error is not.
void open_standard_descriptors();

/// From now on kStopSignals end the program at once with 128 + their number, as any
/// program, and what is half-written is removed; but while a SaveFirst lives they are noted, and
/// whoever it protects saves and ends. A second SIGINT or SIGTERM ends the program then, too (a
/// comparison's own request to its runs counts as none; nor do the system's signals, which come in
/// pairs when a terminal is closed). Those that were ignored when the program was started stay
/// ignored (nohup). A file that reaches `ulimit -f` is an error of writing it.
void catch_stop_signals();

/// Something is under way that has to be saved.
class SaveFirst {
 public:
  SaveFirst();
  ~SaveFirst();
  SaveFirst(const SaveFirst&) = delete;
  SaveFirst& operator=(const SaveFirst&) = delete;
};

/// Whether a signal was noted.
bool stop_requested();
/// 128 + the first signal that was noted: 130 after SIGINT, 143 after SIGTERM; 0 when nothing came.
int stop_exit_code();

}  // namespace weft::cli
