// The program: reads the command line, runs one command, turns errors into one line and an exit
// code.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <system_error>

#include "core/blas.h"
#include "core/error.h"
#include "core/io/file.h"
#include "core/io/process.h"
#include "core/simd.h"
#include "train/cli/command_line.h"
#include "train/cli/phase_reporter.h"
#include "train/cli/stop.h"
#include "train/cli/terminal.h"

namespace {

int print_error(const std::string& text, int code) {
  weft::cli::put_terminal(fmt::format("weft: {}\n", text));
  return code;
}

int run(int argc, const char* const* argv) {
  const weft::cli::CommandLine line = weft::cli::read_command_line(argc, argv);
  fmt::print("{}", line.answer);
  if (!line.error.empty()) return print_error(line.error, line.code);
  if (!line.action) return line.code;
  weft::limit_simd_by_environment();
  weft::blas::check_thread_safety();
  const weft::cli::PhaseReporter teller;
  return line.action();
}

int complain_of_output(int error) {
  const std::string why = error != 0 ? std::string(": ") + std::strerror(error) : "";
  return print_error("[output] the output could not be written" + why,
                     weft::is_disk_full(error) ? weft::kDiskFull : weft::cli::kFailed);
}

/// What was printed may still be on its way, to a file on a full disk for instance.
int check_output(int code) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  const int complaint = complain_of_output(errno);
  return code != weft::cli::kDone ? code : complaint;
}

}  // namespace

int main(int argc, char** argv) {
  weft::cli::open_standard_descriptors();
  weft::cli::catch_stop_signals();
  try {
    return check_output(run(argc, argv));
  } catch (const weft::ConfigError& error) {
    return print_error(error.what(), weft::cli::kWrongUsage);
  } catch (const weft::DiskFullError& error) {
    return print_error(error.what(), weft::kDiskFull);
  } catch (const weft::Error& error) {
    return print_error(error.what(), weft::cli::kFailed);
  } catch (const std::system_error& error) {  // what fmt throws, among others
    if (std::ferror(stdout) == 0 && std::ferror(stderr) == 0)
      return print_error(fmt::format("[weft] {}", error.what()), weft::cli::kFailed);
    return complain_of_output(error.code().value());
  } catch (const std::bad_alloc&) {
    return print_error("[memory] out of memory", weft::cli::kFailed);
  } catch (const std::exception& error) {
    return print_error(fmt::format("[weft] {}", error.what()), weft::cli::kFailed);
  }
}
