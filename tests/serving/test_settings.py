# SPDX-License-Identifier: Apache-2.0
"""What a server may be told, and what `tvmgo serve` says where it cannot serve."""

import importlib.util
import json
import logging
import socket
import sys
from pathlib import Path

import pytest

from tvmgo.cli import main
from tvmgo.model.cpus import allowed_cpus
from tvmgo.serving.logs import JsonFormatter
from tvmgo.serving.settings import Settings, named


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"port": 0}, "port: expected 1 to 65535, got 0"),
        ({"port": 65536}, "port: expected"),
        ({"grpc_port": -1}, "grpc_port: expected"),
        ({"grpc_port": 8080}, "grpc_port: expected another one"),
        ({"workers": 0}, "workers: expected"),
        ({"threads": 0}, "threads: expected"),
        ({"max_batch": 0}, "max_batch: expected 1 or more, got 0"),
        ({"max_delay": -1}, "max_delay: expected"),
        ({"max_delay": float("nan")}, "max_delay: expected"),
        ({"timeout": 0}, "timeout: expected"),
        ({"timeout": float("nan")}, "timeout: expected"),
        ({"max_bytes": 0}, "max_bytes: expected"),
    ],
)
def test_settings_have_limits(wrong, message):
    with pytest.raises(ValueError, match=message):
        Settings(**wrong)


def test_loopback_unless_told_otherwise():
    assert Settings().host == "127.0.0.1"


def test_workers_share_the_cpus():
    assert Settings().concurrency == allowed_cpus()
    assert Settings(workers=1024).concurrency == 1


def test_names_of_models(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "net.tvmgo").touch()
    assert named([str(tmp_path / "one"), str(tmp_path / "net.tvmgo")]) == {
        "one": str(tmp_path / "one"),
        "net": str(tmp_path / "net.tvmgo"),
    }
    with pytest.raises(ValueError, match="two models of the name 'one'"):
        named([str(tmp_path / "one"), str(tmp_path / "other" / "one")])


def test_a_link_gives_a_model_its_own_name(tmp_path):
    (tmp_path / "version7").mkdir()
    (tmp_path / "current").symlink_to("version7")
    assert list(named([str(tmp_path / "current")])) == ["current"]


@pytest.mark.skipif(importlib.util.find_spec("kserve") is not None, reason="KServe is installed")
def test_command_says_what_is_missing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["tvmgo"])
    monkeypatch.setattr(
        "tvmgo.serving.server.check_free", lambda *_: None
    )  # the ports may be taken
    assert main(["serve", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "is not installed; `pip install 'tvmgo[serve]'` brings it" in said


def test_command_refuses_wrong_settings(tmp_path, capsys):
    assert main(["serve", str(tmp_path), "--workers", "0"]) == 1
    assert capsys.readouterr().err == "tvmgo: workers: expected 1 to 1024, got 0\n"


@pytest.mark.parametrize("option", ["--port", "--grpc-port"])
def test_command_says_which_port_is_taken(tmp_path, capsys, option):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as free:
            ports = dict.fromkeys(["--port", "--grpc-port"], str(free.getsockname()[1]))
        ports[option] = str(port)
        arguments = [word for pair in ports.items() for word in pair]
        assert main(["serve", str(tmp_path), *arguments]) == 1
    name = option.strip("-").replace("-", "_")
    said = capsys.readouterr().err
    assert said.startswith(f"tvmgo: {name}: 127.0.0.1, {port}: Address already in use")
    assert said.count("\n") == 1


def test_command_says_which_address_is_not_here(tmp_path, capsys):
    assert main(["serve", str(tmp_path), "--host", "203.0.113.1"]) == 1
    assert capsys.readouterr().err.startswith("tvmgo: port: 203.0.113.1, 8080: ")


def test_logs_are_documents():
    try:
        raise ValueError("why")
    except ValueError:
        record = logging.makeLogRecord(
            {
                "name": "tvmgo",
                "levelname": "INFO",
                "msg": "a %s",
                "args": ("b",),
                "model": Path("m"),
            }
        )
        record.exc_info = sys.exc_info()
    document = json.loads(JsonFormatter().format(record))
    assert document["message"] == "a b" and document["model"] == "m"
    assert document["level"] == "INFO" and "ValueError: why" in document["traceback"]
