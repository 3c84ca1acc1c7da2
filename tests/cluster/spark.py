# SPDX-License-Identifier: Apache-2.0
"""The recipe of docs/guide/cluster.md for Spark, run on a cluster of one machine with two Python workers."""

import os
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.cluster.tables import MLP, place


def run(count=20_000):
    """Return what came of it."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession
    from pyspark.sql.functions import array, rand

    from tvmgo.batch import Predictor

    pool, truth = MLP.rows(), MLP.truth()
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "2656")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    try:
        small = spark.range(3).select("id", array(rand(), rand()).alias("x"))
        with pytest.raises(Exception, match=r"column 'x' for input 'x': expected rows of \[784\]"):
            by_arrow(small, Predictor(MLP.path)).collect()

        def fill(batches):
            for batch in batches:
                yield batch.assign(x=list(pool[place(MLP, batch["id"].to_numpy())]))

        table = spark.range(count).mapInPandas(fill, "id long, x array<float>")
        lines = []
        for recipe in (by_arrow, by_pandas):
            wrong = seen = 0
            for row in recipe(table, Predictor(MLP.path)).toLocalIterator():
                seen += 1
                wrong += (np.float32(row.y) != truth[place(MLP, row.id)]).any()
            assert (seen, wrong) == (count, 0), (seen, wrong)
            lines.append({"recipe": recipe.__doc__.split()[0], "rows": seen, "wrong": int(wrong)})
        return lines
    finally:
        spark.stop()


def by_arrow(table, predictor):
    """mapInArrow: record batches come as they are."""

    def answers(batches):
        for batch in batches:
            found = predictor(batch)
            y = found["y"].combine_chunks().storage.cast(pa.list_(pa.float32()))
            yield from found.set_column(1, "y", y).to_batches()

    return table.mapInArrow(answers, "id long, y array<float>")


def by_pandas(table, predictor):
    """mapInPandas: frames, as dicts of columns."""

    def answers(frames):
        for frame in frames:
            found = predictor({name: frame[name].to_numpy() for name in frame})
            yield pd.DataFrame({"id": found["id"], "y": list(found["y"])})

    return table.mapInPandas(answers, "id long, y array<float>")
