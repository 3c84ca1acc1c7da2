# SPDX-License-Identifier: Apache-2.0
"""Properties of modules in classic libraries: what was written arrives, and what was changed does no
harm.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tvmgo
from tests.blobs import LIBRARY, constant_loader, import_tree, module_blob, number
from tests.classic.loading import load_classic
from tests.libraries import PatchedLibrary, compile_with_blob
from tests.strategies import ARRAYS, NAMES, quick

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")

SOURCES = Path(__file__).parent / "sources"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    content = module_blob(("x" * 6000, b""))
    target = tmp_path_factory.mktemp("properties") / "embedded.so"
    path = compile_with_blob(SOURCES / "embedded.c", content, target)
    return PatchedLibrary(path, content, load_classic)


@st.composite
def trees(draw):
    """The imports of each module; only later ones, so that no module imports itself."""
    count = draw(st.integers(1, 6))
    return [
        draw(st.lists(st.integers(i + 1, count), unique=True, max_size=3)) for i in range(count)
    ]


@quick
@given(trees(), st.dictionaries(NAMES, ARRAYS, max_size=4))
def test_tree_of_modules_arrives_as_it_was_written(library, imports, values):
    imports = [*imports, []]  # the library itself is the last
    entries = [("metadata_module", b"")] * (len(imports) - 2)
    rows = np.cumsum([0, *map(len, imports)]).tolist()
    root = library.load(
        module_blob(
            ("const_loader", constant_loader(values, {})),
            *entries,
            LIBRARY,
            import_tree(rows, sum(imports, [])),
        )
    )

    def check(module, index):
        kinds = ["const_loader", *["metadata_module"] * (len(imports) - 2), "classic_library"]
        assert module.kind == kinds[index]
        assert len(module.imports) == len(imports[index])
        for imported, expected in zip(module.imports, imports[index], strict=True):
            check(imported, expected)

    check(root, 0)
    arrived = root["get_const_var_ndarray"]()
    assert arrived.keys() == values.keys()
    for name, value in values.items():
        np.testing.assert_array_equal(np.asarray(arrived[name]), value)


@quick
@given(st.data())
def test_tree_of_modules_with_any_number_replaced_is_refused_or_works(library, data):
    content = module_blob(
        ("metadata_module", b""),
        ("const_loader", constant_loader({"k": np.ones(2)}, {"f": ["k"]})),
        LIBRARY,
        import_tree([0, 2, 3, 3], [1, 2, 2]),
    )
    place = data.draw(st.integers(0, len(content) - 8))
    new = data.draw(st.integers(0, 2**64 - 1) | st.integers(0, 300))
    try:
        library.load(content[:place] + number(new) + content[place + 8 :])
    except tvmgo.TVMError:
        pass
