# SPDX-License-Identifier: Apache-2.0
"""Models for tables, without a compiler: y is the sum of two inputs, or twice the one."""

import json

import numpy as np
import pytest

from tests.graphs import op, var
from tests.libraries import compile_library
from tests.model import kinds
from tvmgo.batch import Predictor


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Return a function that gives the folder of a model, which is made on first use."""
    place = tmp_path_factory.mktemp("tables")

    def folder_of(kind):
        folder = place / kind
        if kind in kinds.KINDS and not folder.exists():
            kinds.save(kind, folder)
        elif not folder.exists():
            folder.mkdir()
            compile_library(kinds.KERNELS, folder / "deploy.so")
            if kind == "dependent":
                kinds.save_sizes(folder, kinds.nodes_of_size, 3, (4,), independent=False)
            else:
                kinds.save_sizes(folder, two_inputs, 1)
                document = json.loads((folder / "model.json").read_text())
                document["inputs"] = [{**document["inputs"][0], "name": name} for name in "ab"]
                (folder / "model.json").write_text(json.dumps(document))
        return folder

    return folder_of


def two_inputs(rows):
    nodes = [var("a", (rows, 1)), var("b", (rows, 1))]
    return [*nodes, op("add_floats", ["a", "b"], (rows, 1), name="y", prefix="")]


@pytest.fixture
def predictor(folder_of):
    """Return a function that makes a predictor, whose model the test's end closes."""
    made = []

    def predictor(kind="batched", *arguments, **options):
        made.append(Predictor(folder_of(kind), *arguments, **options))
        return made[-1]

    yield predictor
    for each in made:
        each.model.close()


def rows_of(count, columns=3):
    return np.arange(count * columns, dtype="float32").reshape(count, columns)
