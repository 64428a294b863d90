#!/usr/bin/python3
"""Makes files/statistics.npz, which tests/compare reads: the statistics of `weft compare` by NumPy and SciPy (Debian's python3-scipy).

    /usr/bin/python3 tests/golden/make_statistics.py

Nothing here is taken from the C++: the sign-flip test is SciPy's, or an enumeration, or a convolution.
"""
import itertools
import pathlib

import numpy as np
from scipy import stats

FILES = pathlib.Path(__file__).parent / "files"


def sign_flip(x, alternative):
    """SciPy's permutation test where it is quick, else all patterns at once."""
    if len(x) <= 12:
        if len(x) == 1:
            return 1.0 if alternative == "two-sided" else (0.5 if x[0] > 0 else 1.0)
        return stats.permutation_test((x,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative=alternative).pvalue
    sums = np.zeros(1)
    for value in x:
        sums = np.concatenate([sums - value, sums + value])
    slack = 1e-12 * np.abs(x).sum()
    return np.mean(np.abs(sums) >= abs(x.sum()) - slack) if alternative == "two-sided" else np.mean(sums >= x.sum() - slack)


def whole_number_p(x):
    """Exact two-sided p of whole numbers, however many, by convolution of their two-point distributions."""
    reach = int(np.abs(x).sum())
    share = np.zeros(2 * reach + 1)
    share[reach] = 1
    for value in np.abs(x).astype(int):
        share = (np.roll(share, value) + np.roll(share, -value)) / 2
    sums = np.arange(-reach, reach + 1)
    return share[np.abs(sums) >= abs(int(x.sum()))].sum()


def holm(p):
    """As in the paper: order, multiply by how many are left, never fall, stop at 1."""
    order = np.argsort(p, kind="stable")
    adjusted = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    out = np.empty_like(adjusted)
    out[order] = adjusted
    return out


def cases():
    rng = np.random.default_rng(4)
    yield "one", np.array([0.3])
    yield "two", np.array([0.1, 0.4])
    yield "six", rng.normal(0.5, 1, 6)
    yield "eight", rng.normal(0.3, 1, 8)
    yield "eight_same_sign", np.abs(rng.normal(1, 0.5, 8)) + 0.01
    yield "eight_negative", -np.abs(rng.normal(1, 0.5, 8)) - 0.01
    yield "skewed", rng.exponential(1, 9) - 0.4
    yield "heavy", rng.standard_t(2, 10)
    yield "accuracies", np.array([0.93, 0.94, 0.93, 0.95, 0.92, 0.94, 0.93, 0.93]) - np.array([0.92, 0.93, 0.93, 0.93, 0.93, 0.92, 0.92, 0.92])
    yield "zeros_among", np.array([0.0, 0.2, 0.0, -0.1, 0.3, 0.0, 0.1])
    yield "tenths", np.array([0.1, 0.2, 0.3, -0.3, -0.1, 0.6, -0.2])
    yield "balanced", np.array([1.0, -1.0, 2.0, -2.0, 3.0, -3.0])
    yield "twelve", rng.normal(0.6, 1, 12)
    yield "twenty", rng.normal(0.4, 1, 20)
    yield "twenty_one", rng.normal(-0.4, 1, 21)
    yield "tiny", rng.normal(0.5, 1, 8) * 1e-9
    yield "huge", rng.normal(0.5, 1, 8) * 1e9


def make():
    entries = {}
    for name, x in cases():
        margin = 0.4 * np.abs(x).max()
        entries[f"case/{name}/values"] = x
        entries[f"case/{name}/p"] = np.array([sign_flip(x, "two-sided"), sign_flip(x, "greater")])
        entries[f"case/{name}/margin"] = np.array(margin)
        entries[f"case/{name}/p_equivalence"] = np.array(max(sign_flip(x + margin, "greater"), sign_flip(margin - x, "greater")))
        entries[f"case/{name}/moments"] = np.array([x.mean(), x.std(ddof=1) if len(x) > 1 else 0.0])
    rng = np.random.default_rng(5)
    for n in (41, 50, 77):
        x = rng.integers(-9, 13, n).astype(float)
        entries[f"many/{n}/values"], entries[f"many/{n}/p"] = x, np.array(whole_number_p(x))
    x = rng.integers(-9, 13, 10).astype(float)
    assert np.isclose(whole_number_p(x), sign_flip(x, "two-sided"))
    for k, p in enumerate([np.array([0.01, 0.04, 0.03, 0.005]), np.array([0.5, 0.5, 0.02]), np.array([1.0]), rng.random(20) ** 3, np.array([0.2, 0.01, 0.2, 0.01])]):
        entries[f"holm/{k}/p"], entries[f"holm/{k}/adjusted"] = p, holm(p)
    rows = []
    for n, effect, level in itertools.product((6, 8, 15, 20, 60, 400), (0.0, 0.3, 1.0), (0.05, 0.05 / 6, 1e-4)):
        t = stats.t.ppf(1 - level / 2, n - 1)
        rows.append([n, effect, level, stats.nct.sf(t, n - 1, effect * np.sqrt(n)) if effect > 0 else stats.t.sf(t, n - 1)])
    entries["t_power"] = np.array(rows)
    p = np.array([0, 1e-300, 1e-12, 0.001, 0.025, 0.3, 0.5, 0.84, 0.999, 1 - 1e-12, 1])
    entries["normal/p"], entries["normal/quantile"] = p, stats.norm.ppf(p)
    return entries


if __name__ == "__main__":
    entries = make()
    path = FILES / "statistics.npz"
    np.savez(path, **{key: np.ascontiguousarray(value) for key, value in entries.items()})
    print(f"{path.name}: {len(entries)} arrays, {path.stat().st_size / 1024:.0f} KiB")
