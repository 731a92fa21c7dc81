"""A linear model, learnt from examples: the same weights on every machine and Python.

A support vector machine with squared hinge loss, by dual coordinate descent (Hsieh and others,
2008). It needs nothing but sums, products and roots, which are exact to the last bit everywhere.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, sqrt

FEWEST = 2
"""A piece that fewer texts hold says nothing about the next text."""
COST = 2.0
"""Of an error, against the size of weights: the best of 1, 2, 3 and 6 on authors held out."""
ROUNDS = 60
ENOUGH = 0.01
"""A round that betters no example by more is the last."""
STEPS = 127
"""The largest weight."""
SMALLEST = 3
"""Smaller weights are left out: they change nothing, and are half of all."""


@dataclass(frozen=True)
class Example:
    """A text's pieces, and whether it means what is to be learnt."""

    pieces: frozenset[str]
    meant: bool


@dataclass(frozen=True)
class Learned:
    """Weights of pieces in steps; what a step is worth; what a text without pieces comes to."""

    weights: Mapping[str, int]
    step: float
    bias: float


def learn(examples: Sequence[Example]) -> Learned:
    """The weights that tell the examples apart best."""
    held = Counter(piece for example in examples for piece in example.pieces)
    number = {piece: at for at, piece in enumerate(sorted(p for p in held if held[p] >= FEWEST))}
    rows = [
        ([number[piece] for piece in sorted(example.pieces & number.keys())], len(example.pieces))
        for example in examples
    ]
    weights, bias = _descended(rows, [1.0 if example.meant else -1.0 for example in examples])
    step = max(map(abs, weights)) / STEPS
    rounded = ((piece, round(weights[at] / step)) for piece, at in number.items())
    return Learned({p: weight for p, weight in rounded if abs(weight) >= SMALLEST}, step, bias)


def _descended(
    rows: Sequence[tuple[list[int], int]], wanted: Sequence[float]
) -> tuple[list[float], float]:
    """Weights by place, and the bias.

    Args:
        rows: of each example, the places of its known pieces and the count of all.
        wanted: 1 or -1 for each.
    """
    weights = [0.0] * (1 + max(place for places, _ in rows for place in places))
    bias = 0.0
    pulls = [0.0] * len(rows)
    order = list(range(len(rows)))
    draw = random.Random(0)
    for _ in range(ROUNDS):
        draw.shuffle(order)
        most = 0.0
        for at in order:
            places, count = rows[at]
            sign, root, pull = wanted[at], sqrt(count), pulls[at]
            score = fsum(map(weights.__getitem__, places)) / root + bias
            slope = sign * score - 1 + pull / (2 * COST)
            if pull == 0.0 and slope >= 0.0:
                continue
            most = max(most, abs(slope))
            pulls[at] = max(pull - slope / (len(places) / count + 1 + 1 / (2 * COST)), 0.0)
            moved = (pulls[at] - pull) * sign
            bias += moved
            for place in places:
                weights[place] += moved / root
        if most < ENOUGH:
            break
    return weights, bias
