import pytest

from trimtab.core.visible import one_line, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, with ümlaut and 日本", "plain, with ümlaut and 日本"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b2J\x07\r\x7f", "\\x9b2J\\x07\\r\\x7f"),
        ("abc\u202egpj.exe", "abc\\u202egpj.exe"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_what_a_terminal_obeys_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_line_of_a_log_stays_one() -> None:
    assert one_line("a\n2026 ERROR all is lost\r") == "a\\n2026 ERROR all is lost\\r"
