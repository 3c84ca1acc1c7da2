# SPDX-License-Identifier: Apache-2.0
"""The parts of `make test-cluster`, in the environment with Ray."""

import argparse
import importlib.util
import os
import warnings

from tests.cluster import crowd, exactness, page, service, speed
from tests.cluster.tables import MLP, MOBILENET

warnings.filterwarnings("ignore")


def measured_speed(arguments):
    busy = os.getloadavg()[0]
    return speed.run(arguments.rounds) | {"busy": busy, "cpus": os.cpu_count()}


def on_spark(_):
    if importlib.util.find_spec("pyspark") is None:
        return []
    from tests.cluster import spark

    return spark.run()


PARTS = {
    "mlp": lambda arguments: exactness.run(MLP, int(1_000_000 * arguments.scale)),
    "mobilenet": lambda arguments: exactness.run(MOBILENET, int(10_000 * arguments.scale)),
    "crowd": lambda _: crowd.run(),
    "service": lambda arguments: service.run(arguments.seconds),
    "spark": on_spark,
    "speed": measured_speed,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-speed", action="store_true")
    parser.add_argument("--only-speed", action="store_true")
    parser.add_argument("--only", choices=PARTS, help="one part")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the million rows")
    parser.add_argument(
        "--seconds", type=float, default=20, help="of load on the service, each time"
    )
    parser.add_argument("--rounds", type=int, default=speed.ROUNDS)
    arguments = parser.parse_args()
    only = arguments.only or ("speed" if arguments.only_speed else None)
    for name, part in PARTS.items():
        if only not in (None, name) or (arguments.no_speed and name == "speed"):
            continue
        print(f"== {name}", flush=True)
        page.write(name, part(arguments))


if __name__ == "__main__":
    main()
