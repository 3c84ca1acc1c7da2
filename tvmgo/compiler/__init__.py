# SPDX-License-Identifier: Apache-2.0
"""From a model to the files that `tvmgo.graph_executor` runs.

`export` writes ``deploy.so``, ``deploy.json`` and ``deploy.params``. It needs apache-tvm and, for
ONNX models, onnx: ``pip install "tvmgo[compiler]"``. Running the files needs neither.

One step, one file, in this order: `frontend` (to Relax with fixed shapes; ONNX by `onnx_importer`),
`pipeline` (to calls of fused kernels; `replace` comes first in it), `lower` (to a `graph`),
`storage` (which values share memory), `build` (kernels to a library), `params` (weights to a blob);
`deploy` joins them.
"""

from tvmgo.compiler.errors import ExportError

try:
    from tvmgo.compiler.deploy import Artifacts, export
except ModuleNotFoundError as error:
    if error.name != "tvm":
        raise
    raise ImportError('tvmgo.compiler needs apache-tvm: pip install "tvmgo[compiler]"') from error

__all__ = ["Artifacts", "ExportError", "export"]
