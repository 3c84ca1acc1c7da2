# SPDX-License-Identifier: Apache-2.0
"""Exports the models of frameworks and writes docs/reports/frameworks.md: ``python -m tests.frameworks [NAME ...]``.

A NAME is the beginning of a file's, such as ``cnn`` or ``mlp.tflite``; the rows of others stay as they are.
"""

import os
import sys
import tempfile

import numpy as np

import tvmgo
from tests.frameworks.environments import CACHE, PROGRAMS, models_of, python_of
from tvmgo.compiler import export
from tvmgo.compiler.environments.interpreters import COMPILERS
from tvmgo.compiler.frameworks.converting import PYTHON_VARIABLE
from tvmgo.compiler.frameworks.files import kind_of
from tvmgo.compiler.frameworks.table import FRAMEWORKS
from tvmgo.exceptions import TVMError

PAGE = CACHE.parents[1] / "docs" / "reports" / "frameworks.md"
# What the framework itself cannot read again, and words of what is said then; makers say it of other files.
REFUSED = {"attention.h5": "too many positional arguments"}
LIMIT = 1e-4  # how far a result may be from the framework's, in parts of the largest

HEAD = """\
# Models of frameworks

Each was written by its framework, exported as it is, and run on the inputs and beside the results that the framework
wrote down when it made the file; made by `make test-frameworks`. How to export such models:
[from each framework](../guide/frameworks.md).

*Difference* is the largest to the framework's results, in parts of the largest number of an output; in place of Core ML,
which runs on Apple's systems alone, and Darknet, which has no package, those are NumPy's by Apple's specification and
OpenCV's. *Agrees with* is what the export itself has compared with, on other inputs. *Any rows* were exported without
shapes, for 1, 8 and 32 rows; *object* and *module* were saved by `export`. What is refused has to be, with these words.

| framework | model | exported as | agrees with | difference |
| --- | --- | --- | --- | --- |
"""


def is_result(name):
    return name[0] == "y" and name[1:].isdigit()


def row_of(path, any_rows=False):
    """Return the row of a model, and whether it is as good as it has to be."""
    said = dict(np.load(f"{path}.npz"))
    refused = said.pop("refused", REFUSED.get(path.name))
    inputs = {name: value for name, value in said.items() if not is_result(name)}
    expected = [value for name, value in said.items() if is_result(name)]
    options = {} if any_rows else {"shapes": {name: x.shape for name, x in inputs.items()}}
    if path.suffix == ".pt":  # TorchScript knows neither shapes nor element types
        options = {"inputs": inputs, "batch": (1, 8, 32) if any_rows else None}
    title = FRAMEWORKS[kind_of(path)].title
    name = f"{path.name}, any rows" if any_rows else path.name
    with tempfile.TemporaryDirectory() as folder:
        try:
            report = export(path, folder, target="native", verify=True, **options).report
            results = tvmgo.Model.load(folder)(inputs)
        except TVMError as error:
            right = refused is not None and str(refused) in str(error)
            return f"| {title} | {name} | {in_cell(error)} | | |", right
    if refused is not None:
        return f"| {title} | {name} | not refused: {refused} | | |", False
    form = f"{report.format}, {report.details['batch']}" if any_rows else report.format
    truth = report.verification.partition("agrees with ")[2].partition(";")[0]
    values = results if isinstance(results, tuple) else (results,)
    pairs = zip(values, expected, strict=True)
    worst = np.max(
        [np.abs(np.asarray(y) - other).max() / np.abs(other).max() for y, other in pairs]
    )
    return f"| {title} | {name} | {form} | {truth} | {worst:.0e} |", worst < LIMIT


def in_cell(error):
    return " ".join(f"refused: {error}".split()).replace("|", "\\|")[:400]


def key_of(row):
    return tuple(row.split("|")[1:3])


def rows_of_page():
    lines = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    return {key_of(line): line for line in lines[len(HEAD.splitlines()) :]}


def main(names):
    rows, wrong = rows_of_page() if names else {}, []
    for program in PROGRAMS:
        if program not in COMPILERS and FRAMEWORKS[program].environment != "simplify":
            os.environ[PYTHON_VARIABLE] = str(python_of(program))
        for path in models_of(program):
            if names and not any(path.name.startswith(name) for name in names):
                continue
            for any_rows in (False, True) if path.stem == "mlp" else (False,):
                row, right = row_of(path, any_rows)
                print(row, flush=True)
                rows[key_of(row)] = row
                if not right:
                    wrong.append(path.name)
        os.environ.pop(PYTHON_VARIABLE, None)
    PAGE.write_text(HEAD + "\n".join(rows.values()) + "\n", encoding="utf-8")
    if wrong:
        sys.exit(f"wrong or refused: {', '.join(wrong)}")


if __name__ == "__main__":
    main(sys.argv[1:])
