# SPDX-License-Identifier: Apache-2.0
"""The graph and the files that hold it, whatever it was made from; nothing here knows TVM.

`nodes` (what a graph is), `storage` (which of its values share memory), `model_id` (the number that
the files of one export have in common), `graph_json` and `params` (``deploy.json`` and
``deploy.params``), `element_types` (how both write them).
"""
