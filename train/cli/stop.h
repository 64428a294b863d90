// Ctrl-C: the first asks, the second ends.
#pragma once

namespace weft::cli {

/// From now on SIGINT and SIGTERM are noted, and a second one ends the program at once (a comparison's own request to its runs counts as none).
void catch_stop_signals();
bool stop_requested();
/// 130 after SIGINT, 143 after SIGTERM, 0 when nothing came.
int stop_exit_code();

}  // namespace weft::cli
