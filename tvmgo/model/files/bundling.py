# SPDX-License-Identifier: Apache-2.0
"""A bundle of a model that is there."""

from __future__ import annotations

from pathlib import Path

from tvmgo.exceptions import TVMTypeError, TVMValueError
from tvmgo.model.files.bundles import ENDING, is_bundle_name, write_bundle
from tvmgo.model.files.model_files import Pathlike, find_files
from tvmgo.model.files.parts import again_if_replaced


@again_if_replaced
def bundle(path: Pathlike, target: Pathlike) -> Path:
    """Put the files of a model into one, which `Model.load` takes.

    Parameters
    ----------
    path : path-like
        As for `Model.load`: a folder, by whichever TVM; a library that has its graph inside; or a
        bundle, such as one that another program has made, to have it anew.
    target : path-like
        The file to write, ``NAME.tvmgo``. What is there is replaced in one step when all is
        written, and stays if that fails; programs that have the old one open keep it.

    Returns
    -------
    pathlib.Path
        `target`.

    Raises
    ------
    ValueError
        If `path` is no model, if one of its files is not the one that was exported (by its digest
        in ``model.json``), or if `target` has another ending or is a folder.
    FileNotFoundError, OSError
        If there is no such file, or `target` cannot be written.
    TypeError
        If one of them is no path.

    Notes
    -----
    A bundle is an uncompressed zip archive, the files in it as they were, each at a multiple of
    4,096 bytes: any unzip makes a folder of it again. The same files give the same bundle. Files of
    the folder that do not belong to the model are left out.
    """
    target = checked_target(target)
    files = find_files(path, None, None, None)
    parts = [] if files.manifest_file is None else [files.manifest_file]
    parts += sorted(files.parts, key=lambda part: part is files.params)  # these last
    write_bundle(target, parts, files.manifest.files if files.manifest else {})
    return target


def checked_target(target: Pathlike) -> Path:
    """Return the path of a bundle to be written.

    Raises
    ------
    TVMValueError, TVMTypeError
        If it cannot be one.
    """
    try:
        path = Path(target)
    except TypeError:
        raise TVMTypeError(f"target: expected a path, got {type(target).__name__}") from None
    if not is_bundle_name(path):
        raise TVMValueError(f"target: expected a name that ends with {ENDING!r}, got {path.name!r}")
    if path.is_dir():
        raise TVMValueError(f"target: {path} is a folder, expected a file")
    return path
