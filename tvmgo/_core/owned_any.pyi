from typing import Any

from typing_extensions import disjoint_base

@disjoint_base
class OwnedAny:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
