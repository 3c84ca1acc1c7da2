# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.random_models``: random models by the thousand, from a number of today's.

Says what is refused and what is wrong, with the number that makes the model again: ``--first NUMBER
--count 1 --show``.
"""

import argparse
import sys
import time
from collections import Counter

import numpy as np
import onnx

from tests.random_models.checking import check, players
from tests.random_models.model import RandomModel
from tvmgo.exceptions import ExportError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.random_models", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="models (default: %(default)s)")
    parser.add_argument(
        "--clones",
        type=int,
        default=300,
        help="how many of them have kernels for each level; others are for this machine alone",
    )
    parser.add_argument("--first", type=int, help="the first model's number (default: a new one)")
    parser.add_argument("--show", action="store_true", help="print the models")
    options = parser.parse_args()
    first = options.first
    if first is None:
        first = int(np.random.SeedSequence().generate_state(1)[0])
    print(f"{options.count} models from --first {first}", flush=True)
    operators: Counter[str] = Counter()
    failed, start = 0, time.monotonic()
    with players() as playing:
        for seed in range(first, first + options.count):
            model = RandomModel(seed)
            operators.update(node.op_type for node in model.nodes)
            if options.show:
                print(onnx.printer.to_text(model.model()))
            try:
                if seed < first + options.clones:
                    check(model, playing)
                else:
                    check(model, playing[-1:], "native")
            except (AssertionError, ExportError) as error:
                failed += 1
                names = ", ".join(node.op_type for node in model.nodes)
                print(f"{seed}: {type(error).__name__}: {error} ({names})", flush=True)
    print(
        f"{options.count} models of {operators.total()} operators of {len(operators)} kinds in "
        f"{time.monotonic() - start:.0f} s: {failed} failed"
    )
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
