# SPDX-License-Identifier: Apache-2.0
"""``load``, ``thread``: loading libraries, and what cannot be loaded."""

import json
import re
import threading
import time
from pathlib import Path

import tvmgo
from conformance.catalogue import counterpart
from conformance.outcome import attempt

# What stands between the parentheses of the recorded call is how Python writes it, too.
ARGUMENTS = re.compile(r"LoadModuleFromFile\((.*?)\)")


def arguments_in(call):
    """Return the arguments written in a recorded call."""
    written = ARGUMENTS.match(call)[1].replace("nil", "null")
    return json.loads(f"[{written}]")


@counterpart("load.*")
def load(fact):
    module = tvmgo.load_module(*arguments_in(fact.call))
    if "Invoke()" in fact.call:
        return module.get_function("ret_int").invoke().as_int64()
    return module


@counterpart("load.format_nil")
def default_format():
    return tvmgo.load_module("./deploy.so", None).get_function("ret_int").invoke().as_int64()


@counterpart("thread.error_text.first_failure", "thread.error_text.after_sleep", alone=True)
def first_failure(fact):
    errors = []

    def fail():
        if fact.case.endswith("after_sleep"):
            time.sleep(0.005)
            Path("notelf.so").read_text()
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
