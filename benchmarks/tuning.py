# SPDX-License-Identifier: Apache-2.0
"""What minutes of tuning buy on one network: ``python -m benchmarks.tuning`` writes docs/reports/tuning.md.

The network is exported by relay, by relay with tuning, and by relax, for this machine; samples of CPU time on
one thread are taken in turns, so that the ratios hold on a machine that does other things, too. The trials of
tuning take the time that passes: there a quiet machine finds more.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import random
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import harness
from benchmarks.case import Timed
from benchmarks.networks.catalogue import BY_NAME, Network
from benchmarks.networks.measuring import calls_of, cpu_time
from benchmarks.networks.prepared import Prepared, made_up
from tvmgo.compiler import export

PAGE = Path(__file__).parents[1] / "docs" / "reports" / "tuning.md"
THEIRS, UNTUNED = "ONNX Runtime", "relay"
ROUNDS, SAMPLE_NS = 25, 2e7

HEAD = """\
# What tuning buys

{network}, one thread, compiled for the machine it ran on; made by `python -m benchmarks.tuning`. The log has
{trials} trials of kernels, made within {span:.1f} minutes; a machine that does nothing else tries more. CPU time of a run,
median and quartiles of {rounds} samples in turns, and its ratio to that of relay without tuning in the same round;
meanwhile {load:.1f} processes on average wanted the machine's {cores} cores.
[Tuning](../guide/tuning.md) tells how it is asked for.

| exported by | ms | relay untuned = 1 | export, s |
| --- | --- | --- | --- |
"""


def prepared(network: Network, folder: Path, **arguments: Any) -> Prepared:
    path = network.path()
    start = time.monotonic()
    say = functools.partial(print, "  ", flush=True)
    artifacts = export(
        *(path, folder),
        shapes=network.shapes,
        target="native",
        verify=False,
        progress=say,
        **arguments,
    )
    return Prepared(network, path, artifacts, made_up(network, path), time.monotonic() - start)


def samples_of(rivals: Mapping[str, Timed]) -> dict[str, list[float]]:
    """Return milliseconds of all rivals, which are right, round by round."""
    for name, timed in rivals.items():
        if not timed.right(timed.call()):
            raise SystemExit(f"{name} computes something else than ONNX Runtime")
    calls = {name: calls_of(timed, SAMPLE_NS) for name, timed in rivals.items()}
    samples: dict[str, list[float]] = {name: [] for name in rivals}
    chance, order = random.Random(0), list(rivals)
    with harness.collector_off():
        for _ in range(ROUNDS):
            chance.shuffle(order)
            for name in order:
                samples[name].append(cpu_time(rivals[name].call, calls[name]) * 1e3)
    return samples


def text_of(spread: Mapping[str, float]) -> str:
    return f"{spread['median']:.3g} ({spread['low']:.3g} to {spread['high']:.3g})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="MobileNet v2", choices=BY_NAME)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument(
        "--log", help="trials to go on with, or with 0 minutes to use; by default none are kept"
    )
    arguments = parser.parse_args()
    network, minutes = BY_NAME[arguments.network], arguments.minutes
    os.environ["TVM_NUM_THREADS"] = "1"  # of the kernels that are tried
    with tempfile.TemporaryDirectory(prefix="tvmgo-tuning-") as folder:
        log = arguments.log or f"{folder}/trials.json"
        how: dict[str, dict[str, Any]] = {
            UNTUNED: {"compiler": "relay"},
            "relay, tuned": {
                "compiler": "relay",
                "tune": minutes,
                "tune_log": log,
            },
            "relax": {"compiler": "relax"},
        }
        made = {
            name: prepared(network, Path(folder) / str(number), **each)
            for number, (name, each) in enumerate(how.items())
        }
        rivals = {name: each.ours(1) for name, each in made.items()}
        rivals[THEIRS] = made[UNTUNED].theirs(1)
        samples = samples_of(rivals)
        trials = [json.loads(line)["result"][3] for line in Path(log).read_text().splitlines()]
    lines = []
    for name, costs in samples.items():
        ratios = harness.spread(a / b for a, b in zip(costs, samples[UNTUNED]))
        seconds = f"{made[name].seconds:.0f}" if name in made else ""
        lines.append(
            f"| {name} | {text_of(harness.spread(costs))} | {text_of(ratios)} | {seconds} |\n"
        )
    report = made["relay, tuned"].artifacts.report
    assert report is not None
    said = report.details["tuning"].replace(f", in {log}", "")
    span = (max(trials) - min(trials)) / 60
    head = HEAD.format(
        network=network.name,
        trials=len(trials),
        span=span,
        rounds=ROUNDS,
        load=os.getloadavg()[0],
        cores=os.cpu_count(),
    )
    PAGE.write_text(f"{head}{''.join(lines)}\nThe report of the tuning: {said}.\n")
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
