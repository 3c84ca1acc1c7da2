from collections.abc import Callable
from typing import Any

from tvmgo.function import Function

def convert_function(f: Callable[..., Any], values: bool = False) -> Function: ...
