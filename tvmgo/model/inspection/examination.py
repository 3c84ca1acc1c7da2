# SPDX-License-Identifier: Apache-2.0
"""Whether a model would run here, found before anything of it is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tvmgo._native import locate
from tvmgo.exceptions import TVMError
from tvmgo.model.files.manifest import Manifest
from tvmgo.model.files.model_files import ModelFiles, Pathlike, SizeFiles, find_files
from tvmgo.model.files.parts import FileChangedError, FilePart, again_if_replaced
from tvmgo.model.inspection.diagnosis import Check, Report
from tvmgo.model.inspection.library_checks import check_library
from tvmgo.model.inspection.outline import (
    MODEL_ID,
    Graph,
    inputs_and_outputs,
    read_graph,
    read_params,
)

COPY_AGAIN = "copy all files of the export again, or export anew"


@again_if_replaced
def doctor(path: Pathlike) -> Report:
    """Tell whether a model would run here, and if not, why and what to do.

    Nothing is opened as a library, and no code of the model runs.

    Parameters
    ----------
    path : path-like
        As for `Model.load`: a folder, a bundle, or a library.

    Returns
    -------
    tvmgo.model.Report
        Its `runs` is the verdict. Checked are, of each library: by which generation of TVM it was
        made, for which architecture and which instructions, and which kernels this processor would
        get; which libraries it needs; whether it has the functions that the graph calls. Of the
        files: that they can be read, their digests in ``model.json``, and that they are of one
        export. And whether tvmgo finds libtvm_runtime.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not clear which files are the model, or ``model.json`` is malformed.
    TypeError
        If `path` is no path.

    Notes
    -----
    Reads all files once. A library by others does not tell which instructions it uses.
    """
    files = find_files(path, None, None, None)
    checks = [check_runtime()]
    graphs: dict[str, Graph] = {}
    for size in files.sizes:
        if size.graph is not None:
            read = attempt(checks, size.graph, partial(read_graph, size.graph))
            if read is not None:
                graphs[size.graph.name] = read
    params = None
    if files.params is not None:
        params = attempt(checks, files.params, partial(read_params, files.params))
    checks += check_sums(files)
    if files.manifest is not None:
        checks += check_digests(files, files.manifest)
    checks += check_ids(files, graphs, params or {})
    found = [graphs.get(size.graph.name if size.graph else "") for size in files.sizes]
    for size, graph in zip(files.sizes, found):
        attempt(checks, size.library, partial(look_into, checks, size, graph))
    known = inputs_and_outputs(files, found[0], params or {})
    inputs, outputs = (None, None) if known is None else map(tuple, known)
    made = files.manifest.made if files.manifest else {}
    return Report(Path(files.place), tuple(checks), inputs, outputs, made)


def look_into(checks: list[Check], size: SizeFiles, graph: Graph | None) -> None:
    with size.library.as_file() as path:
        checks += check_library(Path(path), graph, size.graph is not None)


def attempt(checks: list[Check], part: FilePart, read: Callable[[], Any]) -> Any:
    """Return what `read` does, or note why it cannot, and return None."""
    try:
        return read()
    except FileChangedError:
        raise
    except TVMError as error:
        checks.append(Check(f"{part.name}: contents", False, str(error), COPY_AGAIN))
        return None


def check_runtime() -> Check:
    try:
        found = locate.load_if_found()
        reason = "not found"
    except TVMError as error:
        found, reason = False, str(error)
    where = locate.libraries().get("tvm_runtime") or "in this process"
    advice = "" if found else "`pip install apache-tvm` brings it"
    return Check("libtvm_runtime", found, where if found else reason, advice)


def check_sums(files: ModelFiles) -> Iterator[Check]:
    """See that what is in a bundle is what was put there."""
    try:
        for part in files.parts:
            part.check()
    except FileChangedError:
        raise
    except TVMError as error:
        yield Check(f"{files.name}: checksums", False, str(error), COPY_AGAIN)
    else:
        if files.parts[0].checksum is not None:
            found = f"{len(files.parts)} files are as they were put in"
            yield Check(f"{files.name}: checksums", True, found)


def check_digests(files: ModelFiles, manifest: Manifest) -> Iterator[Check]:
    changed = [
        part.name
        for part in files.parts
        if part.name in manifest.files and part.sha256() != manifest.files[part.name]
    ]
    untold = [part.name for part in files.parts if part.name not in manifest.files]
    if changed:
        found = f"{', '.join(changed)}: not as exported"
        yield Check("model.json: digests", False, found, COPY_AGAIN)
    elif untold:
        yield Check("model.json: digests", None, f"none of {', '.join(untold)}")
    else:
        yield Check("model.json: digests", True, f"{len(files.parts)} files are as exported")


def check_ids(
    files: ModelFiles, graphs: Mapping[str, Graph], params: Mapping[str, Any]
) -> Iterator[Check]:
    """See that graphs, parameters and manifest are of one export."""
    ids = {name: graph.model_id for name, graph in graphs.items()}
    told = {name: number for name, number in ids.items() if number is not None}
    if not told:
        return
    strange: list[str] = []
    if MODEL_ID in params:
        known = {int(number) for number in params[MODEL_ID].numpy().reshape(-1)}
        strange = [name for name, number in told.items() if number not in known]
    if files.manifest is not None and files.manifest.model_id != next(iter(told.values())):
        strange.append("model.json")
    numbers = ", ".join(f"{number:#018x}" for number in told.values())
    if strange:
        found = f"{', '.join(strange)}: of another export than the other files"
        yield Check("model ids", False, found, COPY_AGAIN)
    else:
        yield Check("model ids", True, numbers)
