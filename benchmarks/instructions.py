# SPDX-License-Identifier: Apache-2.0
"""Instructions per call under callgrind: a figure that no neighbour can disturb.

``python -m benchmarks.instructions --check`` counts and fails if a case of tvmgo has grown beside
its floor, a rival counted in the same run that does no more than it must (bare C, if the case has
it), or a number that is known: the operations of a kernel's definition. What the compiler and Python make of both changes both, so that the ratio holds from one
machine to the next. ``--store`` writes the counts to be compared with anew. Without either they
are shown only.

One process does all calls, another the kernels: these need ONNX Runtime, whose threads would count among the
calls. Each rival runs in loops of two lengths; the difference of the two
counts, divided by the difference in length, is the cost of one operation: what comes before and
after the loop cancels out.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks import harness, machine, native
from benchmarks.case import Case
from benchmarks.cases import CASES as CALLS
from benchmarks.cases import kernels

LOOPS = {"calls": CALLS, "kernels": kernels.CASES}
CASES = (*CALLS, *kernels.CASES)
STORED = Path(__file__).with_name("instructions.json")
GROWTH = 1.03  # more than so many times the stored ratio fails
FLOORS = {case.title: case.counted for case in CASES if case.counted}
KNOWN = {case.title: dict(case.known) for case in CASES if case.counted}
WARM_UP = 200  # operations: until Python has specialised the loop's bytecode
SHORT, LONGER = 100, 5  # operations of the short loop; how many of them the long one has more
SEPARATOR = " | "

Counts = dict[str, dict[str, float]]


def run_loops(cases: Iterable[Case]) -> None:
    """Run each loop and have callgrind write its count. Runs under valgrind."""
    client = ctypes.CDLL(native.library("callgrind"))
    client.start()
    prepared = {case.title: case.prepare() for case in cases if case.counted}
    with harness.collector_off():
        for title, rivals in prepared.items():
            for rival, timed in rivals.items():
                sample = harness.sampler(timed)
                # What is not a single operation runs a few times.
                operations = SHORT if KNOWN[title] else timed.operations
                sample(max(1, WARM_UP // operations))
                short = max(1, SHORT // operations)
                for calls in (short, short * (1 + LONGER)):
                    client.zero()
                    sample(calls)
                    done = str(calls * timed.operations)
                    client.dump(SEPARATOR.join((title, rival, done)).encode())


def read_dump(text: str) -> tuple[tuple[str, str], int, int] | None:
    """Return whose loop a file of callgrind is about, its operations and its instructions; None:
    nobody's."""
    label = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.MULTILINE)
    if label is None:  # the rest, written when the process ends
        return None
    title, rival, operations = label.group(1).split(SEPARATOR)
    total = re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)
    return (title, rival), int(operations), int(total.group(1))


def per_operation(dumps: list[tuple[tuple[str, str], int, int]]) -> Counts:
    """Return the instructions of one operation, by case and rival."""
    loops: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for whose, operations, instructions in dumps:
        loops.setdefault(whose, []).append((operations, instructions))
    counts: Counts = {}
    for (title, rival), ((less, few), (more, many)) in loops.items():
        counts.setdefault(title, {})[rival] = round((many - few) / (more - less), 1)
    return counts


def count() -> Counts:
    """Run this module under callgrind and return the instructions of one operation."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        sys.exit("counting instructions needs valgrind, which is not installed")
    kernels.export_all()
    counts = count_loops(valgrind, "calls") | count_loops(valgrind, "kernels")
    return {title: {**rivals, **KNOWN[title]} for title, rivals in counts.items()}


def count_loops(valgrind: str, which: str) -> Counts:
    """Do the same for some of the cases, in a process of their own."""
    with tempfile.TemporaryDirectory(prefix="tvmgo-callgrind-") as directory:
        options = ("--instr-atstart=no", "--quiet", f"--callgrind-out-file={directory}/out")
        loops = (sys.executable, "-m", "benchmarks.instructions", "--loops", which)
        done = subprocess.run(
            [valgrind, "--tool=callgrind", *options, *loops],
            env={**os.environ, "PYTHONHASHSEED": "0", kernels.READY: "1", "TVM_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode != 0:
            sys.exit(f"the loops failed under valgrind:\n{done.stderr}")
        files = sorted(Path(directory).iterdir(), key=lambda path: path.stat().st_mtime_ns)
        return per_operation(list(filter(None, (read_dump(path.read_text()) for path in files))))


def beside_floor(title: str, counts: dict[str, float]) -> tuple[float, str]:
    """Return tvmgo's count in that of the floor, and how the two are said."""
    floor = FLOORS[title]
    ours, theirs = counts["tvmgo"], counts[floor]
    return ours / theirs, f"{ours / theirs:.3f} ({ours:,.0f} / {theirs:,.0f} of {floor})"


def problems(stored: Counts, counts: Counts) -> list[str]:
    """Say which cases of tvmgo grew beyond the limit, or are not stored."""
    said = []
    for title, rivals in counts.items():
        now, now_said = beside_floor(title, rivals)
        if title not in stored:
            said.append(f"{title}: {now_said} instructions, and no stored count")
            continue
        before, before_said = beside_floor(title, stored[title])
        if now > before * GROWTH:
            grown = f"{now / before - 1:.1%} more instructions beside its floor"
            said.append(f"{title}: {grown}: {now_said}; stored {before_said}")
    return said + [
        f"{title}: stored, but no longer counted" for title in stored if title not in counts
    ]


def store(counts: Counts) -> None:
    """Write what later counts are compared with: those of tvmgo and of its floor."""
    kept = {
        title: {name: rivals[name] for name in ("tvmgo", FLOORS[title])}
        for title, rivals in counts.items()
    }
    text = json.dumps({"versions": machine.describe_versions(), "counts": kept}, indent=1)
    STORED.write_text(text + "\n")


def check(counts: Counts) -> None:
    """Exit with what has grown, and the versions that are others than when it was stored."""
    stored = json.loads(STORED.read_text())
    if said := problems(stored["counts"], counts):
        for name, version in machine.describe_versions().items():
            if (then := stored["versions"].get(name)) != version:
                said.append(f"note: {name} {then} when the counts were stored, {version} now")
        sys.exit("\n".join(said))
    limit = f"{GROWTH - 1:.0%}"
    print(f"none of {len(counts)} cases takes over {limit} more instructions than stored")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="compare with the stored counts")
    what.add_argument("--store", action="store_true", help="store the counts")
    what.add_argument("--loops", choices=LOOPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loops:
        run_loops(LOOPS[options.loops])
        return
    counts = count()
    for title, rivals in counts.items():
        print(f"{title}: " + ", ".join(f"{name} {value:,.0f}" for name, value in rivals.items()))
    if options.store:
        store(counts)
    elif options.check:
        check(counts)


if __name__ == "__main__":
    main()
