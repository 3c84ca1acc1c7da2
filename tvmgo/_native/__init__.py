# SPDX-License-Identifier: Apache-2.0
"""The shared libraries below: where they are, and when each is loaded.

``libtvm_ffi`` is loaded when tvmgo is imported. ``libtvm_runtime`` is loaded when it is first
needed, always before any compiled library: kernels receive pointers to its functions when they
are loaded, and one without them crashes when it is called. ``libtvm_runtime_extra`` (sort, topk,
random) and ``libtvm_runtime_cuda`` lie beside it and are loaded when something of theirs is
missing.

This package uses nothing of the binding, which uses it.
"""
