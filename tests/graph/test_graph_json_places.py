# SPDX-License-Identifier: Apache-2.0
"""Errors in graph JSON show the text around the place, whatever the text holds."""

import json

import pytest

import tvmgo
from tests.graph.executors import CREATE, CREATE_DEBUG
from tests.graphs import WORKED

CREATORS = [CREATE, CREATE_DEBUG, "tvm.graph_runtime.create", "tvmgo.graph_program.create"]


def error_of(text, name=CREATE):
    """Line and column as the error says them, the text that it shows, and what the caret is at."""
    with pytest.raises(tvmgo.TVMValueError, match="^graph JSON: ") as caught:
        tvmgo.get_global_function(name)(text, None, 1, 0)
    message, shown, caret = str(caught.value).rsplit("\n", 2)
    _, _, place = message.rpartition(": line ")
    line, column = place.rstrip(":").split(", column ")
    assert shown.isprintable()
    assert shown.startswith("  ")
    assert caret.lstrip(" ") == "^"
    return (int(line), int(column)), shown[2:], shown[len(caret) - 1 :]


def place_of(text, at):
    """What Python's count says of a position in a text."""
    return 1 + text.count("\n", 0, at), at - text.rfind("\n", 0, at)


@pytest.mark.parametrize("name", CREATORS)
def test_syntax_errors_show_the_text(name):
    assert error_of('{"nodes": [1, 2,, 3]}', name) == ((1, 17), '{"nodes": [1, 2,, 3]}', ", 3]}")


def test_the_helper_shows_it_too(kernels):
    with pytest.raises(
        ValueError, match=r'line 1, column 17:\n  \{"nodes": \[1, 2,, 3\]\}\n {18}\^'
    ):
        tvmgo.graph_executor.create('{"nodes": [1, 2,, 3]}', kernels, tvmgo.cpu(0))


@pytest.mark.parametrize("indent", [None, 1, 4])
@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("nodes",), 3),
        (("nodes", 2, "inputs", 1, 0), 77),
        (("nodes", 0, "op"), "conv"),
        (("nodes", 3, "attrs", "num_outputs"), "x"),
        (("nodes", 1, "unknown"), 12),
        (("heads", 0), [9]),
        (("attrs", "dltype", 1, 2), "float33.5"),
        (("attrs", "shape", 0), "list_int"),
    ],
    ids=str,
)
def test_wrong_values_are_pointed_at(path, value, indent):
    graph = json.loads(json.dumps(WORKED))
    inner = graph
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    marked = json.loads(json.dumps(graph))
    inner = marked
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = "HERE"
    at = json.dumps(marked, indent=indent).index('"HERE"')
    text = json.dumps(graph, indent=indent)
    place, _, pointed_at = error_of(text)
    assert place == place_of(text, at)
    assert pointed_at.startswith(json.dumps(value)[:1])


def test_a_missing_key_points_at_its_object():
    graph = json.loads(json.dumps(WORKED))
    del graph["nodes"][3]["name"]
    text = json.dumps(graph)
    place, _, pointed_at = error_of(text)
    assert place == place_of(text, text.index(json.dumps(graph["nodes"][3])))
    assert pointed_at.startswith('{"op": "tvm_op"')


def test_of_equal_keys_the_last_is_pointed_at():
    text = json.dumps(WORKED)[:-1] + ', "heads": 7}'
    assert error_of(text)[0] == place_of(text, text.rindex("7}"))


def test_a_key_written_with_escapes_points_at_its_object():
    text = json.dumps(WORKED).replace('"heads": [[3, 0, 0]]', r'"he\u0061ds": 7')
    assert error_of(text)[0] == (1, 1)


@pytest.mark.parametrize(
    ("text", "column", "shown"),
    [
        ('{"été": ééé}', 9, '{"été": ééé}'),
        (b"{\0: 1}", 2, "{\ufffd: 1}"),
        (b'{"\xff\xc3": x', 8, '{"\ufffd\ufffd": x'),
        ('{"\x7f\x85": x', None, '{"\ufffd\ufffd\ufffd": x'),
        (b'{"\xed\xa0\x80": x', None, '{"\ufffd\ufffd\ufffd": x'),  # half of a surrogate pair
        (b'{"\xf4\x90\x80\x80\xc0\x80": x', None, '{"' + 6 * "\ufffd" + '": x'),
        ("", 1, ""),
        ("\0", 1, "\ufffd"),
        ("{", 2, "{"),
        ('{"a":\t\r\n\n  x}', 3, '{"a": x}'),
        ("deploy.json", 1, "deploy.json"),
    ],
)
def test_any_text_can_be_shown(text, column, shown):
    place, line, _ = error_of(text)
    assert line == shown
    assert column in (None, place[1])


@pytest.mark.parametrize("size", [100, 1_000_000])
@pytest.mark.parametrize("letter", ["x", "é", "漢", "😀"])
def test_of_a_long_text_the_surroundings_are_shown(letter, size):
    text = '{"' + letter * size + '": 1,, "' + letter * size + '": 2}'
    place, shown, pointed_at = error_of(text)
    assert place == (1, size + 8)
    assert shown == f'...{letter * 35}": 1,, "{letter * 37}...'
    assert pointed_at.startswith(', "')


def test_other_messages_show_no_control_characters():
    graph = json.loads(json.dumps(WORKED))
    graph["nodes"][0]["op"] = "\0\n\x1b[31m"
    with pytest.raises(ValueError, match='got "\ufffd \ufffd\\[31m"'):
        tvmgo.get_global_function(CREATE)(json.dumps(graph), None, 1, 0)
