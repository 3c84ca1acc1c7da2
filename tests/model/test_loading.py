# SPDX-License-Identifier: Apache-2.0
"""Which files become a model, and what is shared among models of the same files."""

import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob
from tests.graphs import document, op, var
from tests.helpers import in_threads, output_of
from tests.model.conftest import PREFIX
from tvmgo import Model
from tvmgo.model import ModelClosedError
from tvmgo.model.files.model_files import find_files

X = np.array([1.0, -2.0], "float32")


@pytest.fixture
def folder(write_one):
    return write_one("double")


def test_a_folder_of_any_names(folder):
    for old, new in (("so", "net.so"), ("json", "graph.json"), ("params", "net.params")):
        (folder / f"deploy.{old}").rename(folder / new)
    (folder / "recording.json").write_text("{}")
    (folder / "notes.txt").write_text("")
    assert Model.load(folder)(X).tolist() == [2, -4]
    assert Model.load(str(folder))(X).tolist() == [2, -4]


def test_named_files(folder):
    files = {
        name: folder / f"deploy.{end}"
        for name, end in zip(("library", "graph", "params"), ("so", "json", "params"))
    }
    assert Model.load(**files)(X).tolist() == [2, -4]
    del files["params"]
    assert Model.load(**files)(X).tolist() == [2, -4]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda folder: (folder / "deploy.so").unlink(), "expected a folder with a library"),
        (
            lambda folder: shutil.copy(folder / "deploy.so", folder / "b.so"),
            "one library .*b.so, deploy.so; name the files",
        ),
        (
            lambda folder: shutil.copy(folder / "deploy.json", folder / "b.json"),
            "one graph .*b.json, deploy.json",
        ),
        (
            lambda folder: (folder / "deploy.json").unlink(),
            "expected a graph .* beside deploy.params",
        ),
        (lambda folder: (folder / "deploy.json").write_text("{"), "JSON"),
        (lambda folder: (folder / "deploy.params").write_bytes(b"1234"), "param"),
        (
            lambda folder: (folder / "model.json").write_text("{"),
            "model.json: not a model's manifest",
        ),
        (lambda folder: (folder / "model.json").write_text("[]"), "expected an object, got list"),
        (
            lambda folder: (folder / "model.json").write_text('{"format": 9}'),
            "expected format 1, got 9; another version",
        ),
        (
            lambda folder: (folder / "model.json").write_text('{"format": 1}'),
            "sizes: expected list, got None",
        ),
    ],
)
def test_folders_that_are_no_model(folder, change, text):
    change(folder)
    with pytest.raises(ValueError, match=text) as caught:
        Model.load(folder)
    assert isinstance(caught.value, tvmgo.TVMError)


def test_arguments_that_make_no_sense(folder):
    library = folder / "deploy.so"
    cases = [
        (dict(path=folder / "nothing"), FileNotFoundError, "path: there is no file"),
        (dict(path=3), TypeError, "path: expected a path, got int"),
        (dict(), TypeError, "path: expected a path, or library=...; got neither"),
        (dict(path=folder, library=library), TypeError, "path: expected it alone"),
        (dict(library=library, params=library), TypeError, "graph: expected a path"),
        (dict(path=library), ValueError, "neither a graph inside nor a program"),
        (
            dict(path=folder / "deploy.json"),
            ValueError,
            "expected a folder, a bundle .* or a library",
        ),
        (dict(path=folder, concurrency=0), ValueError, "concurrency: expected 1 or more, got 0"),
        (dict(path=folder, concurrency=2**70), ValueError, "concurrency: expected less than 2"),
        (dict(path=folder, threads=1.5), TypeError, "threads: expected an int, got float"),
        (dict(path=folder, device="abacus"), ValueError, "abacus"),
    ]
    for arguments, kind, text in cases:
        with pytest.raises(kind, match=text):
            Model.load(**arguments)


def test_threads_times_concurrency_is_not_more_than_the_cpus(folder):
    cpus = len(os.sched_getaffinity(0))
    given = [{}, {"threads": 1}, {"concurrency": 1}, {"threads": 2}, {"concurrency": 3}]
    for arguments in given:
        with Model.load(folder, **arguments) as model:
            assert model.concurrency * model.threads <= max(cpus, *arguments.values(), 1)
            assert all(getattr(model, name) == value for name, value in arguments.items())
    with Model.load(folder, concurrency=7, threads=5) as model:
        assert (model.concurrency, model.threads) == (7, 5)


def test_models_of_the_same_files_share_their_parameters(two_inputs):
    one, two = Model.load(two_inputs), Model.load(two_inputs, concurrency=5)
    assert one._serving.engine is two._serving.engine
    os.utime(two_inputs / "deploy.params", ns=(1, 1))
    assert Model.load(two_inputs)._serving.engine is not one._serving.engine


def test_a_second_model_takes_no_memory_for_parameters(write):
    size = 1_000_000
    nodes = [
        var("x", (size,)),
        var("k", (size,)),
        op("add", ["x", "k"], (size,), name="y", prefix=PREFIX),
    ]
    folder = write(nodes, ["y"], {"k": np.ones(size, "float32")})
    with Model.load(folder) as model:
        assert model.memory() == {"parameters": 4 * size, "states": 0}
        model(np.zeros(size, "float32"))
        assert model.memory()["parameters"] == 4 * size
        assert model.memory()["states"] == 8 * size


def test_closed(folder):
    with Model.load(folder) as model:
        assert model(X).tolist() == [2, -4]
    for call in (
        lambda: model(X),
        lambda: model.inputs,
        lambda: model.submit({"x": X}),
        model.stats,
        model.reload,
    ):
        with pytest.raises(ModelClosedError, match="the model is closed"):
            call()
    assert "closed" in repr(model)
    model.close()


def test_reload(folder, write_one):
    with Model.load(folder) as model:
        assert model(X).tolist() == [2, -4]
        write_one("nap")
        assert model(X).tolist() == [2, -4]
        model.reload()
        assert model(X).tolist() == [-1, 2]
        (folder / "deploy.json").write_text("{}")
        with pytest.raises(ValueError):
            model.reload()
        assert model(X).tolist() == [-1, 2]


def test_reload_while_requests_run(folder, write_one, operators):
    write_one("wait")
    operators.gate.clear()
    with Model.load(folder) as model:
        late = model.submit({"x": X})
        while operators.running == 0:
            assert not late.done()
        write_one("double")
        model.reload()
        assert model(X).tolist() == [2, -4]
        operators.gate.set()
        assert late.result(20)["y"].tolist() == [1, -2]


def test_pickle(folder):
    with Model.load(folder, concurrency=3) as model:
        text = pickle.dumps(model)
        with pickle.loads(text) as again:
            assert again(X).tolist() == [2, -4]
            assert again.concurrency == 3
            assert pickle.loads(text) is again
    (folder / "deploy.params").write_bytes(params_blob([("x", np.zeros(2, "float32"))]))
    with pytest.raises(ValueError, match="changed since the model was pickled"):
        pickle.loads(text)


def test_pickle_of_files_that_have_changed(folder):
    with Model.load(folder) as model:
        (folder / "deploy.params").write_bytes(params_blob([("x", np.zeros(2, "float32"))]))
        with pytest.raises(tvmgo.TVMError, match="was replaced or written to"):
            pickle.dumps(model)
        model.reload()
        pickle.dumps(model)


def test_threads_that_unpickle_get_one_model(folder):
    with Model.load(folder) as model:
        text = pickle.dumps(model)
    models = in_threads(lambda number: pickle.loads(text), 8)
    assert len(set(map(id, models))) == 1
    models[0].close()
    with pickle.loads(text) as another:
        assert another is not models[0]


def test_warmup_makes_all_states(two_inputs):
    with Model.load(two_inputs, concurrency=3) as model:
        model.warmup()
        assert len(model._serving.states.states) == 3
        assert model.stats().requests == 3
        assert all(state.owner == 0 for state in model._serving.states.states)


def test_stats(two_inputs):
    with Model.load(two_inputs) as model:
        assert model.stats().latency == {}
        for _ in range(10):
            model([1, 2, 3], [4, 5, 6])
        stats = model.stats()
        assert (stats.requests, stats.failed, stats.running, stats.waiting, stats.queued) == (
            10,
            0,
            0,
            0,
            0,
        )
        assert stats.copies >= 20  # of lists
        times = [stats.latency[name] for name in ("p50", "p90", "p99", "max")]
        assert times[0] > 0 and times == sorted(times)


def test_manifest_names_inputs_that_the_graph_has_not(folder):
    tensor = {"name": "x", "shape": [2], "dtype": "float32"}
    manifest = {
        "format": 1,
        "model_id": 5,
        "inputs": [{**tensor, "name": "unused"}, tensor],
        "outputs": [{**tensor, "name": "answer"}],
        "rows_independent": False,
        "sizes": [{"batch": None, "library": "deploy.so", "graph": "deploy.json"}],
        "params": "deploy.params",
        "files": {},
        "made": {},
    }
    (folder / "model.json").write_text(json.dumps(manifest))
    with Model.load(folder) as model:
        assert [info.name for info in model.inputs] == ["unused", "x"]
        assert model.run({"x": X, "unused": X})["answer"].tolist() == [2, -4]
        with pytest.raises(ValueError, match="input 'unused'"):
            model(X[:1], X)
        binding = model.bind({"x": X, "unused": X})
        binding.run()
        assert np.asarray(binding.outputs["answer"]).tolist() == [2, -4]
    manifest["inputs"] = []
    (folder / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=r"model.json does not name the inputs \['x'\]"):
        Model.load(folder)
    manifest["params"] = "../deploy.params"
    (folder / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="expected a file name without folders"):
        Model.load(folder)


def test_files_of_two_exports(folder):
    graph = json.loads((folder / "deploy.json").read_text())
    graph["attrs"]["tvmgo_model_id"] = ["list_int", [0, 6]]
    (folder / "deploy.json").write_text(json.dumps(graph))
    tensor = {"name": "x", "shape": [2], "dtype": "float32"}
    manifest = {
        "format": 1,
        "model_id": 5,
        "inputs": [tensor],
        "outputs": [tensor],
        "rows_independent": False,
        "sizes": [{"batch": None, "library": "deploy.so", "graph": "deploy.json"}],
        "params": None,
        "files": {},
        "made": {},
    }
    (folder / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="model.json is of another export"):
        Model.load(folder)


def test_equal_names_of_outputs(write):
    nodes = [
        var("x"),
        op("double", ["x"], name="a", prefix=PREFIX),
        op("nap", ["x"], name="b", prefix=PREFIX),
    ]
    text = document(nodes, ["a", "b"])
    text["nodes"][2]["name"] = "a"
    folder = write(nodes, ["a", "b"])
    (folder / "deploy.json").write_text(json.dumps(text))
    with Model.load(folder) as model:
        assert len({info.name for info in model.outputs}) == 2
        assert [each.tolist() for each in model(X)] == [[2, -4], [-1, 2]]


@pytest.mark.parametrize("before", ["", "./", "..//here/./", "link/../here/"])
@pytest.mark.parametrize("after", ["", "/", "/."])
def test_a_path_in_any_spelling(folder, tmp_path, monkeypatch, before, after):
    place = tmp_path / "here"
    place.mkdir()
    shutil.copytree(folder, place / "net")
    (tmp_path / "elsewhere").mkdir()
    (place / "link").symlink_to(tmp_path / "elsewhere")  # its parent is not `place`
    monkeypatch.chdir(place)
    with Model.load(f"{before}net{after}") as model:
        monkeypatch.chdir("/")
        model.reload()
        assert repr(model).startswith("<tvmgo.Model 'net': ")
        assert model(X).tolist() == [2, -4]


# What takes its time to import, and what only other programs use than those that call a model.
NOT_FOR_CALLS = {
    *("asyncio", "concurrent.futures", "hashlib", "logging", "pathlib", "shutil"),
    *("statistics", "subprocess", "tempfile", "urllib.parse", "zipfile", "zlib"),
    *("tvmgo.model.batcher", "tvmgo.model.drawing", "tvmgo.model.profiling.profile"),
    *("tvmgo.model.requests.request_queue", "tvmgo.model.stats"),
}


@pytest.mark.parametrize("kind", ["graph", "batched", "factory"])
def test_loading_and_calling_import_little(kind, folder_of):
    code = f"""
    import sys
    import numpy as np
    before = set(sys.modules)
    import tvmgo
    with tvmgo.Model.load({str(folder_of(kind))!r}) as model:
        [info] = model.inputs
        shape = [4 if isinstance(size, str) else size for size in info.shape]
        model(np.zeros(shape, str(info.dtype)))
    brought = sys.modules.keys() - before
    print(len(brought) > 50, sorted(brought & {NOT_FOR_CALLS!r}))
    print(sorted(name for name in brought if name.startswith("tvmgo.model.inspection")))
    """
    assert output_of(code) == "True []\n[]\n"


def test_a_link_that_is_exchanged_mixes_no_files(tmp_path, two_inputs):
    link = tmp_path / "link"
    link.symlink_to(two_inputs)
    files = find_files(link, None, None, None)
    other = tmp_path / "other"
    other.symlink_to(tmp_path)
    other.replace(link)
    assert files.place == str(link)
    assert {Path(part.path).parent for part in files.parts} == {two_inputs.resolve()}
