# SPDX-License-Identifier: Apache-2.0
"""What `import tvmgo` shows, and where its classes and modules say they are."""

import importlib
import inspect
from pathlib import Path

import pytest

import tvmgo
from tests.helpers import output_of

PACKAGE = Path(tvmgo.__file__).parent
PUBLIC = [name for name in tvmgo.__all__ if not name.startswith("__")]
# Modules whose public names users take from there.
PLACES = [tvmgo, tvmgo.graph_executor, tvmgo.debug_executor]
CLASSES = {
    f"{place.__name__}.{name}": (place, name)
    for place in PLACES
    for name in place.__all__
    if inspect.isclass(getattr(place, name))
}


def test_dir_shows_the_public_names_and_no_others():
    shown = output_of("import tvmgo; print(*[x for x in dir(tvmgo) if not x.startswith('_')])")
    assert sorted(shown.split()) == sorted(PUBLIC)


def test_model_is_there_after_the_import():
    assert (
        output_of("import tvmgo; print(tvmgo.model.TensorShapeError.__name__)")
        == "TensorShapeError\n"
    )


def test_every_public_name_is_listed_once():
    assert len(set(tvmgo.__all__)) == len(tvmgo.__all__)


@pytest.mark.parametrize("name", [name for name in PUBLIC if callable(getattr(tvmgo, name))])
def test_no_callable_hides_a_module(name):
    assert not (PACKAGE / name).exists()
    assert not list(PACKAGE.glob(f"{name}.*"))


@pytest.mark.parametrize(("place", "name"), CLASSES.values(), ids=CLASSES)
def test_class_says_where_users_find_it(place, name):
    cls = getattr(place, name)
    assert cls.__module__ in [module.__name__ for module in PLACES]
    assert getattr(importlib.import_module(cls.__module__), cls.__name__) is cls


def test_missing_module_of_the_binding_is_an_import_error():
    with pytest.raises(ImportError):
        importlib.import_module("tvmgo._core.missing")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("tvmgo.missing")


def test_modules_of_the_binding_share_a_library():
    assert tvmgo._core.array.__file__ == tvmgo._core.function.__file__
