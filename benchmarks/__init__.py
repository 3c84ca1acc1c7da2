# SPDX-License-Identifier: Apache-2.0
"""What tvmgo costs, beside tvm_ffi, ctypes, NumPy, bare C and plain Python, in the same run.

Each operation is a case in `cases`: for each rival a plain function that returns a callable, and
a target. Four readers of the cases:

- ``pytest benchmarks`` runs them under pytest-benchmark (`test_cases`), rival after rival, for work
  on one case: tables, saved runs, comparisons.
- ``python -m benchmarks`` (``make bench``) measures the rivals of a case in turns, round after
  round (`harness`), says which ratios have changed since the last release (`history`) and writes
  ``docs/reports/performance.md`` (`page`). Its ratios are the ones to quote: a neighbour that slows the
  machine down slows both sides.
- ``python -m benchmarks.networks`` (``make bench-models``) measures whole networks beside ONNX Runtime.
- ``python -m benchmarks.instructions --check`` (``make bench-check``) counts the instructions of
  the main cases and fails if one has grown.
"""

from pathlib import Path

BUILD = Path(__file__).parents[1] / "build" / "benchmarks"  # figures of the last run, pictures
