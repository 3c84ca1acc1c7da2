# SPDX-License-Identifier: Apache-2.0
"""From a model to the files that `tvmgo.graph_executor` runs.

`export` writes ``deploy.so``, ``deploy.json`` and ``deploy.params``. It needs apache-tvm and, for
ONNX models, onnx and onnxruntime: ``pip install "tvmgo[compiler]"``. Running the files needs none.

`exporter` takes these steps in this order, one file each:

1. `relax.importing.importers`: any supported model to Relax with fixed shapes; ONNX models come in
   the normal form that `simplify` gives them
2. `relax.passes.pipeline`: to calls of fused kernels, by a list of stages
3. `relax.graph_builder`: to a graph of these calls
4. `graph.storage`: which values of the graph share memory
5. `relax.codegen.build`: kernels to a library
6. `graph.graph_json` and `graph.params`: the graph to text, its weights to a blob

`simplify` works on ONNX models and knows no compiler, `relax` has what works on TVM's programs,
`graph` what writes the files. `artifacts` are the files, `errors` what a failed step says.
"""

from tvmgo.exceptions import ExportError, TVMImportError

try:
    from tvmgo.compiler.artifacts import Artifacts
    from tvmgo.compiler.exporter import export
except ModuleNotFoundError as error:
    if error.name != "tvm":
        raise
    raise TVMImportError(
        'tvmgo.compiler needs apache-tvm: pip install "tvmgo[compiler]"'
    ) from error

__all__ = ["Artifacts", "ExportError", "export"]
