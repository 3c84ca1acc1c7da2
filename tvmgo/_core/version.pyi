from typing import Final

__version__: Final[str]
runtime_version: Final[str]
dlpack_version: Final[str]
