# SPDX-License-Identifier: Apache-2.0
"""What the files of an exported model are called."""

from pathlib import Path

LIBRARY = "deploy.so"
GRAPH = "deploy.json"
PARAMS = "deploy.params"


def graph_files(directory: Path) -> tuple[Path, Path, Path]:
    """Return the paths of library, graph and parameters."""
    return directory / LIBRARY, directory / GRAPH, directory / PARAMS
