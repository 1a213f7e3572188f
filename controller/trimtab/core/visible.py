"""Text of others made harmless to show: what a terminal or a log would obey is written out instead.

File names, server messages and values of fields flow in from anywhere; log lines, status, Events and the CLI's output
take what flows out.
"""


def visible(text: str, *, keep: str = "\n\t") -> str:
    r"""The text with every unprintable character (controls, escapes, reversed writing) as `\x1b`, but for `keep`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _written_out(c) for c in text)


def one_line(text: str) -> str:
    """The same on one line, line breaks written out as well: a line of a log is one thing that happened."""
    return visible(text, keep="")


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode()
