"""Which contenders can be told apart on the seeds that they share, and which cannot.

Every pair is compared by Wilcoxon's signed-rank test of the final losses on the same seeds (same data, same initial weights):
under the hypothesis that the two are exchangeable within a seed, differences are symmetric on any scale. The p-values of all
pairs are corrected by Holm's method, which keeps the chance of even one false claim below the level. What remains is shown
as letters: contenders that share a letter are not distinguishable (compact letter display, Piepho 2004). That is no proof
that they are equal.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from optimbench.convergence.statistics import comparable
from optimbench.convergence.trajectory import Array

LEVEL = 0.05


@dataclass(frozen=True)
class Comparison:
    """All pairs of C contenders on S seeds.

    ``p`` and ``corrected`` (C, C): p-value of each pair, and after Holm's correction. ``better`` (C, C): 1 where the row is
    better than the column and that is significant, -1 where it is worse, 0 where they are not distinguishable. ``letters``:
    the groups of each contender, in the order of the medians.
    """

    seeds: int
    p: Array
    corrected: Array
    better: NDArray[np.int64]
    letters: tuple[str, ...]

    @property
    def pairs(self) -> int:
        return len(self.p) * (len(self.p) - 1) // 2

    @property
    def enough_seeds(self) -> int:
        """How many seeds it takes until a pair that differs in every seed can be told apart at all."""
        return math.ceil(1 + math.log2(max(self.pairs, 1) / LEVEL))

    @property
    def distinguished(self) -> int:
        """How many pairs can be told apart."""
        return int((self.better > 0).sum())


def compare(finals: Array) -> Comparison:
    """Compare the rows of ``finals`` (C, S); a run that diverged is worse than any other, and ties with its like."""
    losses = comparable(finals)
    count = len(losses)
    p = np.ones((count, count))
    sign = np.zeros((count, count), dtype=np.int64)
    pairs = list(itertools.combinations(range(count), 2))
    for i, j in pairs:
        p[i, j], sign[i, j] = paired(losses[i] - losses[j])
        p[j, i], sign[j, i] = p[i, j], -sign[i, j]
    corrected = np.ones_like(p)
    for (i, j), value in zip(pairs, holm([p[pair] for pair in pairs]), strict=True):
        corrected[i, j] = corrected[j, i] = value
    better = np.where(corrected <= LEVEL, sign, 0)
    order = sorted(range(count), key=lambda k: (float(np.median(losses[k])), k))
    groups = letters(better[np.ix_(order, order)] == 0)
    by_contender = dict(zip(order, groups, strict=True))
    return Comparison(losses.shape[1], p, corrected, better, tuple(by_contender[k] for k in range(count)))


def paired(differences: Array) -> tuple[float, int]:
    """Two-sided p-value of Wilcoxon's test, and 1 where the first of the pair is lower (better), -1 where it is higher.

    Seeds without a difference say nothing and are left out; if none is left the pair is the same: p-value 1.
    """
    told = differences[differences != 0.0]
    if not len(told):
        return 1.0, 0
    found = stats.wilcoxon(told)
    ranks = np.sign(told) * stats.rankdata(np.abs(told))
    return float(found.pvalue), -int(np.sign(ranks.sum()))


def holm(p: Sequence[float]) -> Array:
    """Holm's corrected p-values (Scandinavian Journal of Statistics 6, 1979), in the order given."""
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    found = np.empty_like(values)
    found[order] = np.minimum(np.maximum.accumulate(factors * values[order]), 1.0)
    return found


def letters(alike: NDArray[np.bool_]) -> list[str]:
    """The letters of contenders in order of their medians, from who is not distinguishable from whom (C, C).

    Each letter is a largest set whose members are pairwise alike, so two contenders share one if and only if they are alike.
    """
    count = len(alike)
    neighbours = [{j for j in range(count) if alike[i, j] and j != i} for i in range(count)]
    found: list[list[int]] = []

    def extend(clique: set[int], candidates: set[int], done: set[int]) -> None:
        """Bron and Kerbosch with pivot (Communications of the ACM 16, 1973)."""
        if not candidates and not done:
            found.append(sorted(clique))
            return
        pivot = max(sorted(candidates | done), key=lambda k: len(neighbours[k] & candidates))
        for k in sorted(candidates - neighbours[pivot]):
            extend(clique | {k}, candidates & neighbours[k], done & neighbours[k])
            candidates = candidates - {k}
            done = done | {k}

    extend(set(), set(range(count)), set())
    names = [_letter(k) for k in range(len(found))]
    return ["".join(name for name, clique in zip(names, sorted(found), strict=True) if k in clique) for k in range(count)]


def _letter(index: int) -> str:
    """a to z, then a1 to z1 and so on."""
    return "abcdefghijklmnopqrstuvwxyz"[index % 26] + (str(index // 26) if index >= 26 else "")
