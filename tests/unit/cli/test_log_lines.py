import logging

import pytest

from trimtab.cli.log_lines import LineFormatter


def test_a_message_forges_no_line_and_keeps_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("trimtab.test")
    try:
        raise ValueError("a\nb")
    except ValueError:
        log.exception("refused: %s", "x\n2026-01-01 ERROR root: all is lost\x1b[2J")
    told = LineFormatter("%(levelname)s %(message)s").format(caplog.records[0])

    first, *trace = told.splitlines()
    assert first == "ERROR refused: x\\n2026-01-01 ERROR root: all is lost\\x1b[2J"
    assert trace[0] == "Traceback (most recent call last):"
