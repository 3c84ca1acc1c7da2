# SPDX-License-Identifier: Apache-2.0
from typing import Any

def is_like(value: Any, dtype: Any, shape: tuple[int | str, ...] | None) -> bool: ...
