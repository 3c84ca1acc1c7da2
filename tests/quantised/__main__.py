# SPDX-License-Identifier: Apache-2.0
"""Exports every quantised form and writes docs/reports/quantised.md: ``python -m tests.quantised [WORD ...]``."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ["TVM_NUM_THREADS"] = "1"

import numpy as np
import onnxruntime

from tests.compiler.models import open_graph, read_graph
from tests.helpers import CHECKOUT, environment_of
from tvmgo.compiler import export
from tvmgo.exceptions import ExportError

ENVIRONMENT = CHECKOUT / ".cache" / "quantised"
PAGE = CHECKOUT / "docs" / "reports" / "quantised.md"
PACKAGES = (f"onnxruntime=={onnxruntime.__version__}", "onnx==1.23.2", "onnx_ir", "sympy")

HEAD = """\
# Quantised and half-precision models

Small models of one or a few operators in every form that ONNX Runtime's quantisers write, and in some by hand, exported
for this processor and run beside ONNX Runtime; made by `make quantised`, with {versions}. What is done to such models:
[exporting](../guide/deploy.md#exporting).

*Difference* is the largest one to ONNX Runtime without its optimisations, in parts of the largest number of the result; *its
own* is that of ONNX Runtime as it runs by default to the same. A model that is not right is refused by the export. *Products* says
in which arithmetic convolutions, matrix products and recurrent layers ran: with bytes, whose sums are whole numbers; with weights
that are short in memory and float32 in registers; or with float32. *Time* is in parts of ONNX Runtime's, on one thread and a
machine with other work; *size* is that of `deploy.params`, in parts of the model's weights in float32: more than 1 where the weights of
a convolution of floats are those of Winograd's algorithm.

| model | form | exported | difference | its own | products | time | size |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""

PRODUCTS = ("conv", "matmul", "lstm", "gru", "attention")
SHOWN = 160  # letters of a reason


def session_of(path, *, optimised):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def difference(results, expected):
    """Return the largest difference, in parts of the largest number of an output."""
    worst = 0.0
    for result, reference in zip(results, expected):
        exact = np.asarray(reference, np.float64)
        largest = np.abs(exact).max(initial=0) or 1.0
        worst = max(worst, float(np.abs(result - exact).max(initial=0) / largest))
    return worst


def arithmetic(files):
    """Count the products of a graph by what they were computed with."""
    graph = read_graph(files)
    dtypes, firsts = graph["attrs"]["dltype"][1], graph["node_row_ptr"]
    templates = {each.name: each.template for each in files.report.kernels}
    found = Counter()
    for node in graph["nodes"]:
        name = node["name"] if node["op"] == "null" else node["attrs"]["func_name"]
        if node["op"] == "null" or not any(each in name for each in PRODUCTS):
            continue
        short = [each for own, each in templates.items() if name.endswith(own)]
        read = [dtypes[firsts[at] + output] for at, output, *_ in node["inputs"]]
        weights = next(iter(read[1:]), "")
        if "narrow product" in short:
            found["short weights"] += 1
        elif weights in ("int32", "int16", "int8"):
            found["bytes"] += 1
        else:
            found["float32"] += 1
    return ", ".join(f"{count} {what}" for what, count in found.items())


def seconds(*functions):
    """Return the least time of each on this processor, in turns."""
    best = [np.inf] * len(functions)
    for _ in range(15):
        for i, function in enumerate(functions):
            start = time.process_time()
            for _ in range(20):
                function()
            best[i] = min(best[i], time.process_time() - start)
    return best


def row_of(folder):
    """Return the cells of a model, and whether it is right or refused."""
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    first = [about["kind"], about["form"]]

    def without(what, reason):
        reason = " ".join(str(reason).split()).replace("|", "\\|")[:SHOWN]
        return [*first, f"{what}: {reason}", "", "", "", "", ""], True

    if "failure" in about:
        return without("not quantised", about["failure"])
    path, x = folder / "model.onnx", np.load(folder / "x.npy")
    try:
        plain, optimised = (session_of(path, optimised=each) for each in (False, True))
        expected, usual = (each.run(None, {"x": x}) for each in (plain, optimised))
    except Exception as error:  # ONNX Runtime's classes have no common base
        return without("ONNX Runtime cannot run it", error)
    with tempfile.TemporaryDirectory() as target:
        try:
            files = export(path, target, target="native", verify=True, inputs={"x": x})
        except ExportError as error:
            return without("refused", error)[0], "differ" not in str(error)
        if files.report.format != "graph":
            return without(files.report.format, files.report.refusals)
        graph = open_graph(files)
        graph.set_input("x", x)
        graph.run()
        results = [graph.get_output(i).numpy() for i in range(graph.get_num_outputs())]
        mine, others = seconds(graph.run, lambda: optimised.run(None, {"x": x}))
        size = files.params.stat().st_size / about["floats"]
        cells = [
            *(files.report.compiler, f"{difference(results, expected):.0e}"),
            *(f"{difference(usual, expected):.0e}", arithmetic(files)),
            *(f"{mine / others:.2f}", f"{size:.2f}"),
        ]
    return [*first, *cells], files.report.verification.startswith("agrees")


def main(words):
    with tempfile.TemporaryDirectory() as work:
        module = "tests.quantised.quantising"
        subprocess.run(
            [environment_of(ENVIRONMENT, PACKAGES), "-m", module, work, *words],
            check=True,
            cwd=CHECKOUT,
        )
        rows, wrong = [], []
        for folder in sorted(each for each in Path(work).iterdir() if each.is_dir()):
            cells, right = row_of(folder)
            rows.append("| " + " | ".join(cells) + " |")
            print(rows[-1], flush=True)
            if not right:
                wrong.append(", ".join(cells[:2]))
        if not words:
            versions = Path(work, "versions").read_text(encoding="utf-8")
            text = HEAD.format(versions=versions) + "\n".join(rows) + "\n"
            PAGE.write_text(text, encoding="utf-8")
    if wrong:
        sys.exit(f"wrong: {'; '.join(wrong)}")


if __name__ == "__main__":
    main(sys.argv[1:])
