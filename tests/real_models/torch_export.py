# SPDX-License-Identifier: Apache-2.0
"""Writes the networks of `torch_nets` as ONNX, by both of PyTorch's exporters.

    python torch_export.py DIRECTORY

Runs in an environment that has torch and neither tvmgo nor TVM.
"""

import sys
import warnings
from pathlib import Path

import torch
from torch_nets import NETS, settle

# The older exporter follows one run (TorchScript), the newer one reads the program (dynamo).
EXPORTERS = {"script": {"dynamo": False, "opset_version": 17}, "dynamo": {"dynamo": True}}


def main(directory):
    for name, (make, inputs) in NETS.items():
        for exporter, options in EXPORTERS.items():
            path = Path(directory, f"{name}.{exporter}.onnx")
            if path.exists():
                continue
            torch.manual_seed(0)
            net, values = settle(make()), inputs()
            torch.onnx.export(
                net,
                tuple(values.values()),
                path,
                input_names=list(values),
                external_data=False,
                **options,
            )
            print(path, flush=True)


warnings.simplefilter("ignore")
main(*sys.argv[1:])
