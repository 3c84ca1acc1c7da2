# SPDX-License-Identifier: Apache-2.0
"""Schedules of a model's kernels, found by trying: AutoTVM of TVM 0.19, for some minutes.

`tuner` is the entry. `tasks` says which kernels can be tuned and how often the model calls them,
`measuring` builds and times them in processes of their own, `search` chooses what is tried of one
kernel, `log` keeps what was found in AutoTVM's own format, `comparing` times whole models.

Why AutoTVM and not the auto-scheduler: that builds its first thousand candidates for a minute
before it times one, for each kernel, and a network has twenty to fifty kernels. The templates of
AutoTVM are those that untuned models use, so that the search begins with what is there and can only
improve on it. With tens of trials for each kernel a learned cost model has nothing to learn from:
evolution does without XGBoost.
"""
