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
import functools
import gc
import random
import statistics
import time
import timeit
from collections.abc import Callable, Iterable

from benchmarks import machine
from benchmarks.case import Case, Target, Timed

BATCHES = 5  # with new objects each; the rounds are shared out among them
PROCESS_ROUNDS = 1 / 5  # of the rounds, where each sample starts an interpreter

Samples = dict[str, list[float]]  # costs of one operation, by rival, round by round


def sampler(timed: Timed, unit: str = "ns") -> Callable[[int], float]:
    """Return what makes so many calls and says what one operation cost: nanoseconds, or in another
    unit the mean of the answers."""
    if unit != "ns":
        return lambda calls: statistics.fmean(timed.call() for _ in range(calls))
    # The arguments are called by local names, as in a program: unpacking takes as long as a call.
    names = ["function", *(f"argument{i}" for i in range(len(timed.arguments) - 1))]
    timer = timeit.Timer(
        f"function({', '.join(names[1:])})",
        f"{', '.join(names)}, = arguments",
        globals={"arguments": timed.arguments},
    )
    return lambda calls: timer.timeit(calls) * 1e9 / (calls * timed.operations)


def enough_calls(sample: Callable[[int], float], timed: Timed, case: Case) -> int:
    """Return how many calls make a sample as long as the case wants it."""
    if case.group.processes:
        return 1
    calls = 1
    while (cost := sample(calls) * timed.operations) * calls < case.sample_ns / 4:
        calls *= 4
    return max(1, round(case.sample_ns / cost))


@contextlib.contextmanager
def collector_off():
    """Keep Python's garbage collector from running."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def interleave(
    samplers: dict[str, Callable[[], float]], rounds: int, chance: random.Random, pause: float = 0
) -> Samples:
    """Return each rival's samples, `rounds` of them."""
    order = list(samplers)
    samples: Samples = {name: [] for name in samplers}
    for _ in range(rounds):
        chance.shuffle(order)
        for name in order:
            if pause:
                time.sleep(pause)
            samples[name].append(samplers[name]())
    return samples


def take_samples(case: Case, rounds: int) -> Samples:
    """Return the samples of all rivals of a case."""
    samples: Samples = {name: [] for name in case.rivals}
    calls: dict[str, int] = {}
    chance = random.Random(0)
    for batch in range(BATCHES):
        with collector_off():
            rivals = case.prepare()
            samplers = {name: sampler(timed, case.unit) for name, timed in rivals.items()}
            calls = calls or {
                name: enough_calls(samplers[name], timed, case) for name, timed in rivals.items()
            }
            bound = {name: functools.partial(samplers[name], calls[name]) for name in samplers}
            share = (rounds + batch) // BATCHES
            for name, costs in interleave(bound, share, chance, case.pause).items():
                samples[name] += costs
    return samples


def spread(values: Iterable[float]) -> dict[str, float]:
    """Return the median and the quartiles, to five digits."""
    quartiles = statistics.quantiles(values, n=4, method="inclusive")
    return {
        name: float(f"{value:.5g}") for name, value in zip(("low", "median", "high"), quartiles)
    }


def judge(target: Target, samples: Samples) -> dict:
    """Return a target with what was measured, and whether its median keeps the limit."""
    rounds = [dict(zip(samples, costs)) for costs in zip(*samples.values())]
    figures = [target.figure.of(costs) for costs in rounds]
    limit = statistics.median(target.limit.of(costs) for costs in rounds)
    floor = target.floor
    return {
        "figure": target.figure.text,
        "relation": target.relation,
        "limit": target.limit.text,
        "unit": target.unit,
        "measured": spread(figures),
        "limit_measured": limit,
        "floor": floor.text if floor else "",
        "floor_measured": statistics.median(map(floor.of, rounds)) if floor else None,
        "met": target.met(statistics.median(figures), limit),
    }


def measure(case: Case, rounds: int) -> dict:
    """Return the figures of one case, ready for JSON."""
    if case.group.processes:
        rounds = max(3, round(rounds * PROCESS_ROUNDS))
    samples = take_samples(case, rounds)
    ours, *others = samples
    return {
        "group": case.group.title,
        "name": case.name,
        "unit": case.unit,
        "rounds": rounds,
        "rivals": {name: spread(costs) for name, costs in samples.items()},
        "ratios": {
            name: spread(mine / theirs for mine, theirs in zip(samples[ours], samples[name]))
            for name in others
        },
        "targets": [judge(target, samples) for target in case.targets],
    }


def report(result: dict) -> str:
    """Return one line about one case."""
    costs = ", ".join(f"{name} {cost['median']:,.1f}" for name, cost in result["rivals"].items())
    return f"{result['group']}, {result['name']} ({result['unit']}): {costs}"


def run(cases: Iterable[Case], rounds: int, tell: Callable[[str], object] = print) -> dict:
    """Measure the cases and return all figures with machine, versions and date."""
    start = machine.others_seconds()
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
        "neighbours": machine.others_share(start),
        "yardstick_ns": yardsticks,
        "results": results,
    }
