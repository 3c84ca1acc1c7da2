# SPDX-License-Identifier: Apache-2.0
"""Schedules of a model's kernels, found by trying: AutoTVM of TVM 0.19, for some minutes.

`tuner` is the entry. `tasks` says which kernels can be tuned, how often the model calls them, and
which of their configurations go together, `measuring` builds and times them, and whole models, in
processes of their own, `search` chooses what is tried of one kernel, `log` keeps what was found in
AutoTVM's own format.

Why AutoTVM and not the auto-scheduler: that builds its first thousand candidates for a minute
before it times one, for each kernel, and a network has twenty to fifty kernels. The templates of
AutoTVM are those that untuned models use, so that the search begins with what is there and can only
improve on it. With tens of trials for each kernel a learned cost model has nothing to learn from:
evolution does without XGBoost.

Why no graph tuner: it times every change of layouts between any two kernels, for minutes, and takes
networks of few forms alone. Kernels that write and read blocks of one size need no changes.
"""
