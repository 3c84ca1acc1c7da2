# SPDX-License-Identifier: Apache-2.0
"""Builds artifacts; a script for the interpreter of an old compiler's environment.

    python build.py FOLDER SHARD SHARDS [NAME ...]

writes every SHARDS-th case from the SHARD-th on, or those of these names, into FOLDER.
"""

import logging
import pathlib
import shutil
import sys
import time
import traceback
import warnings

from artifacts import Artifact
from cases import CASES, Missing


def main(folder, shard, shards, *names):
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    folder = pathlib.Path(folder)
    for name in list(CASES)[int(shard) :: int(shards)]:
        if names and name not in names:
            continue
        start = time.time()
        shutil.rmtree(str(folder / name), ignore_errors=True)
        artifact = Artifact(folder / name)
        try:
            CASES[name](artifact)
        except Missing as missing:
            artifact.about = dict(artifact.about, kind="missing", why=str(missing))
        except Exception:
            artifact.about = dict(artifact.about, kind="failed", why=traceback.format_exc())
        artifact.close()
        print(f"{name}: {artifact.about['kind']}, {time.time() - start:.1f} s", flush=True)


main(*sys.argv[1:])
