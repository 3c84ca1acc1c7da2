import os
from collections.abc import Callable
from typing import Any, Final, final

from tvmgo._core.device import _DeviceLike
from tvmgo._core.function import Function
from tvmgo._core.handle import Object
from tvmgo._core.timing import BenchmarkResult

SHARED_LIBRARY_FORMATS: Final[tuple[str, ...]]
GENERATIONS: Final[tuple[str, ...]]
COMPILED_KINDS: Final[tuple[str, ...]]

@final
class Module(Object):
    @property
    def kind(self) -> str: ...
    @property
    def imports(self) -> list[Module]: ...
    def get_function(self, name: str, query_imports: bool = True) -> Function: ...
    def __getitem__(self, name: str, /) -> Function: ...
    def __contains__(self, name: str, /) -> bool: ...
    def __call__(self, *args: Any) -> Any: ...
    def time_evaluator(
        self,
        func_name: str,
        device: _DeviceLike,
        number: int = 10,
        repeat: int = 1,
        min_repeat_ms: int = 0,
        limit_zero_time_iterations: int = 100,
        cooldown_interval_ms: int = 0,
        repeats_to_cooldown: int = 1,
    ) -> Callable[..., BenchmarkResult]: ...
    def __tvm_ffi_object__(self) -> Any: ...

def load_module(
    path: str | os.PathLike[str], format: str | None = None, private: bool | None = None
) -> Module: ...
def load_own_file(path: str | os.PathLike[str], shown: str) -> Module: ...
def system_library(prefix: str = "") -> Module: ...
def missing_cpu_feature(needed: str) -> str | None: ...
