# SPDX-License-Identifier: Apache-2.0
"""Exports models and runs them by runtimes of old releases, beside tvmgo, for each level of x86-64.

    python -m tests.old_runtimes [--versions 0.19 ...] [--random COUNT] [MODEL.onnx ...]

MobileNet, the models of the exporter's tests, random models, and those that are named. A version is
passed over whose Python is not found.
"""

import argparse
import shutil
import sys
from pathlib import Path

from examples.mobilenet import mobilenet_v1
from tests.compiler.models import ONNX_MODELS, lstm
from tests.old_compilers.environments import CACHE, COMPILERS, environment
from tests.old_runtimes.comparing import LEVELS, difference, export_with_inputs, run_by
from tests.random_models.model import RandomModel
from tvmgo.compiler import ExportError

FOLDER = CACHE / "old-runtimes"
OPERATORS = 6  # of a random model


def models(arguments):
    """Yield names, models and inputs, None for values that are made up."""
    yield "mobilenet_v1", mobilenet_v1(), None
    for network in (*ONNX_MODELS, lstm):
        yield network.__name__, *network()
    for seed in range(arguments.random):
        model = RandomModel(1000 + seed, OPERATORS)
        yield f"random-{seed}", model.model(), model.inputs
    for path in arguments.models:
        yield path.name, path, None


def exported(arguments):
    """Return the folders of all models that became graphs which old runtimes can run."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    folders = []
    for name, model, inputs in models(arguments):
        try:
            artifacts = export_with_inputs(model, FOLDER / name, inputs)
        except ExportError as error:
            print(f"{name}: {error}")
            continue
        foreign = artifacts.report.details.get("not for runtimes of TVM up to 0.20")
        if foreign:
            print(f"{name}: not for old runtimes: {foreign}")
        else:
            folders.append(FOLDER / name)
    return folders


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.old_runtimes")
    parser.add_argument("--versions", nargs="+", choices=COMPILERS, default=list(COMPILERS))
    parser.add_argument("--random", type=int, default=20, metavar="COUNT")
    parser.add_argument("models", nargs="*", type=Path)
    arguments = parser.parse_args()
    folders = exported(arguments)
    failures = 0
    for level in LEVELS:
        run_by("tvmgo", folders, level=level)
        for version in arguments.versions:
            python = environment(version)
            if python is None:
                print(f"TVM {version}: no Python {' or '.join(COMPILERS[version][0])}; passed over")
                continue
            run_by("tvm", folders, python, level)
            found = {folder.name: difference(folder, "tvmgo", "tvm") for folder in folders}
            wrong = {name: text for name, text in found.items() if text}
            print(f"{level}, TVM {version}: {len(found) - len(wrong)} models bit for bit the same")
            for name, text in wrong.items():
                print(f"    {name}: {text}")
            failures += len(wrong)
    sys.exit(1 if failures or not folders else 0)


main()
