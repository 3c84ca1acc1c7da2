# SPDX-License-Identifier: Apache-2.0
"""What `export` does with objects, where tvmgo is not installed: has their framework save them."""

import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tvmgo" / "compiler" / "workers"))
import server

server.import_tvmgo(whole=False)


def save(model, path, inputs=None, batched=False):
    """Save an object as `export` would, and put what comes out at a path without a suffix; return it. Weights may lie
    beside it."""
    objects = import_module("tvmgo.compiler.frameworks.objects")
    folder = path.parent / f".{path.name}"
    folder.mkdir()
    _, write = objects.saver_of(model, objects.Examples({}, inputs or {}, batched))
    made = write(folder)
    for each in folder.iterdir():
        each.rename(path.with_name(f"{path.name}{each.suffix or '.saved'}"))
    folder.rmdir()
    return path.with_name(f"{path.name}{made.suffix or '.saved'}")
