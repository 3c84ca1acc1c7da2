# SPDX-License-Identifier: Apache-2.0
"""Rivals measured in turns: medians, and ratios with their spread.

A round takes one sample of each rival, one right after the other, in an order of its own: in a
fixed one a neighbour's time slices can fall on the same rival again and again. A ratio is formed
within a round, where both sides met the same machine; what is reported is the median over all
rounds and the quartiles around it. From time to time all objects are made anew: where they come to
lie in memory makes a difference of some percent, which belongs into the spread. Nothing is
subtracted: the loop of some nanoseconds is in every figure.
"""

from __future__ import annotations

import contextlib
import datetime
import gc
import random
import statistics
from collections.abc import Callable, Iterable

from benchmarks import machine
from benchmarks.case import Case, Target
from benchmarks.cases import CASES

BATCHES = 5  # with new objects each; the rounds are shared out among them
PROCESS_ROUNDS = 1 / 5  # of the rounds, where each sample starts an interpreter

Samplers = dict[str, Callable[[int], float]]


def enough_calls(sampler: Callable[[int], float], case: Case) -> int:
    """Return how many calls make a sample as long as the case wants it."""
    if case.group.processes or case.unit != "ns":  # a reading, not a statement to be timed
        return 1
    calls = 1
    while (cost := sampler(calls) * case.length) * calls < case.sample_ns / 4:
        calls *= 4
    return max(1, round(case.sample_ns / cost))


@contextlib.contextmanager
def collector_off():
    """Keep Python's garbage collector from running, as timeit does for its own loops."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def interleave(
    samplers: Samplers, calls: dict[str, int], rounds: int, chance: random.Random
) -> dict[str, list[float]]:
    """Return each rival's samples, `rounds` of them."""
    order = list(samplers)
    samples = {name: [] for name in samplers}
    for _ in range(rounds):
        chance.shuffle(order)
        for name in order:
            samples[name].append(samplers[name](calls[name]))
    return samples


def take_samples(case: Case, rounds: int) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Return each rival's samples, and how many calls make one of them."""
    samples = {name: [] for name in case.rivals}
    calls: dict[str, int] = {}
    chance = random.Random(0)
    for batch in range(BATCHES):
        share = (rounds + batch) // BATCHES
        with collector_off():
            samplers = case.prepare()
            calls = calls or {
                name: enough_calls(sampler, case) for name, sampler in samplers.items()
            }
            for name, values in interleave(samplers, calls, share, chance).items():
                samples[name] += values
    return samples, calls


def spread(values: list[float]) -> dict[str, float]:
    """Return the median and the quartiles, to five digits."""
    quartiles = statistics.quantiles(values, n=4, method="inclusive")
    return {
        name: float(f"{value:.5g}") for name, value in zip(("low", "median", "high"), quartiles)
    }


def judge(target: Target, samples: dict[str, list[float]]) -> dict:
    """Return a target with what was measured, and whether its median keeps the limit."""
    rounds = [dict(zip(samples, costs)) for costs in zip(*samples.values())]
    figures, limits = zip(*map(target.evaluate, rounds))
    limit = statistics.median(limits)
    floors = [target.evaluate_floor(costs) for costs in rounds]
    return {
        "figure": target.figure,
        "relation": target.relation,
        "limit": target.limit,
        "unit": target.unit,
        "measured": spread(figures),
        "limit_measured": limit,
        "floor": target.floor,
        "floor_measured": statistics.median(floors) if target.floor else None,
        "met": target.met(statistics.median(figures), limit),
    }


def measure(case: Case, rounds: int) -> dict:
    """Return the figures of one case, ready for JSON."""
    if case.group.processes:
        rounds = max(3, round(rounds * PROCESS_ROUNDS))
    samples, calls = take_samples(case, rounds)
    ours, *others = samples
    return {
        "group": case.group.title,
        "name": case.name,
        "unit": case.unit,
        "nbytes": case.nbytes,
        "length": case.length,
        "rounds": rounds,
        "rivals": {
            name: {"statement": case.rivals[name].statement, "calls": calls[name], **spread(values)}
            for name, values in samples.items()
        },
        "ratios": {
            name: spread([mine / theirs for mine, theirs in zip(samples[ours], samples[name])])
            for name in others
        },
        "targets": [judge(target, samples) for target in case.targets],
    }


def report(result: dict) -> str:
    """Return one line about one case."""
    costs = ", ".join(
        f"{name} {figures['median']:,.0f}" for name, figures in result["rivals"].items()
    )
    ratios = ", ".join(
        f"{ratio['median']:.2f} of {name}" for name, ratio in result["ratios"].items()
    )
    return f"{result['group']}, {result['name']} ({result['unit']}): {costs}; {ratios}"


def run(rounds: int, cases: Iterable[Case] = CASES, tell: Callable[[str], object] = print) -> dict:
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
