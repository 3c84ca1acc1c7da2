# SPDX-License-Identifier: Apache-2.0
"""Compile an ONNX model into the three files a service deploys.

python examples/export_model.py MODEL.onnx DIRECTORY
"""

import argparse

from tvmgo.compiler import export


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="MODEL.onnx")
    parser.add_argument("directory", metavar="DIRECTORY")
    parser.add_argument("--target", help="such as native, or llvm -mcpu=x86-64-v3")
    arguments = parser.parse_args()
    files = export(
        arguments.model,
        arguments.directory,
        target=arguments.target,
        progress=lambda line: print("  ", line, flush=True),
    )
    for path in (files.library, files.graph, files.params):
        print(f"   {path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
