# SPDX-License-Identifier: Apache-2.0
"""Writes docs/reports/cluster.md of the figures that the parts have left."""

import json

from tests.cluster import plan
from tests.helpers import CHECKOUT

PAGE = CHECKOUT / "docs" / "reports" / "cluster.md"
FIGURES = CHECKOUT / "docs" / "reports" / "cluster.json"

HEAD = """\
# A cluster

Made by `make test-cluster`: nodes of Ray are separate processes of `ray start` on one machine, each with an object
store of its own, and what they call CPUs are logical: they share this machine's. So figures on speed are those of one
machine, beside others measured in the same way; that things are right does not depend on it. How to use it:
[on a cluster](../guide/cluster.md).

"""
EXACT = """\
## Every answer

Rows are drawn from a pool, which a `Model` in the driver's process answers; every answer of the cluster is compared with
one of those, bit by bit, and every row must come once. Two actors on nodes of 2, 1 and 1 CPUs. *Killed* is SIGKILL, in
the middle: of an actor's process, or of all processes of a node. *Arrays* were given to models; *in the store* are those
that lay in the memory of the object store, to which they came from another process. *Copies* are those on the way
to kernels, counted by the predictor and the model. Actors whose answers nobody has seen are not counted.

| model | rows | killed | wrong | processes | batches | arrays | in the store | copies |
| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |
"""
CROWD = """\
## {models} models, {actors} actors

On two nodes of a CPU each, actors of 0.1 CPU, each with {models} MobileNets, no two of which are of one file.

| | actors alone | with their models |
| --- | ---: | ---: |
| threads of an actor | {threads_before} | {threads_after} |
| threads that run or wait for a CPU, of all actors, at most, while each answers | | {running} |
| memory, MB: resident, summed | {empty_rss_mb:,.0f} | {rss_mb:,.0f} |
| in proportion, where several share it | {empty_pss_mb:,.0f} | {pss_mb:,.0f} |
| of one process only | {empty_own_mb:,.0f} | {own_mb:,.0f} |

Models start no thread: an actor's kernels run on the thread that calls them, or on as many as its CPUs where it has
several. So what works are at most as many threads as CPUs where actors have whole ones, and one for each actor where
they have parts: here {actors}, and what Ray's own threads do now and then, {others} at most. The parameters,
{parameters_mb:.1f} MB a model, would be {all_mb:,.0f} MB if each actor had its own; they are in memory once,
{once_mb:,.0f} MB. What each model has of its own, mostly what it computes with, is {model_mb:.1f} MB.

"""
SERVICE = """\
## A service

Ray Serve with two replicas on two nodes, asked by 8 clients over HTTP, one question after the other; each answer must
be exactly that of one of the two models. Meanwhile is exchanged:

| what | requests | errors | by the first model | by the second | p50, ms | most, ms |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
"""
SPEED = """\
## Beside ONNX Runtime

The same dataset in the object store, which a run answers several times, the same class of actors, one thread each, with
`tvmgo.Model` or a session of ONNX Runtime in it; the two take turns, medians of {rounds} rounds, from the first batch on, when
all actors have started. *Ratio* is tvmgo's rows a second by
ONNX Runtime's, *CPU* the time of the calling thread in the predictor for each row, with its ratio, which other work on
the machine changes least. Load average {busy:.1f} on {cpus} CPUs when it began.

| model | actors | rows/s | ONNX Runtime's | ratio | CPU, us/row | theirs | ratio | busy | load, s | theirs |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""
PLAN = """\
## Larger clusters

A model of cost, fitted to the tables above by least squares: `seconds = start + rows x per row / actors`.

| model | a row on a CPU, us | of which the predictor | largest error of the fit | bytes in a row | start, s |
| --- | ---: | ---: | ---: | ---: | ---: |
{costs}

An actor takes {actor_mb:.0f} MB, a model {model_mb:.1f} MB in each and {shared_mb:.1f} MB in each machine; Ray's driver
passes {tasks:.0f} blocks a second to actors. What that gives for nodes of {cores} CPUs, a network of 10 Gbit/s each, all
data coming over it, and blocks of 128 MB; nobody has measured this:

| model | nodes | CPUs allow, rows/s | network | driver | the least | of the CPUs | {rows} |
| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: |
"""


def cells(*values):
    return "| " + " | ".join(map(str, values)) + " |\n"


def write(part, found):
    """Write the page anew with what a part has found; that of others is as it was."""
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    figures[part] = found
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    parts = [HEAD]
    exact = [*figures.get("mlp", ()), *figures.get("mobilenet", ())]
    if exact:
        parts.append(EXACT)
        names = ("model", "rows", "killed", "wrong", "processes", "batches", "arrays", "in_store", "copies")  # fmt: skip
        for line in exact:
            values = (line[name] for name in names)
            parts.append(cells(*(f"{n:,}" if isinstance(n, int) else n for n in values)))
        parts.append("\n")
    if "spark" in figures:
        for line in figures["spark"]:
            parts.append(
                f"Spark, {line['recipe'].rstrip(':')}: {line['rows']:,} rows, {line['wrong']} wrong. "
            )
        parts.append("\n\n")
    if "crowd" in figures:
        parts.append(crowd(figures["crowd"]))
    if "service" in figures:
        parts.append(SERVICE)
        for line in figures["service"]:
            parts.append(
                cells(line["what"], f"{line['requests']:,}", line["errors"], f"{line['first']:,}", f"{line['second']:,}",
                      f"{line['p50_ms']:.1f}", f"{line['most_ms']:.0f}")
            )  # fmt: skip
        parts.append("\n")
    if "speed" in figures:
        speed = figures["speed"]
        parts.append(SPEED.format(**speed))
        for line in speed["lines"]:
            parts.append(
                cells(line["model"], line["actors"], f"{line['rate']:,.0f}", f"{line['their_rate']:,.0f}",
                      f"{line['ratio']:.2f}", f"{line['cpu_us']:,.1f}", f"{line['their_cpu_us']:,.1f}",
                      f"{line['cpu_ratio']:.2f}", f"{line['busy']:.0%}", f"{line['load_seconds']:.2f}",
                      f"{line['their_load_seconds']:.2f}")
            )  # fmt: skip
        parts.append("\n")
    if "speed" in figures and "crowd" in figures:
        parts.append(larger(figures))
    text = "".join(parts).rstrip() + "\n"
    PAGE.write_text(text)


def crowd(found):
    return CROWD.format(
        **found,
        threads_after=found["threads_before"] + found["threads_more"],
        others=max(0, found["running"] - found["actors"]),
        all_mb=found["models"] * found["actors"] * found["parameters_mb"],
        once_mb=found["models"] * found["parameters_mb"],
        model_mb=(found["own_mb"] - found["empty_own_mb"]) / found["actors"] / found["models"],
    )


def larger(figures):
    fit = plan.fitted(figures["speed"], figures["crowd"])
    costs = "".join(
        cells(name, f"{cost['per_row_us']:,.1f}", f"{cost['kernel_us']:,.1f}", f"{cost['worst']:.0%}",
              f"{cost['bytes']:,}", f"{cost['start']:.1f}")
        for name, cost in fit["costs"].items()
    )  # fmt: skip
    rows = ", ".join(f"{count:.0e} rows of {name}" for name, count in plan.ROWS.items())
    text = PLAN.format(
        costs=costs.rstrip(), tasks=fit["tasks"], cores=plan.CORES, rows=f"seconds for {rows}", **fit["memory"]
    )  # fmt: skip
    for line in plan.predicted(fit):
        text += cells(
            line["model"], line["nodes"], f"{line['CPUs']:,.0f}", f"{line['network']:,.0f}", f"{line['driver']:,.0f}",
            line["first"], f"{line['of']:.0%}", f"{line['seconds']:,.0f}",
        )  # fmt: skip
    return text
