#!/usr/bin/env python3
"""Plants the faults of faults.toml, one at a time, and tells which test notices each.

All of them are compiled into one build of a copy of the sources, each behind a test of a number that the environment variable WEFT_FAULT sets, so that
hundreds of faults cost one build. Without a fault every test must pass; with one, those that should notice first run first, then all others until one
fails. A crash counts as noticed, and so does a run twenty times as long as without a fault.

    tests/mutation/run.py             everything: exits with 0 when at least 99 % are noticed, and each of the rest says why none can notice it
    tests/mutation/run.py 7 40-52     these only
    tests/mutation/run.py --check     only that every fragment still occurs exactly once in the sources; builds nothing
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = {"sign", "index", "missing term", "wrong scale", "off-by-one tile", "missing un-broadcast"}
GROUPS = ["kernels", "optim", "core", "autograd", "samples", "golden", "nn", "data", "steps", "train", "bits"]  # of tests, those that take least first
ONLY = {"train": ["run_bits"], "bits": ["row_bits", "sample_bits", "step_bits"]}  # of these groups: whole runs take minutes
SAMPLE_FILES = ["values", "gradients", "gradcheck_*", "large", "errors"]
HEADER = """// Which planted fault is on: the environment variable WEFT_FAULT, 0 without it.
#pragma once
#include <cstdlib>
namespace weft {
inline const int planted_fault = std::getenv("WEFT_FAULT") ? std::atoi(std::getenv("WEFT_FAULT")) : 0;
}
"""

Fault = collections.namedtuple("Fault", "id kind file begin end good bad tries survives")
Outcome = collections.namedtuple("Outcome", "failed by")


def without_space(text):
    """The text without white space, and where each character that is left stood."""
    places = [place for place, character in enumerate(text) if not character.isspace()]
    return "".join(text[place] for place in places), places


def load_faults():
    """The table, with each fault's place found. Ends the program where a fragment is not there exactly once;
    white space counts for nothing, so that formatting moves no fault."""
    wrong, faults, texts = [], [], {}
    for entry in tomllib.loads((ROOT / "tests/mutation/faults.toml").read_text(encoding="utf-8"))["fault"]:
        name, number = entry["file"], entry["id"]
        if name not in texts:
            text = (ROOT / name).read_text(encoding="utf-8") if (ROOT / name).is_file() else ""
            texts[name] = (text, *without_space(text))
        before, mark, rest = entry["code"].partition("«")
        good, _, after = rest.partition("»") if mark else (before, "", "")
        before = before if mark else ""
        text, dense, places = texts[name]
        fragment = without_space(before + good + after)[0]
        count = dense.count(fragment)
        if count != 1:
            wrong.append(f"fault {number}: its fragment occurs {count} times in {name}, not once: {before + good + after}")
            continue
        if not good.endswith(";") and (good.lstrip(" |<>=/,").rstrip(" |&<>=+-*/,") != good or not entry["bad"].strip()):
            wrong.append(f"fault {number}: `{good}` is a part of an expression, not a whole one, which another could stand for")
        if entry["kind"] not in KINDS:
            wrong.append(f"fault {number}: `{entry['kind']}` is none of {', '.join(sorted(KINDS))}")
        group, _, topic = entry["try"].partition("/")
        if topic and not (ROOT / "tests" / group / f"test_{topic}.cpp").is_file():
            wrong.append(f"fault {number}: there are no tests {entry['try']}")
        if number != len(faults) + 1:
            wrong.append(f"fault {number} stands at place {len(faults) + 1}")
        first = dense.find(fragment) + len(without_space(before)[0])
        begin, end = places[first], places[first + len(without_space(good)[0]) - 1] + 1
        faults.append(Fault(number, entry["kind"], name, begin, end, text[begin:end], entry["bad"], entry["try"], entry.get("survives", "")))
    if wrong:
        sys.exit("\n".join(wrong))
    return faults


def choice(good, faults):
    """Code that is one of `faults` where that one is on, else the good one."""
    if good.endswith(";"):
        return "{ " + "".join(f"if (::weft::planted_fault == {f.id}) {{ {f.bad} }} else " for f in faults) + f"{{ {good} }} }}"
    return "(" + "".join(f"::weft::planted_fault == {f.id} ? ({f.bad}) : " for f in faults) + f"({good}))"


def planted(text, faults):
    """A file's text with all its faults in it."""
    places = collections.defaultdict(list)
    for fault in faults:
        places[fault.begin, fault.end].append(fault)
    spans = sorted(places, reverse=True)
    for late, early in zip(spans, spans[1:]):
        if early[1] > late[0]:
            sys.exit(f"{faults[0].file}: the fragments of faults {places[early][0].id} and {places[late][0].id} overlap")
    for begin, end in spans:
        text = text[:begin] + choice(text[begin:end], places[begin, end]) + text[end:]
    return '#include "core/planted_fault.h"\n' + text


def write(path, data):
    """Leaves the file alone where it holds that already, so that little is built again."""
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def copy_sources(faults, copy):
    by_file = collections.defaultdict(list)
    for fault in faults:
        by_file[fault.file].append(fault)
    kept = {copy / "core/planted_fault.h"}
    write(copy / "core/planted_fault.h", HEADER.encode())
    folders = ["core", "autograd", "nn", "optim", "data", "train", "tests"]
    sources = [ROOT / "CMakeLists.txt"] + [path for folder in folders for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    for path in sources:
        name = path.relative_to(ROOT)
        if "node_modules" in name.parts or name.parts[:2] == ("data", "sets") or path.suffix == ".pyc":
            continue
        data = path.read_bytes()
        if name.as_posix() in by_file:
            data = planted(data.decode(), by_file[name.as_posix()]).encode()
        write(copy / name, data)
        kept.add(copy / name)
    if not (copy / "data/sets").is_symlink():
        (copy / "data/sets").symlink_to(ROOT / "data/sets")
    for name in folders:
        for path in [path for path in (copy / name).rglob("*") if path.is_file() and path not in kept and (copy / "data/sets") not in path.parents]:
            path.unlink()


def build(copy, folder, jobs, options):
    environment = dict(os.environ)
    command = ["cmake", "-S", copy, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", *options]
    if shutil.which("ccache"):
        command.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
        environment |= {"CCACHE_BASEDIR": str(copy), "CCACHE_NOHASHDIR": "1"}
    for step in (command, ["ninja", "-C", folder, f"-j{jobs}", "-k0", *("test_" + group for group in GROUPS)]):
        result = subprocess.run(step, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        if result.returncode != 0:
            sys.exit(f"{result.stdout[-8000:]}\nbuilding with the faults failed")


class Tests:
    def __init__(self, copy, folder):
        self.folder = folder
        self.files = [f"{group}.{path.stem[5:]}" for group in GROUPS for path in sorted((copy / "tests" / group).glob("test_*.cpp"))
                      if path.stem[5:] in ONLY.get(group, [path.stem[5:]])]
        self.seconds = {}  # without a fault

    def run(self, names, fault, sample="", limit=600.0):
        """Some files of one group, until the first failure."""
        group = names[0].split(".")[0]
        files = ",".join("*/{}/test_{}.cpp".format(*name.split(".")) for name in names)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("WEFT_")} | {"WEFT_FAULT": str(fault)}
        if sample:
            environment["WEFT_SAMPLE"] = sample
        command = [self.folder / "tests" / f"test_{group}", "--source-file=" + files, "--abort-after=1"]
        try:
            result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=limit)
        except subprocess.TimeoutExpired:
            return Outcome(True, f"{group}: hangs")
        if result.returncode == 0:
            return Outcome(False, "")
        cases = [line.split(":", 1)[1].strip() for line in result.stdout.splitlines() if line.startswith("TEST CASE:")]
        what = f"`{cases[-1]}`" if cases else "ends with " + str(result.returncode)
        return Outcome(True, f"{group}: {what}{f' ({sample})' if sample else ''}{', by a crash' if result.returncode < 0 or 'CRASHED' in result.stdout else ''}")

    def check_without_fault(self, pool):
        def one(name):
            begin = time.monotonic()
            outcome = self.run([name], 0)
            return name, outcome, time.monotonic() - begin

        for name, outcome, seconds in pool.map(one, self.files):
            if outcome.failed:
                sys.exit(f"{name} fails without a fault: {outcome.by}")
            self.seconds[name] = seconds

    def notice(self, fault):
        group, slash, topic = fault.tries.partition("/")
        if slash:
            first = self.run([name for name in self.files if name.startswith(f"{group}.") and topic in ("", name.split(".")[1])], fault.id)
        else:
            first = self.run(["samples." + name for name in SAMPLE_FILES], fault.id, sample=fault.tries)
        if first.failed:
            return first
        for name in sorted(self.files, key=lambda name: self.seconds.get(name, 0.0)):
            outcome = self.run([name], fault.id, limit=60 + 20 * self.seconds.get(name, 60.0))
            if outcome.failed:
                return outcome
        return Outcome(False, "")


def chosen_numbers(words):
    numbers = set()
    for word in words:
        first, _, last = word.partition("-")
        numbers |= set(range(int(first), int(last or first) + 1))
    return numbers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", help="of faults: 7, 40-52 (default: all)")
    parser.add_argument("--check", action="store_true", help="only look whether the table fits the sources")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="compilers, then tests, side by side (default: the cores)")
    parser.add_argument("--cmake", action="append", default=[], metavar="-DNAME=VALUE", help="another choice for the build")
    arguments = parser.parse_args()
    faults = load_faults()
    for name in {fault.file for fault in faults}:
        planted((ROOT / name).read_text(encoding="utf-8"), [fault for fault in faults if fault.file == name])
    if arguments.check:
        print(f"{len(faults)} faults in {len({fault.file for fault in faults})} files fit the sources")
        return 0

    begin = time.monotonic()
    copy = ROOT / "build/faults"
    folder = copy / "build/release"  # from there to its sources as in any checkout, so that ccache knows what has no fault in it
    copy_sources(faults, copy)
    build(copy, folder, arguments.jobs, arguments.cmake)
    wanted = [fault for fault in faults if not arguments.numbers or fault.id in chosen_numbers(arguments.numbers)]
    tests = Tests(copy, folder)
    survivors, unexplained, built = [], 0, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        if not arguments.numbers:
            tests.check_without_fault(pool)
            print(f"built in {built - begin:.0f} s; all {len(tests.files)} files of tests pass without a fault, in {sum(tests.seconds.values()):.0f} s", flush=True)
        for fault, outcome in zip(wanted, pool.map(tests.notice, wanted)):
            print(f"{fault.id:>4}  {fault.kind:<20}  {fault.file:<38}  ", end="")
            if outcome.failed:
                unexplained += bool(fault.survives)
                print("noticed by " + outcome.by + (": but it is said that nothing can" if fault.survives else ""), flush=True)
                continue
            survivors.append(fault)
            unexplained += not fault.survives
            print(f"SURVIVES  {fault.survives or 'and nothing says why'}", flush=True)
    caught = len(wanted) - len(survivors)
    kinds = collections.Counter(fault.kind for fault in wanted)
    print(f"{len(wanted)} faults ({', '.join(f'{count} {kind}' for kind, count in kinds.most_common())}): {caught} noticed, {100 * caught / len(wanted):.1f} %; "
          f"{len(survivors)} survive, {unexplained} not as explained; {(time.monotonic() - begin) / 60:.1f} minutes")
    return 0 if unexplained == 0 and caught >= 0.99 * len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
