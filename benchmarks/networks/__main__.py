# SPDX-License-Identifier: Apache-2.0
"""Measure networks beside ONNX Runtime and write what docs/reports/models.md says of their speed.

Figures are kept in ``build/benchmarks/networks.json``, so that some networks can be measured anew; the page
has what all runs have found.
"""

import argparse
import json

import onnxruntime

from benchmarks import BUILD, machine
from benchmarks.cases.networks import CASES
from benchmarks.networks import page
from benchmarks.networks.catalogue import NETWORKS
from benchmarks.networks.layers import our_layers, their_layers
from benchmarks.networks.measuring import SECONDS, measure
from benchmarks.networks.prepared import prepare
from tests.real_models.page import PAGE, SPEED
from tvmgo.compiler import ExportError

STORED = BUILD / "networks.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks", description=__doc__)
    parser.add_argument(
        "--only", metavar="TEXT", default="", help="networks with TEXT in their name"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help="of measuring a network with so many threads (default: %(default)s)",
    )
    parser.add_argument("--dry", action="store_true", help="write nothing")
    options = parser.parse_args()
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    for network in NETWORKS:
        if options.only.lower() not in network.name.lower():
            continue
        try:
            figure = stored[network.name] = measured(network.name, options.seconds)
        except (AssertionError, ExportError) as error:
            print(f"{network.name}: {error}", flush=True)
            continue
        ratios = {threads: figure[threads]["ratios"] for threads in ("1", "2")}
        print(f"{network.name}: {json.dumps(ratios)}", flush=True)
        if not options.dry:
            STORED.parent.mkdir(parents=True, exist_ok=True)
            STORED.write_text(json.dumps(stored, indent=1))
    if options.dry:
        return
    figures = {network.name: stored[network.name] for network in NETWORKS if network.name in stored}
    outcomes = PAGE.read_text().partition(SPEED)[0]
    PAGE.write_text(outcomes + SPEED + page.section(figures))
    page.draw(figures, BUILD / "networks.svg")


def measured(name: str, seconds: float) -> dict:
    """Return all figures of a network."""
    threads = (1, 2)
    cases = [case for case in CASES if case.name == name]
    prepared = prepare(name)
    return {
        **{str(count): measure(case, count, seconds) for count, case in zip(threads, cases)},
        "export": prepared.seconds,
        "layers": [our_layers(prepared), their_layers(prepared)],
        "versions": {**machine.describe_versions(), "onnxruntime": onnxruntime.__version__},
    }


if __name__ == "__main__":
    main()
