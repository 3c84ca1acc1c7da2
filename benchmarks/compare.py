# SPDX-License-Identifier: Apache-2.0
"""Rivals measured in turns: medians, and ratios with their spread.

A round takes one sample of each rival, one right after the other, in an order of its own: in a
fixed one a neighbour's time slices can fall on the same rival again and again. A ratio is formed
within a round, where both sides met the same machine; what is reported is the median over all
rounds and the quartiles around it. Nothing is subtracted: the loop of some nanoseconds is in every
figure.
"""
from __future__ import annotations

import datetime
import random
import statistics
from collections.abc import Callable, Iterable

from benchmarks import machine
from benchmarks.cases import CASES, Case

SAMPLE_NS = 2e6             # shortest sample: short enough that most escape a neighbour's turn
PROCESS_ROUNDS = 1 / 5      # of the rounds, where each sample starts an interpreter

Samplers = dict[str, Callable[[int], float]]


def enough_calls(sampler: Callable[[int], float]) -> int:
    """Return how many calls make a sample of `SAMPLE_NS`."""
    calls = 1
    while (cost := sampler(calls)) * calls < SAMPLE_NS / 4:
        calls *= 4
    return max(1, round(SAMPLE_NS / cost))


def interleave(samplers: Samplers, calls: dict[str, int], rounds: int) -> dict[str, list[float]]:
    """Return each rival's samples, `rounds` of them."""
    order = list(samplers)
    samples = {name: [] for name in samplers}
    shuffle = random.Random(0).shuffle
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            samples[name].append(samplers[name](calls[name]))
    return samples


def spread(values: list[float]) -> dict[str, float]:
    """Return the median and the quartiles."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}


def measure(case: Case, rounds: int) -> dict:
    """Return the figures of one case, ready for JSON."""
    samplers = case.prepare()
    if case.group.processes:
        rounds = max(3, round(rounds * PROCESS_ROUNDS))
        calls = dict.fromkeys(samplers, 1)
    elif case.unit != "ns":  # a reading, not a statement to be timed
        calls = dict.fromkeys(samplers, 1)
    else:
        calls = {name: enough_calls(sampler) for name, sampler in samplers.items()}
    samples = interleave(samplers, calls, rounds)
    ours, *others = samples
    return {
        "group": case.group.title,
        "name": case.name,
        "unit": case.unit,
        "nbytes": case.nbytes,
        "rounds": rounds,
        "rivals": {
            name: {"statement": case.rivals[name].statement, "calls": calls[name],
                   "best": min(values), **spread(values)}
            for name, values in samples.items()
        },
        "ratios": {
            name: spread([mine / theirs for mine, theirs in zip(samples[ours], samples[name])])
            for name in others
        },
    }


def report(result: dict) -> str:
    """Return one line about one case."""
    costs = ", ".join(f"{name} {figures['median']:,.0f}"
                      for name, figures in result["rivals"].items())
    ratios = ", ".join(f"{ratio['median']:.2f} of {name}"
                       for name, ratio in result["ratios"].items())
    return f"{result['group']}, {result['name']} ({result['unit']}): {costs}; {ratios}"


def run(rounds: int, cases: Iterable[Case] = CASES,
        tell: Callable[[str], object] = print) -> dict:
    """Measure the cases and return all figures with machine, versions and date."""
    neighbours = machine.Neighbours()
    yardsticks = [machine.yardstick()]
    results = []
    for case in cases:
        results.append(measure(case, rounds))
        yardsticks.append(machine.yardstick())
        tell(report(results[-1]))
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine.describe_machine(),
        "versions": machine.describe_versions(),
        "neighbours": neighbours.share(),
        "yardstick_ns": yardsticks,
        "results": results,
    }
