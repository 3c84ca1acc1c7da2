# SPDX-License-Identifier: Apache-2.0
"""gotvm's seven sample programs, in Python, printing what the Go programs printed.

Like those they expect compiled libraries in the current directory. These commands put the files
there and run two of them::

    python -m conformance.samples.files .
    python -m conformance.samples.simple
    python -m conformance.samples.complex

The ``pack_func`` samples need no files.
"""
