# SPDX-License-Identifier: Apache-2.0
"""A short run of the fuzzing that ``python -m tests.fuzz`` does at length.

Each parser gets its corpus, every truncation, every number of interest at every place, and random
mutations, under AddressSanitizer and UBSan in a process of its own.
"""

import subprocess
import sys

import pytest

from tests.fuzz import archives, build, seeds

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the parsers of ELF files are used there"),
]

RUNS = 5_000


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """All of them at once: for each parser the process, what it says, and what it finds."""
    directory = tmp_path_factory.mktemp("fuzz")
    seeds.write(directory / "corpus")
    archives.unpack(directory / "learned")
    fuzzer = build.build(directory)
    processes = {}
    for parser in seeds.CORPUS:
        finding, log = directory / f"finding-{parser}", directory / f"{parser}.log"
        command = [
            fuzzer,
            parser,
            directory / "corpus" / parser,
            directory / "learned" / parser,
            str(RUNS),
            "1",
            finding,
        ]
        with log.open("w") as file:
            processes[parser] = subprocess.Popen(command, stdout=file, stderr=file), log, finding
    yield processes
    for process, _, _ in processes.values():
        process.kill()
        process.wait()


@pytest.mark.parametrize("parser", seeds.CORPUS)
def test_no_input_does_more_than_raise_an_error(started, parser):
    process, log, finding = started[parser]
    code = process.wait()
    output = log.read_text(errors="replace")
    assert code == 0, (
        f"{output}\ninput: {finding.read_bytes().hex() if finding.exists() else 'none'}"
    )
    print(output)
