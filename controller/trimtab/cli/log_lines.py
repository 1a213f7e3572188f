"""The controller's log: one line per message, whatever stands in it.

Records of `logging` flow in, lines on stderr flow out; `trimtab run` sets it up.
"""

import logging

from trimtab.core.visible import one_line


class LineFormatter(logging.Formatter):
    """Messages quote servers and repositories, which must not be able to forge lines or steer a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the base class names it
        """The line without a trace, which stands below it."""
        return one_line(super().formatMessage(record))


def log_to_stderr(level: str) -> None:
    """Set up logging of the whole process; `level` like `info`. Raises ValueError where there is no such level."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
