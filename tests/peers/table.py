#!/usr/bin/env python3
"""The README's table of speed: weft and PyTorch in turn on this machine, as Markdown on stdout. Needs nothing but Python and what it compares.

    ./weft --version                                              # builds it
    python3 tests/peers/table.py                                  # three transformers, the thread's models, text generation, contexts, threads: some 40 minutes
    python3 tests/peers/table.py --sections models --rounds 3     # a part of it
    python3 tests/peers/table.py --sections thread --models resnet din      # some of the models of the thread

PyTorch runs with each number of threads in --torch-threads, with the OpenBLAS in use and with Debian's libopenblas0-openmp, and (torch 2) as it is
and compiled; the fastest of them by median counts. One round runs every program once, so that what disturbs the machine disturbs all; ratios are
taken within a round, and the median of them is shown with the least and the greatest.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PEER = HERE / "torch_peer.py"

MODELS = {
    "GPT 4 layers, 4 heads, 128 wide, context 64, batch 12": "gpt --layers 4 --heads 4 --width 128 --context 64 --batch 12 --vocab 65",
    "ViT 28x28, patch 4, 6 layers, 4 heads, 64 wide, batch 64": "vit --layers 6 --heads 4 --width 64 --image 28 --patch 4 --batch 64",
    "GPT 6 layers, 6 heads, 384 wide, context 256, batch 8": "gpt --layers 6 --heads 6 --width 384 --context 256 --batch 8 --vocab 65",
}
THREAD_MODELS = {  # of the systems that the forum thread names, as `weft train` makes them; sizes that are not given are the defaults of `weft bench`
    "flash": ("GPT, softmax attention in tiles, 2 layers, 128 wide, context 2,048", "gpt --layers 2 --batch 1 --context 2048"),
    "lightning": ("GPT, Lightning Attention-2, 2 layers, 128 wide, context 4,096", "gpt --layers 2 --batch 1 --context 4096 --attention lightning"),
    "bert": ("BERT, 2 layers, 128 wide, 128 tokens, batch 32", "bert"),
    "translate": ("encoder-decoder, 2 + 2 layers, 128 wide, 16 + 16 tokens, batch 64", "translate"),
    "lenet": ("LeNet-5, 28x28, batch 128", "lenet"),
    "cnn": ("CNN, 32 and 64 channels, 28x28, batch 128", "cnn"),
    "resnet": ("ResNet, 8 layers, 16 to 64 channels, 28x28, batch 128", "resnet"),
    "faster_rcnn": ("Faster R-CNN, 96x96, batch 8", "faster_rcnn"),
    "detr": ("DETR, 3 + 3 layers, 64 wide, 96x96, batch 8", "detr"),
    "embedding": ("skip-gram, 3,300 words, 64 wide, batch 512", "embedding"),
    "fm": ("FM, 30 clicks, batch 128", "fm"),
    "deepfm": ("DeepFM, the same", "deepfm"),
    "sum": ("summed history, the same", "sum"),
    "din": ("DIN, the same", "din"),
    "bst": ("BST, the same", "bst"),
    "autoint": ("AutoInt, the same", "autoint"),
}
LONG = "gpt --layers 2 --heads 4 --width 128 --batch 1"


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, env=None):
    done = subprocess.run(command, env={**os.environ, **(env or {})}, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"table: {' '.join(map(str, command))} ended with exit code {done.returncode}:\n{done.stderr.strip()}")
    return done.stdout


def last_json(text):
    return json.loads(text.strip().splitlines()[-1])


def median(rounds, field):
    return statistics.median(r[field] for r in rounds)


def spread(values, form="{:.2f}"):
    return f"{form.format(statistics.median(values))} ({form.format(min(values))}-{form.format(max(values))})"


class Weft:
    def __init__(self, program, precision):
        self.program = program
        self.precision = precision

    def bench(self, words, threads, steps):
        return last_json(run([self.program, "bench", *words.split(), "--steps", str(steps), "--threads", str(threads), "--precision", self.precision, "--json"]))


class Torch:
    """The ways to run PyTorch here."""

    def __init__(self, python, threads, openmp_blas, precision):
        self.python = python
        self.precision = precision
        self.version = run([python, "-c", "import torch; print(torch.__version__)"]).strip()
        libraries = {"": {}}
        if os.path.exists(os.path.join(openmp_blas, "libblas.so.3")):
            libraries[" openblas-openmp"] = {"LD_LIBRARY_PATH": openmp_blas}
        modes = [[], ["--compile"]] if int(self.version.split(".")[0]) >= 2 else [[]]
        self.ways = {}
        for count in threads:
            for name, env in libraries.items():
                for mode in modes:
                    label = f"{count} thread{'s' if count != 1 else ''}{name}{' compiled' if mode else ''}"
                    self.ways[label] = ({"OMP_NUM_THREADS": str(count), **env}, mode)

    def run(self, way, words):
        env, mode = self.ways[way]
        return last_json(run([self.python, str(PEER), *words.split(), "--dtype", self.precision, *mode], env))


def in_turn(programs, rounds, what):
    """{name: [one result a round]}"""
    results = {name: [] for name in programs}
    for i in range(rounds):
        say(f"{what}: round {i + 1} of {rounds}")
        for name, program in programs.items():
            results[name].append(program())
    return results


def against_fastest(results, ours):
    """Of all but ours the fastest by median; how many times its time is of ours, round by round."""
    peers = [name for name in results if not name.startswith("weft")]
    fastest = min(peers, key=lambda name: median(results[name], "median_ms"))
    return fastest, [p["median_ms"] / o["median_ms"] for p, o in zip(results[fastest], results[ours])]


def models_section(weft, torch, flags):
    print("| model | weft, ms | PyTorch, ms | times as fast | efficiency | peak memory, MiB | PyTorch's | two threads over one |")
    print("|---|---|---|---|---|---|---|---|")
    for name, words in MODELS.items():
        programs = {"weft": lambda: weft.bench(words, flags.threads, flags.steps), "weft 1": lambda: weft.bench(words, 1, flags.steps)}
        programs |= {way: (lambda way=way: torch.run(way, f"{words} --steps {flags.steps}")) for way in torch.ways}
        results = in_turn(programs, flags.rounds, name)
        fastest, ratios = against_fastest(results, "weft")
        two = [one["median_ms"] / both["median_ms"] for one, both in zip(results["weft 1"], results["weft"])]
        for way in torch.ways:
            say(f"  {way}: {spread([r['median_ms'] for r in results[way]])} ms")
        ours = results["weft"]
        print(f"| {name} | {spread([r['median_ms'] for r in ours])} | {spread([r['median_ms'] for r in results[fastest]])} ({fastest}) "
              f"| {spread(ratios)} | {spread([r['efficiency'] for r in ours], '{:.3f}')} | {median(ours, 'peak_mib'):.1f} "
              f"| {median(results[fastest], 'peak_mib'):.0f} | {spread(two)} |", flush=True)


def thread_section(weft, torch, flags):
    print("| model | weft, ms | PyTorch, ms | times as fast | peak memory, MiB | PyTorch's |")
    print("|---|---|---|---|---|---|")
    for key in flags.models or THREAD_MODELS:
        name, words = THREAD_MODELS[key]
        programs = {"weft": lambda: weft.bench(words, flags.threads, flags.steps)}
        programs |= {way: (lambda way=way: torch.run(way, f"{words} --steps {flags.steps}")) for way in torch.ways}
        results = in_turn(programs, flags.rounds, key)
        if len({r["params"] for rounds in results.values() for r in rounds}) != 1:
            sys.exit(f"table: the two {key} differ in the number of parameters")
        fastest, ratios = against_fastest(results, "weft")
        for way in torch.ways:
            say(f"  {way}: {spread([r['median_ms'] for r in results[way]])} ms")
        ours = results["weft"]
        print(f"| {name} | {spread([r['median_ms'] for r in ours])} | {spread([r['median_ms'] for r in results[fastest]])} ({fastest}) | {spread(ratios)} "
              f"| {median(ours, 'peak_mib'):.0f} | {median(results[fastest], 'peak_mib'):.0f} |", flush=True)


def generate_section(weft, torch, flags):
    """weft's time is of the whole command, from start to exit; PyTorch's of the loop alone."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(pathlib.Path(folder) / "run")
        run([weft.program, "train", "text", "--data", "shakespeare", "--layers", "4", "--heads", "4", "--width", "128", "--context", "64", "--bias", "yes",
             "--tie", "no", "--steps", "20", "--out", out])

        def sample():
            begin = time.perf_counter()
            run([weft.program, "sample", out, "--chars", "1000", "--threads", str(flags.threads)])
            return {"median_ms": (time.perf_counter() - begin) * 1e3}

        programs = {"weft": sample} | {way: (lambda way=way: torch.run(way, "generate --chars 1000")) for way in torch.ways if "compiled" not in way}
        results = in_turn(programs, flags.rounds, "generate")
    fastest, ratios = against_fastest(results, "weft")
    print("| 1,000 characters, first model | weft sample, ms | PyTorch's loop, ms | times as fast |")
    print("|---|---|---|---|")
    print(f"| | {spread([r['median_ms'] for r in results['weft']], '{:.0f}')} | {spread([r['median_ms'] for r in results[fastest]], '{:.0f}')} ({fastest}) "
          f"| {spread(ratios, '{:.1f}')} |", flush=True)


def contexts_section(weft, _torch, flags):
    print(f"| `{LONG}`, context | step, ms | times the one before | attention, ms | times the one before | peak memory, MiB | times the one before |")
    print("|---|---|---|---|---|---|---|")
    before = None
    for context in (512, 1024, 2048, 4096, 8192, 16384):
        say(f"context {context}")
        steps = max(3, min(flags.steps, 20480 // context))
        result = weft.bench(f"{LONG} --context {context} --warmup 2", flags.threads, steps)
        attention = result["ops"].get("scaled_dot_product_attention", {})
        row = [result["median_ms"], sum(attention.values()), result["peak_mib"]]
        growth = [f"{now / then:.2f}" if before and then else "" for now, then in zip(row, before or row)]
        print(f"| {context} | " + " | ".join(f"{value:.1f} | {times}" for value, times in zip(row, growth)) + " |", flush=True)
        before = row


def together_section(weft, _torch, flags):
    """One tiny run on each core at once, against one run on all of them."""
    words, cores = next(iter(MODELS.values())), sorted(os.sched_getaffinity(0))[: flags.threads]
    command = [weft.program, "bench", *words.split(), "--steps", str(4 * flags.steps), "--threads", "1", "--json"]

    def apart():
        runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=lambda core=core: os.sched_setaffinity(0, {core})) for core in cores]
        return {"items_per_s": sum(last_json(r.communicate()[0])["items_per_s"] for r in runs)}

    results = in_turn({"one on all": lambda: weft.bench(words, len(cores), 4 * flags.steps), "one on each": apart}, flags.rounds, "runs side by side")
    ratios = [each["items_per_s"] / one["items_per_s"] for each, one in zip(results["one on each"], results["one on all"])]
    print(f"| first model, tokens/s | one run on {len(cores)} cores | {len(cores)} runs with `--threads 1`, together | ratio |")
    print("|---|---|---|---|")
    print("| | " + " | ".join(f"{median(results[name], 'items_per_s'):.0f}" for name in results) + f" | {spread(ratios)} |", flush=True)


def help_section(weft, _torch, _flags):
    times = []
    for _ in range(21):
        begin = time.perf_counter()
        run([weft.program, "--help"])
        times.append((time.perf_counter() - begin) * 1e3)
    print(f"`weft --help`: {spread(times)} ms", flush=True)


SECTIONS = {"models": models_section, "thread": thread_section, "generate": generate_section, "contexts": contexts_section, "together": together_section, "help": help_section}


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text(errors="replace") if pathlib.Path("/proc/cpuinfo").exists() else ""
    found = re.search(r"^model name\s*:\s*(.*)$", text, re.M)
    wide = "AVX-512" if " avx512f" in text else "AVX2" if " avx2" in text else "no AVX2"
    return f"{found.group(1) if found else os.uname().machine}, {len(os.sched_getaffinity(0))} cores, {wide}"


def read_flags():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--weft", default=str(HERE.parent.parent / "build" / "release" / "weft"), help="the program (default: this project's release build)")
    parser.add_argument("--python", default="/usr/bin/python3", help="a Python that has torch (default: Debian's)")
    parser.add_argument("--threads", type=int, default=cores, help="of weft (default: one a core)")
    parser.add_argument("--torch-threads", type=int, nargs="+", default=sorted({1, cores}), help="to try PyTorch with (default: 1 and one a core)")
    parser.add_argument("--openmp-blas", default="/usr/lib/x86_64-linux-gnu/openblas-openmp", metavar="FOLDER",
                        help="where Debian's libopenblas0-openmp is, the fastest for its PyTorch; tried beside the one in use if it is there")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32", help="of both; PyTorch's bf16 is autocast")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=40, help="timed a round")
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--models", nargs="+", choices=THREAD_MODELS, help="of the section thread (default: all)")
    flags = parser.parse_args()
    if min(flags.rounds, flags.steps, flags.threads, *flags.torch_threads) < 1:
        parser.error("rounds, steps and threads must be at least 1")
    if not os.access(flags.weft, os.X_OK):
        parser.error(f"there is no program {flags.weft}; ./weft --version builds it")
    return flags


def main():
    flags = read_flags()
    weft = Weft(flags.weft, flags.precision)
    needs_torch = {"models", "thread", "generate"} & set(flags.sections)
    torch = Torch(flags.python, flags.torch_threads, flags.openmp_blas, flags.precision) if needs_torch else None
    compared = f" and torch {torch.version}" if torch else ""
    command = " ".join(["python3", "tests/peers/table.py", *sys.argv[1:]])
    print(f"{machine()}; {run([flags.weft, '--version']).strip()}{compared}; {datetime.date.today().isoformat()}; `{command}`")
    for section in flags.sections:
        print(flush=True)
        SECTIONS[section](weft, torch, flags)


if __name__ == "__main__":
    main()
