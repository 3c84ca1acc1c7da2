# SPDX-License-Identifier: Apache-2.0
"""Instructions per call under callgrind: a figure that no neighbour can disturb.

``python -m benchmarks.instructions --check`` counts and fails if a case of tvmgo takes more
instructions than `instructions.json` allows; ``--store`` writes that file anew. Without either the
counts are shown only.

One process does all cases. Each statement runs in loops of two lengths; the difference of the two
counts, divided by the difference in length, is the cost of one call: what comes before and after
the loop cancels out.
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
from pathlib import Path

import tvmgo
from benchmarks import compare, kernels, machine
from benchmarks.cases import CASES

STORED = Path(__file__).with_name("instructions.json")
GROWTH = 1.05  # more than so many times the stored count fails
WARM_UP = 200  # calls: until Python has specialised the loop's bytecode
SHORT, LONG = 100, 600  # calls
SEPARATOR = " | "

Counts = dict[str, dict[str, float]]


def compiler() -> str:
    """Return the compiler that built tvmgo, as it signed the extension."""
    binary = Path(tvmgo._core.function.__file__).read_bytes()
    found = re.search(rb"GCC: \(.*?\) [\d.]+|clang version [\d.]+", binary)
    return found.group().decode() if found else "unknown"


def versions() -> dict[str, str]:
    """Return what the counts depend on."""
    return {
        **machine.describe_versions(),
        "compiler": compiler(),
        "machine": machine.describe_machine()["system"],
    }


def run_loops() -> None:
    """Run each loop and have callgrind write its count. Runs under valgrind."""
    samplers = {
        (case.title, rival): sampler
        for case in CASES
        if case.counted
        for rival, sampler in case.prepare().items()
    }
    client = ctypes.CDLL(kernels.library("callgrind"))
    client.start()
    with compare.collector_off():
        for (title, rival), sampler in samplers.items():
            sampler(WARM_UP)
            for calls in (SHORT, LONG):
                label = SEPARATOR.join((title, rival, str(calls))).encode()
                client.zero()
                sampler(calls)
                client.dump(label)


def read_dump(text: str) -> tuple[tuple[str, str, int], int] | None:
    """Return whose loop a file of callgrind is about and its instructions; None: nobody's."""
    label = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.MULTILINE)
    if label is None:  # the rest, written when the process ends
        return None
    title, rival, calls = label.group(1).split(SEPARATOR)
    total = re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)
    return (title, rival, int(calls)), int(total.group(1))


def per_call(totals: dict[tuple[str, str, int], int]) -> Counts:
    """Return the instructions of one call, by case and rival."""
    counts: Counts = {}
    for title, rival, calls in totals:
        if calls == LONG:
            more = totals[title, rival, LONG] - totals[title, rival, SHORT]
            counts.setdefault(title, {})[rival] = round(more / (LONG - SHORT), 1)
    return counts


def count() -> Counts:
    """Run this module under callgrind and return the instructions of one call."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        sys.exit("counting instructions needs valgrind, which is not installed")
    with tempfile.TemporaryDirectory(prefix="tvmgo-callgrind-") as directory:
        output = Path(directory, "out")
        done = subprocess.run(
            [
                valgrind,
                "--tool=callgrind",
                "--instr-atstart=no",
                "--quiet",
                f"--callgrind-out-file={output}",
                sys.executable,
                "-m",
                "benchmarks.instructions",
                "--loops",
            ],
            env={**os.environ, "PYTHONHASHSEED": "0"},
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode != 0:
            sys.exit(f"the loops failed under valgrind:\n{done.stderr}")
        dumps = sorted(Path(directory).iterdir(), key=lambda path: path.stat().st_mtime_ns)
        return per_call(dict(filter(None, map(read_dump, map(Path.read_text, dumps)))))


def problems(stored: Counts, counts: Counts) -> list[str]:
    """Say which cases of tvmgo grew beyond the limit, or are not stored."""
    said = []
    for title, rivals in counts.items():
        before, now = stored.get(title, {}).get("tvmgo"), rivals["tvmgo"]
        if before is None:
            said.append(f"{title}: {now:,.0f} instructions, and no stored count")
        elif now > before * GROWTH:
            said.append(
                f"{title}: {now:,.0f} instructions, {now / before - 1:.1%} more than the "
                f"stored {before:,.0f}"
            )
    said += [f"{title}: stored, but no longer counted" for title in stored if title not in counts]
    return said


def differences(stored: dict[str, str], now: dict[str, str]) -> list[str]:
    """Say which versions are others than when the counts were stored."""
    return [
        f"{name}: {stored.get(name)} when the counts were stored, {version} now"
        for name, version in now.items()
        if stored.get(name) != version
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.instructions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="compare with the stored counts")
    what.add_argument("--store", action="store_true", help="store the counts")
    what.add_argument("--loops", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loops:
        run_loops()
        return
    counts = count()
    for title, rivals in counts.items():
        print(f"{title}: " + ", ".join(f"{name} {value:,.0f}" for name, value in rivals.items()))
    if options.store:
        STORED.write_text(json.dumps({"versions": versions(), "counts": counts}, indent=1) + "\n")
        print(f"stored in {STORED}")
    elif options.check:
        stored = json.loads(STORED.read_text())
        for difference in differences(stored["versions"], versions()):
            print(f"note: {difference}")
        if said := problems(stored["counts"], counts):
            sys.exit("\n".join(said))
        print(
            f"none of {len(counts)} cases takes over {GROWTH - 1:.0%} more instructions than stored"
        )


if __name__ == "__main__":
    main()
