# SPDX-License-Identifier: Apache-2.0
"""From a model to the files that `tvmgo.graph_executor` runs.

`export` writes ``deploy.so``, ``deploy.json`` and ``deploy.params``. Compilers are tools of their
own, which run in processes of their own: here neither ``tvm`` nor ``onnx`` is imported. What they
need comes by ``pip install "tvmgo[compiler]"``. Running the files needs none of it.

In the user's process: `exporter` checks what is asked for and puts the files in their place;
`sources` says which kinds of models there are; `attempts` gives the model to one compiler after
another, and `tuning` checks what of it is to be tuned; `environments` finds the Python that has a compiler, and `workers` is how to talk to it.

In the workers, each with a ``job.py``: `simplify` brings ONNX models into the normal form, which is
all that compilers have to know; `relax` compiles by apache-tvm; `graph` writes the files. The steps
of `relax.job`, one file each:

1. `relax.importing`: a model to Relax with fixed shapes
2. `relax.passes.pipeline`: to calls of fused kernels, by a list of stages
3. `relax.graph_builder`: to a graph of these calls
4. `graph.storage`: which values of the graph share memory
5. `relax.codegen.build`: kernels to a library
6. `graph.graph_json` and `graph.params`: the graph to text, its weights to a blob

`verify` runs what came out beside the original, whose results `simplify.truth` tells.

`artifacts` are the files, `report` tells how it went, `errors` what a failed step says.
"""

from tvmgo.compiler.artifacts import Artifacts
from tvmgo.compiler.exporter import export
from tvmgo.compiler.report import Report
from tvmgo.exceptions import ExportError

__all__ = ["Artifacts", "ExportError", "Report", "export"]
