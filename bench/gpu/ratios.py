"""The ratio of two sides that took turns, round by round. Pure arithmetic: no clock, no file, nothing but Python."""

import dataclasses
import math
import statistics

MIN_ROUNDS = 6  # with five, the smallest and the largest enclose the median in less than 95 % of all cases


@dataclasses.dataclass(frozen=True)
class Ratio:
    """The median of the rounds' ratios; low and high (its 95 % interval) are None for too few rounds."""

    value: float
    low: float | None
    high: float | None
    rounds: int


def median_interval(values: list[float]) -> tuple[float, float] | None:
    """95 %, by order statistics: holds for any distribution, and is exact (at least 95 %) for independent values."""
    ordered, count = sorted(values), len(values)
    below, tail = 0, 0.0  # how many values may be cut off at either end, and how often the median lies beyond them
    while below < count and tail + math.comb(count, below) / 2**count <= 0.025:
        tail += math.comb(count, below) / 2**count
        below += 1
    return (ordered[below - 1], ordered[count - below]) if below > 0 else None


def paired_ratio(ours: list[float], theirs: list[float]) -> Ratio | None:
    """Ours / theirs. Both lists hold one figure a round, in the same order; None where there is no round."""
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} rounds of ours, {len(theirs)} of theirs")
    if not ours:
        return None
    ratios = [a / b for a, b in zip(ours, theirs)]
    low, high = median_interval(ratios) or (None, None)
    return Ratio(statistics.median(ratios), low, high, len(ratios))
