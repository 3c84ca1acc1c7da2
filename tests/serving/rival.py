# SPDX-License-Identifier: Apache-2.0
"""The same server with ONNX Runtime in tvmgo's place: ``python -m tests.serving.rival MODEL.onnx ...``"""

import sys
from concurrent.futures import ThreadPoolExecutor

import onnxruntime

from tvmgo.cli import main
from tvmgo.serving import metrics, served_model

TYPES = {"tensor(float)": "FP32"}


class Loaded:
    """A session, and as many threads to ask it from as a `tvmgo.Model` has."""

    def __init__(self, path, settings):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings.threads
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        self._names = [each.name for each in self._session.get_outputs()]
        self._pool = ThreadPoolExecutor(settings.concurrency)
        self.inputs, self.outputs = map(
            told, (self._session.get_inputs(), self._session.get_outputs())
        )
        self.datatypes = {each["name"]: each["datatype"] for each in self.inputs}
        self.output_datatypes = {each["name"]: each["datatype"] for each in self.outputs}

    def submit(self, inputs):
        return self._pool.submit(self._run, inputs)

    def _run(self, inputs):
        return dict(zip(self._names, self._session.run(self._names, inputs)))

    def close(self):
        self._pool.shutdown()


def told(tensors):
    return [
        {
            "name": each.name,
            "datatype": TYPES[each.type],
            "shape": [n if isinstance(n, int) else -1 for n in each.shape],
        }
        for each in tensors
    ]


if __name__ == "__main__":
    served_model.Loaded = Loaded
    metrics.note = lambda models: None  # a session tells nothing of itself
    sys.exit(main(sys.argv[1:]))
