#!/bin/sh
# Every source is formatted as .clang-format says. Another major version than 14 (Debian 12's) would format otherwise:
# without that one the test is skipped (77), and says so.
cd "$(dirname "$0")/../.." || exit 1
for formatter in clang-format-14 clang-format ''; do
  case $("$formatter" --version 2>/dev/null) in *'version 14.'*) break ;; esac
done
if [ -z "$formatter" ]; then
  echo "skipped: clang-format 14 is not here (found: $(clang-format --version 2>/dev/null || echo none)); on Debian 12: apt-get install clang-format"
  exit 77
fi
# shellcheck disable=SC2038  # the project's names are plain
if find core autograd nn optim data train tests -name '*.h' -o -name '*.cpp' |
  xargs -P "$(nproc)" -n 16 "$formatter" --dry-run --Werror --ferror-limit=1; then
  exit 0
fi
echo "mend it with: clang-format -i FILE"
exit 1
