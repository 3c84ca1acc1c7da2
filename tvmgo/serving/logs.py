# SPDX-License-Identifier: Apache-2.0
"""Logs as a JSON document a line, on stderr."""

from __future__ import annotations

import json
import logging
import logging.config
from datetime import datetime, timezone
from typing import Any

_ORDINARY = {*vars(logging.makeLogRecord({})), "message", "asctime", "color_message", "taskName"}


class JsonFormatter(logging.Formatter):
    """Time, level, logger, process and message, with whatever `extra` says."""

    def format(self, record: logging.LogRecord) -> str:
        document: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        document.update(
            (name, value) for name, value in vars(record).items() if name not in _ORDINARY
        )
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        return json.dumps(document, default=str)


def configure(access_log: bool) -> None:
    """Have the loggers of all that takes part write so."""
    ordinary = {"handlers": ["lines"], "level": "INFO", "propagate": False}
    quiet = {**ordinary, "level": "WARNING"}
    logging.captureWarnings(True)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": JsonFormatter}},
            "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "json"}},
            "loggers": {
                "tvmgo": ordinary,
                "uvicorn": ordinary,
                "uvicorn.access": ordinary if access_log else quiet,
                "kserve": quiet,
                "kserve.trace": quiet,
                "grpc": quiet,
                "py.warnings": {**ordinary, "level": "ERROR"},
            },
        }
    )
