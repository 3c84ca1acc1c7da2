# SPDX-License-Identifier: Apache-2.0
"""Libraries that are overwritten, renamed and written anew while other threads run what they loaded."""

import os
import shutil
import sys
import threading
from pathlib import Path

import pytest

import tvmgo

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have other loaders")

TIMES = 1000
VERSIONS = 4


def overwrite(new, path):
    shutil.copyfile(new, path)


def rename(new, path):
    os.replace(shutil.copyfile(new, f"{path}.new"), path)


def write_anew(new, path):
    Path(path).unlink(missing_ok=True)  # as linkers do
    shutil.copyfile(new, path)


@pytest.mark.parametrize("change", [overwrite, rename, write_anew])
@pytest.mark.parametrize("nbytes", [0, 17 << 20], ids=["small", "17 MB"])
def test_a_thousand_changes_under_running_threads(generation_path, tmp_path, change, nbytes):
    versions = []
    for number in range(VERSIONS):
        versions.append(shutil.copyfile(generation_path(number + 1), tmp_path / f"{number}.so"))
        with open(versions[-1], "ab") as file:
            file.write(bytes(nbytes))
    path = str(tmp_path / "model.so")
    change(versions[0], path)
    newest = [(1, tvmgo.load_module(path)["generation"])]
    answers = {"right": 0, "wrong": 0}
    done = threading.Event()

    def run():
        while not done.is_set():
            expected, function = newest[0]
            answer = "right" if function() == expected else "wrong"
            answers[answer] += 1

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        kept = []
        for i in range(TIMES if nbytes == 0 else TIMES // 10):
            number = i % VERSIONS
            change(versions[number], path)
            newest[0] = number + 1, tvmgo.load_module(path)["generation"]
            assert newest[0][1]() == number + 1
            kept.append(newest[0])
            if len(kept) == 20:  # some stay loaded for a while, some are closed
                assert all(function() == expected for expected, function in kept)
                kept.clear()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert answers["wrong"] == 0 and answers["right"] > TIMES
