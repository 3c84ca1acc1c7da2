# SPDX-License-Identifier: Apache-2.0
"""What larger clusters would do: a model of cost, fitted to what one machine's cluster has shown."""

import numpy as np

CORES = 16  # of a node
LINK = 1.25e9  # bytes a second of a node: 10 Gbit/s
BLOCK = 128e6  # bytes, Ray's default
NODES = (10, 100, 1000)
ROWS = {"mlp": 1e9, "mobilenet": 1e8}


def fitted(speed, crowd):
    """Return for each model what a row costs, by least squares over what was measured.

    A run of n rows by a actors takes ``rows x per_row / a``, in which per_row is the time of a CPU on a row with all
    that Ray does there: the busy part is the predictor's, the rest Ray's.
    """
    costs = {}
    for name in dict.fromkeys(line["model"] for line in speed["lines"]):
        lines = [line for line in speed["lines"] if line["model"] == name]
        shares = np.array([[line["rows"] / line["actors"]] for line in lines])
        seconds = np.array([line["rows"] / line["rate"] for line in lines])
        (per_row,), *_ = np.linalg.lstsq(shares, seconds, rcond=None)
        costs[name] = {
            "per_row_us": float(per_row * 1e6),
            "kernel_us": float(np.mean([line["cpu_us"] for line in lines])),
            "worst": float(np.abs(shares[:, 0] * per_row / seconds - 1).max()),
            "bytes": lines[0]["bytes_in"],
            "start": float(np.mean([line["start_seconds"] for line in lines])),
        }
    each = crowd["actors"]
    memory = {
        "actor_mb": crowd["empty_pss_mb"] / each,
        "model_mb": (crowd["own_mb"] - crowd["empty_own_mb"]) / each / crowd["models"],
        "shared_mb": crowd["parameters_mb"],
    }
    return {"costs": costs, "memory": memory, "tasks": speed["tasks_per_second"]}


def predicted(fit):
    """Return a line for each model and number of nodes: rows a second by what limits them, and which limit is lowest."""
    lines = []
    for name, cost in fit["costs"].items():
        for nodes in NODES:
            limits = {
                "CPUs": nodes * CORES / cost["per_row_us"] * 1e6,
                "network": nodes * LINK / cost["bytes"],
                "driver": fit["tasks"] * BLOCK / cost["bytes"],
            }
            first = min(limits, key=limits.get)
            lines.append(
                {
                    "model": name,
                    "nodes": nodes,
                    **limits,
                    "first": first,
                    "rate": limits[first],
                    "seconds": cost["start"] + ROWS[name] / limits[first],
                    "of": limits[first] / limits["CPUs"],
                }
            )
    return lines
