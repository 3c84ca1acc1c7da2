# SPDX-License-Identifier: Apache-2.0
"""Make the files which the samples expect: ``python -m conformance.samples.files DIRECTORY``."""

import sys
from pathlib import Path

from conformance import kernels
from conformance.samples import classifier


def prepare(directory, convention="ffi"):
    """Put deploy.so, mobilenet.so, mobilenet.json and mobilenet.params into a directory.

    Parameters
    ----------
    directory : pathlib.Path
    convention : str
        How the libraries are called: ``"ffi"``, as today, or ``"classic"``, as when gotvm lived.
    """
    for library in ("deploy", "mobilenet"):
        kernels.build(convention, library, directory)
    classifier.write(directory)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
