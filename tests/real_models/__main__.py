# SPDX-License-Identifier: Apache-2.0
"""Collects real models, exports each by each compiler, and writes docs/reports/models.md.

    python -m tests.real_models [--compiler auto relay] [--only TEXT] [--remaining]

What was found is kept in the cache, a file for each model and compiler, so that what has changed can be
tried alone; the page has what all runs have found.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tests.real_models.catalogue import MODELS
from tests.real_models.collect import CACHE, collect
from tests.real_models.page import PAGE, SPEED, page

COMPILERS = ("auto", "relax", "relay")
LIMIT = 1800  # seconds for one model


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.real_models", description=__doc__)
    parser.add_argument("--compiler", nargs="*", default=["auto", "relay"])
    parser.add_argument("--only", metavar="TEXT", default="", help="models with TEXT in their name")
    parser.add_argument("--remaining", action="store_true", help="models that are not right yet")
    options = parser.parse_args()
    collect()
    for compiler in options.compiler:
        right = {
            name
            for name, found in found_by(compiler).items()
            if options.remaining and found["outcome"] == "right"
        }
        for model in MODELS:
            if options.only.lower() in model.name.lower() and model.name not in right:
                print(f"{compiler}: {model.name}: {line_of(try_one(model, compiler))}", flush=True)
    results = {compiler: found_by(compiler) for compiler in COMPILERS}
    _, *speed = PAGE.read_text().partition(SPEED)
    outcomes = page({compiler: found for compiler, found in results.items() if found})
    PAGE.write_text("".join([outcomes, *speed]))


def result_file(model, compiler: str) -> Path:
    return CACHE / "results" / compiler / f"{model.name}.json"


def try_one(model, compiler: str) -> dict:
    file = result_file(model, compiler)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.real_models.trial", model.name, compiler, str(file)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
    except subprocess.TimeoutExpired:
        last = [f"it took more than {LIMIT} s"]
    if not file.exists():
        file.write_text(json.dumps({"outcome": "failed", "reason": last[0]}))
    return json.loads(file.read_text())


def line_of(found: dict) -> str:
    return ", ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{value}"
        for key, value in found.items()
    )


def found_by(compiler: str) -> dict[str, dict]:
    files = {model.name: result_file(model, compiler) for model in MODELS}
    return {name: json.loads(file.read_text()) for name, file in files.items() if file.exists()}


main()
