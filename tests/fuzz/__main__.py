# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.fuzz``: the long run."""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import archives, build, seeds


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "parsers",
        nargs="*",
        metavar="PARSER",
        choices=[[], *seeds.CORPUS],
        help=f"{', '.join(seeds.CORPUS)} (default: all)",
    )
    parser.add_argument(
        "--runs",
        type=int,
        default=1_000_000,
        help="mutated inputs for each parser (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=int(time.time()),
        help="of the random numbers (default: the time)",
    )
    parser.add_argument(
        "--coverage-guided",
        action="store_true",
        help="by libFuzzer, which needs clang++; `python -m tests.fuzz.archives` keeps its finds",
    )
    parser.add_argument(
        "--directory",
        type=Path,
        default=archives.CACHE,
        help="for the program, the corpus and findings (default: %(default)s)",
    )
    options = parser.parse_args()
    guided = options.coverage_guided
    fuzzer = build.build(options.directory, guided=guided)
    seeds.write(options.directory / "corpus")
    archives.unpack(options.directory / "learned")

    def run(name):
        corpus = options.directory / "corpus" / name
        learned = options.directory / "learned" / name
        finding = options.directory / f"finding-{name}"
        if guided:
            found = options.directory / "found" / name
            found.mkdir(parents=True, exist_ok=True)
            command = [
                name,
                f"-runs={options.runs}",
                f"-seed={options.seed % 2**32}",
                "-max_len=4096",
                "-timeout=20",
                "-print_final_stats=1",
                f"-exact_artifact_path={finding}",
                found,
                corpus,
                learned,
            ]
        else:
            command = [name, corpus, learned, options.runs, options.seed, finding]
        begin = time.monotonic()
        log = options.directory / f"{name}.log"
        with log.open("w") as file:
            code = subprocess.run(
                [str(fuzzer), *map(str, command)], stdout=file, stderr=subprocess.STDOUT
            ).returncode
        said = log.read_text(errors="replace").splitlines()
        seconds = time.monotonic() - begin
        if code != 0:
            return f"{name}: FINDING after {seconds:.0f} s, see {log} and {finding}"
        if guided:
            return f"{name}: {options.runs} inputs, guided by coverage, in {seconds:.0f} s"
        return said[-1]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = []
        for line in pool.map(run, options.parsers or seeds.CORPUS):
            print(line, flush=True)
            results.append("FINDING" not in line)
    print(f"seed {options.seed}")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
