# SPDX-License-Identifier: Apache-2.0
"""A short run of the fuzzing that ``python -m tests.fuzz`` does at length.

Each parser gets its corpus, every truncation, every number of interest at every place, and random
mutations, under AddressSanitizer and UBSan in a process of its own.
"""
import subprocess
import sys

import pytest

from fuzz import build, seeds

pytestmark = [pytest.mark.slow,
              pytest.mark.skipif(sys.platform != "linux", reason="the parsers of ELF files are used there")]

RUNS = 20_000


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz")
    seeds.write(path / "corpus")
    return path


@pytest.fixture(scope="module")
def fuzzer(directory):
    return build.build(directory)


@pytest.mark.parametrize("parser", seeds.CORPUS)
def test_no_input_does_more_than_raise_an_error(fuzzer, directory, parser):
    finding = directory / f"finding-{parser}"
    done = subprocess.run([fuzzer, parser, directory / "corpus" / parser, seeds.LEARNED / parser, str(RUNS),
                           "1", finding],
                          capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, (
        f"{done.stderr}\ninput: {finding.read_bytes().hex() if finding.exists() else 'none'}")
    print(done.stdout)
