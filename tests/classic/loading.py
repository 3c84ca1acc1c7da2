# SPDX-License-Identifier: Apache-2.0
"""Loading libraries of either generation as users of the runtime do."""

import tvmgo


def load(path, format="so"):
    """Load by the function that all users of the runtime load shared libraries with."""
    tvmgo._native.locate.load()
    return tvmgo.get_global_function("ffi.Module.load_from_file.so")(str(path), format)


def load_classic(path):
    """Load what is known to be a classic library."""
    tvmgo._native.locate.load()
    return tvmgo.get_global_function("tvmgo.load_classic_library")(str(path))


def generation(path):
    """Return the word for the TVM that compiled a library."""
    return tvmgo.get_global_function("tvmgo.library_generation")(str(path))
