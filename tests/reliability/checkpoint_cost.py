#!/usr/bin/env python3
"""What a checkpoint every 100 steps costs: trains for a while, saving often, and compares the steps after a save with the others.

    python3 tests/reliability/checkpoint_cost.py [build/release/weft]

The record of a step is timed when the step ends, before it is saved: the time from there to the end of the next step holds the save and that step. Medians
of each, so that whatever else the machine does counts little. Exits with 1 where a step is delayed by more than 5 % on average."""
import json
import statistics
import subprocess
import sys
import tempfile

MODELS = {
    "text, 4 layers, 128 wide": ["text"],
    "text-best": ["text", "--preset", "text-best"],
    "text, 1 layer, 64 wide": ["text", "--layers", "1", "--width", "64", "--heads", "2"],
    "vision, vit": ["vision", "--batch", "64"],
}
STEPS, EVERY = 120, 8


def measure(weft, flags):
    length = ["--epochs", "1", "--validation", "5000", "--train-share", str(STEPS * 64 / 55000)] if flags[0] == "vision" else ["--steps", str(STEPS)]
    with tempfile.TemporaryDirectory() as folder:
        out = folder + "/run"
        command = [weft, "train", *flags, *length, "--eval-every", "1000000", "--save-every", str(EVERY), "--no-test", "--no-estimate", "--out", out]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        records = [json.loads(line) for line in open(out + "/metrics.jsonl")]
    after_save, others = [], []
    for before, record in zip(records, records[1:]):
        if before["step"] > 5 and record["step"] < records[-1]["step"]:
            (after_save if before["step"] % EVERY == 0 else others).append(record["seconds"] - before["seconds"])
    step = statistics.median(others)
    return step, max(0.0, statistics.median(after_save) - step)


def main():
    weft = sys.argv[1] if len(sys.argv) > 1 else "build/release/weft"
    worst = 0.0
    print(f"{'run':26}  {'step ms':>8}  {'save ms':>8}  delay of a step at one save in 100")
    for name, flags in MODELS.items():
        step, save = measure(weft, flags)
        share = save / (100 * step)
        worst = max(worst, share)
        print(f"{name:26}  {1000 * step:8.1f}  {1000 * save:8.1f}  {100 * share:.2f} %")
    sys.exit(1 if worst > 0.05 else 0)


if __name__ == "__main__":
    main()
