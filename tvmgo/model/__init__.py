# SPDX-License-Identifier: Apache-2.0
"""Models that services load once and call from any thread."""

from tvmgo.model.batcher import Batcher
from tvmgo.model.binding import Binding
from tvmgo.model.bundling import bundle
from tvmgo.model.diagnosis import Check, Report
from tvmgo.model.errors import (
    ModelClosedError,
    QueueFullError,
    TensorShapeError,
    TensorTypeError,
    UnknownNameError,
)
from tvmgo.model.examination import doctor
from tvmgo.model.model import Model
from tvmgo.model.profile import OperatorProfile, Profile
from tvmgo.model.stats import Stats
from tvmgo.model.tensor_info import TensorInfo

__all__ = [
    "Batcher",
    "Binding",
    "Check",
    "Model",
    "ModelClosedError",
    "OperatorProfile",
    "Profile",
    "QueueFullError",
    "Report",
    "Stats",
    "TensorInfo",
    "TensorShapeError",
    "TensorTypeError",
    "UnknownNameError",
    "bundle",
    "doctor",
]
