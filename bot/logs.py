"""Logs: structured lines on standard error, without personal data."""

import io
import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

MAX_CAUSES = 5


def configure_logs(*, quiet: bool = False) -> None:
    """Set up structlog; `quiet` shows only what went wrong."""
    level = logging.ERROR if quiet else logging.INFO
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where_it_failed,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
            if sys.stderr.isatty()
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _StandardError())),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)


class _StandardError(io.TextIOBase):
    """Standard error as it is when a line is written; it may be another by then."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _where_it_failed(
    logger: object, method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace a traceback by its places and kinds of error; messages may hold what people said."""
    del logger, method
    if not entry.pop("exc_info", None):
        return entry
    error = sys.exc_info()[1]
    kinds: list[dict[str, Any]] = []
    while error is not None and len(kinds) < MAX_CAUSES:
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        kinds.append({"error": type(error).__name__, "at": places})
        error = error.__cause__ or error.__context__
    entry["failed"] = kinds
    return entry
