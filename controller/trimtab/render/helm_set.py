"""The grammar of helm's --set: a path with dots and indexes, and the value that stands behind its equals sign.

`helm_values` calls it for values that go to a targetPath. Messages never show the value, which may be secret.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

MAX_INDEX: Final = 65536
MAX_ITEMS: Final = 100_000
"""So many items of lists may come into being by one value: a few letters ask for 65536 of them."""
MAX_LEVELS: Final = 30
_DIGITS: Final = 18
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_WORDS: Final = {"true": True, "false": False, "null": None}
_EXACT_BELOW: Final = 1_000_000
"""helm takes numbers of its input for floats, and writes those from here on as 1e+06: they stay text instead."""


class SetError(ValueError):
    """A path or value that --set would refuse."""


def assign(values: dict[str, Any], path: str, text: str, *, literal: bool = False) -> None:
    """Put a value into `values`, in place, as `--set path=text` does: quoted text stays a string.

    `literal`: the text as it is, whatever it holds. Raises SetError.
    """
    if literal:
        _Reader(path + "=", strings=True, literal=text).run(values)
        return
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    _Reader(f"{path}={text.strip(chr(39) + chr(34)) if quoted else text}", strings=quoted).run(values)


@dataclass(slots=True)
class _Reader:
    """Reads `key=value,key=value`. `literal` is the value of the first key, then nothing follows."""

    text: str
    strings: bool
    literal: str | None = None
    at: int = 0
    items: int = 0

    def run(self, values: dict[str, Any]) -> None:
        while self.at < len(self.text):
            self._key(values, 0)

    def _until(self, stops: str) -> tuple[str, str]:
        """The text up to one of the characters, and that character; empty at the end. A backslash keeps the next."""
        kept: list[str] = []
        while self.at < len(self.text):
            character = self.text[self.at]
            self.at += 1
            if character in stops:
                return "".join(kept), character
            if character == "\\":
                if self.at == len(self.text):
                    break
                character = self.text[self.at]
                self.at += 1
            kept.append(character)
        return "".join(kept), ""

    def _key(self, values: dict[str, Any], level: int) -> None:
        name, stop = self._until("=[,.")
        if stop in ("", ","):
            raise SetError("a key without a value; a comma in a value needs a backslash, or literal: true")
        if stop == "=":
            _put(values, name, self._value())
            return
        if stop == "[":
            items = values.get(name, [])
            if not isinstance(items, list):
                raise SetError("an index into what is no list")
            self._item(items, self._index(), level)
            _put(values, name, items)
            return
        if level >= MAX_LEVELS:
            raise SetError(f"more than {MAX_LEVELS} levels")
        inner = values.get(name, {})
        if not isinstance(inner, dict):
            raise SetError("a key inside of what is no mapping")
        self._key(inner, level + 1)
        _put(values, name, inner)

    def _index(self) -> int:
        number, stop = self._until("]")
        if not stop or not _is_integer(number) or not 0 <= int(number) <= MAX_INDEX:
            raise SetError(f"an index that is no number up to {MAX_INDEX}")
        return int(number)

    def _item(self, items: list[Any], index: int, level: int) -> None:
        extra, stop = self._until("[.=")
        if extra or not stop:
            raise SetError("something else than a value behind an index")
        self.items += max(0, index + 1 - len(items))
        if self.items > MAX_ITEMS:
            raise SetError(f"lists of more than {MAX_ITEMS} items in all")
        items += [None] * (index + 1 - len(items))
        if stop == "=":
            items[index] = self._value()
        elif stop == "[":
            inner = [] if items[index] is None else items[index]
            if not isinstance(inner, list):
                raise SetError("an index into what is no list")
            self._item(inner, self._index(), level)
            items[index] = inner
        else:
            mapping = items[index] if isinstance(items[index], dict) else {}
            self._key(mapping, level + 1)
            items[index] = mapping

    def _value(self) -> Any:
        if self.literal is not None:
            return self.literal
        if self.text[self.at : self.at + 1] != "{":
            return self._typed(self._until(",")[0])
        self.at += 1
        items = []
        while True:
            text, stop = self._until(",}")
            if not stop:
                raise SetError("a list without an end")
            items.append(self._typed(text))
            if stop == "}":
                self.at += self.text[self.at : self.at + 1] == ","
                return items

    def _typed(self, text: str) -> Any:
        if self.strings:
            return text
        if text.lower() in _WORDS:
            return _WORDS[text.lower()]
        if text == "0" or (_is_integer(text) and text[0] != "0" and abs(int(text)) < _EXACT_BELOW):
            return int(text)
        return text


def _is_integer(text: str) -> bool:
    # Python itself refuses to read very long ones.
    return len(text) <= _DIGITS and bool(_INTEGER.fullmatch(text))


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    """An empty key is passed over, as helm does."""
    if name:
        values[name] = value
