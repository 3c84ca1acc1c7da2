# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of classic libraries: compiled ones, shared or each in a file of its own."""

import shutil
from pathlib import Path

import pytest

import tvmgo
from tests.classic.loading import load, load_classic
from tests.libraries import PatchedLibrary, compile_library, compile_with_blob

SOURCES = Path(__file__).parent / "sources"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Return a function that compiles one of the sources with some options, once."""
    directory = tmp_path_factory.mktemp("libraries")
    made = {}

    def compile_variant(source, *options):
        key = (source, *options)
        if key not in made:
            made[key] = compile_library(SOURCES / source, directory / f"{len(made)}.so", *options)
        return made[key]

    return compile_variant


@pytest.fixture
def variant(compiled, tmp_path):
    """Return a function that gives a file of its own of such a library."""

    def copy(source, *options):
        return shutil.copy2(compiled(source, *options), tmp_path)

    return copy


# ---------------------------------------------------------------- every kind of argument and result


@pytest.fixture(scope="session")
def every_path(tmp_path_factory):
    """The path of the library made of sources/every.c."""
    return compile_library(SOURCES / "every.c", tmp_path_factory.mktemp("classic") / "every.so")


@pytest.fixture(scope="session")
def every(every_path):
    return load_classic(every_path)


@pytest.fixture
def fresh_path(every_path, tmp_path):
    """A copy of the library that nobody has opened, for tests of what a library holds on to."""
    return shutil.copy2(every_path, tmp_path)


@pytest.fixture(scope="session")
def caller(tmp_path_factory):
    """The library of today that passes what Python cannot."""
    library = compile_library(SOURCES / "caller.c", tmp_path_factory.mktemp("caller") / "caller.so")
    return tvmgo.load_module(library)


# ---------------------------------------------------------------- libraries with modules embedded


@pytest.fixture
def compile_embedded(tmp_path):
    """Return a function that compiles one of the sources with a blob in it."""

    def compile_source(content, name="embedded", *options, source="embedded.c"):
        target = tmp_path / f"{name}.so"
        return compile_with_blob(SOURCES / source, content, target, *options)

    return compile_source


@pytest.fixture
def embed(compile_embedded):
    """Return a function that loads a library with that blob, each from a file of its own."""
    made = []

    def load_blob(content):
        made.append(content)
        return load(compile_embedded(content, f"embedded{len(made)}"))

    return load_blob


@pytest.fixture
def patched(compile_embedded):
    """Return a function that gives a library whose blob, this one, can be replaced."""
    return lambda content: PatchedLibrary(compile_embedded(content), content, load_classic)
