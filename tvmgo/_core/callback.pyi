from collections.abc import Callable
from typing import Any

from tvmgo._core.function import Function

def convert_function(f: Callable[..., Any], values: bool = False) -> Function: ...
