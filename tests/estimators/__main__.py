# SPDX-License-Identifier: Apache-2.0
"""Exports every estimator and writes docs/reports/estimators.md: ``python -m tests.estimators [NAME ...]``."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime

from tests.compiler.models import run
from tests.helpers import CHECKOUT, environment_of
from tvmgo.compiler import export
from tvmgo.exceptions import ExportError

ENVIRONMENT = CHECKOUT / ".cache" / "estimators"
PAGE = CHECKOUT / "docs" / "reports" / "estimators.md"
# The converters write attributes that later releases of onnx and protobuf refuse.
PACKAGES = (
    *("scikit-learn", "skl2onnx", "lightgbm", "onnxmltools"),
    "packaging",  # which onnxmltools needs and does not ask for
    *("onnx==1.17.0", "protobuf<5"),
)

HEAD = """\
# Estimators of scikit-learn and LightGBM

Each was fitted to a few hundred rows, converted by skl2onnx or onnxmltools, exported with 100 rows, and run beside ONNX
Runtime and the estimator itself; made by `make test-frameworks`, with {versions}. How such models are exported:
[exporting](../guide/deploy.md#exporting).

*ONNX Runtime* is the largest difference to its results, in parts of the largest number of an output; *estimator* is that
to what the estimator says, which ONNX Runtime's results have as well. Labels are places where they are strings, and in
*labels* is how many of 100 rows have the estimator's. What the converters or ONNX Runtime refuse has no numbers.

| estimator | input | exported as | ONNX Runtime | estimator | labels |
| --- | --- | --- | --- | --- | --- |
"""


def results_of(session, x):
    """Return what ONNX Runtime says, maps as matrices."""
    found = []
    for value in session.run(None, {"x": x}):
        if isinstance(value, list):
            value = np.array([[row[key] for key in value[0]] for row in value])
        found.append(value)
    return found


def difference(result, expected):
    """Return the largest difference, in parts of the largest number."""
    expected = np.asarray(expected, np.float64).reshape(result.shape)
    both = np.isfinite(expected) & np.isfinite(result)
    if not (np.isfinite(expected) == np.isfinite(result)).all():
        return np.inf
    largest = np.abs(expected[both]).max(initial=0) or 1.0
    return float(np.abs(result[both] - expected[both]).max(initial=0) / largest)


def is_label(value):
    return value.dtype.kind in "iuOUS" and value.ndim == 1


def places(labels, names):
    return np.array([names.index(label) for label in labels])


def without_numbers(name, dtype, what, reason):
    """Return the row of a model that nobody compares."""
    reason = " ".join(reason.split()).replace("|", "\\|").rstrip(",")
    return f"| {name} | {dtype} | {what}: {reason[:250]} | | | |", True


def row_of(folder):
    """Return the row of a model, and whether it is not wrong."""
    name = (folder / "name").read_text(encoding="utf-8")
    dtype = folder.name.split("_")[1]
    failure = folder / "failure"
    if failure.exists():
        return without_numbers(name, dtype, "not converted", failure.read_text(encoding="utf-8"))
    said = dict(np.load(folder / "said.npz", allow_pickle=True))
    x = said["x"]
    try:
        session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime's classes have no common base
        reason = str(error).rpartition("failed:")[2].rpartition(" : ")[2]
        return without_numbers(name, dtype, "ONNX Runtime cannot load it", reason)
    expected = results_of(session, x)
    with tempfile.TemporaryDirectory() as target:
        try:
            files = export(
                folder / "model.onnx", target, target="native", shapes={"x": x.shape}, verify=True
            )
        except ExportError as error:
            return without_numbers(name, x.dtype, "refused", str(error))
        report = files.report
        if report.format != "graph":
            return without_numbers(name, x.dtype, report.format, str(report.refusals))
        results = run(files, {"x": x})
        template = any(each.template == "trees" for each in report.kernels)
        form = "graph, with the kernel for trees" if template else "graph"
    to_runtime, to_estimator, labels = 0.0, 0.0, ""
    for i, (result, other) in enumerate(zip(results, expected)):
        own = said.get(f"y{i}")
        if is_label(other):
            if other.dtype.kind in "OUS":
                names = sorted(set(map(str, said["y0"])))
                other, own = places(other, names), places(map(str, own), names)
            to_runtime = max(to_runtime, 0.0 if (result == other).all() else np.inf)
            labels = str(int((result == own).sum())) if own is not None else ""
            continue
        to_runtime = max(to_runtime, difference(result, other))
        if own is not None:
            to_estimator = max(to_estimator, difference(result, own))
    cells = (name, x.dtype, form, f"{to_runtime:.0e}", f"{to_estimator:.0e}", labels)
    return "| " + " | ".join(map(str, cells)) + " |", to_runtime < 1e-4


def main(names):
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        subprocess.run(
            [environment_of(ENVIRONMENT, PACKAGES), Path(__file__).with_name("fitting.py"), folder],
            check=True,
        )
        versions = (folder / "versions").read_text(encoding="utf-8")
        rows, wrong = [], []
        for each in sorted(folder.glob("*_*")):
            name = (each / "name").read_text(encoding="utf-8")
            if names and not any(name.startswith(wanted) for wanted in names):
                continue
            row, right = row_of(each)
            print(row, flush=True)
            rows.append(row)
            if not right:
                wrong.append(f"{name}, {each.name}")
    if not names:
        PAGE.write_text(HEAD.format(versions=versions) + "\n".join(rows) + "\n", encoding="utf-8")
    if wrong:
        sys.exit(f"wrong: {', '.join(wrong)}")


if __name__ == "__main__":
    main(sys.argv[1:])
