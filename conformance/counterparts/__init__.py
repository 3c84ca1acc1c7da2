# SPDX-License-Identifier: Apache-2.0
"""The counterparts, by area of the records; importing this package fills the ``catalogue``."""

import importlib
import pkgutil

for module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{module.name}")
