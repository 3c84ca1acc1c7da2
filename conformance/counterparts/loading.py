# SPDX-License-Identifier: Apache-2.0
"""``load``, ``thread``: loading libraries, and what cannot be loaded."""

import json
import re
import threading
import time

import tvmgo
from conformance.catalogue import Gives, Raises, executes, improved
from conformance.outcome import attempt

# What stands between the parentheses of the recorded call is how Python writes it, too.
ARGUMENTS = re.compile(r"LoadModuleFromFile\((.*?)\)")


def arguments_in(call):
    """Return the arguments written in a recorded call."""
    written = ARGUMENTS.match(call)[1].replace("nil", "null")
    return json.loads(f"[{written}]")


@executes("load.*")
def load(world, fact):
    module = tvmgo.load_module(*arguments_in(fact.call))
    if "Invoke()" in fact.call:
        return module.get_function("ret_int").invoke().as_int64()
    return module


improved("load.empty_path", Raises(ValueError, "path"))
improved("load.format_int", Raises(TypeError, "format", "int"))


@executes("load.format_nil")
def default_format(world, fact):
    return tvmgo.load_module("./deploy.so", None).get_function("ret_int").invoke().as_int64()


improved("load.format_nil", Gives(-42, "None is the default, so that the library loads"))


@executes("thread.error_text.first_failure", "thread.error_text.after_sleep", alone=True)
def first_failure(world, fact):
    errors = []

    def fail():
        if fact.case.endswith("after_sleep"):
            time.sleep(0.005)
            (world.directory / "notelf.so").read_text()
        errors.append(attempt(tvmgo.load_module, "nosuch_in_thread.so").error)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    (error,) = errors
    return {
        "error_is_nil": error is None,
        "text_empty": str(error) == "",
        "text_names_file": "nosuch_in_thread.so" in str(error),
    }
