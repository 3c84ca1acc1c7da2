from tvmgo.exceptions import TVMError

ERROR_CLASSES: dict[str, type[TVMError]]
