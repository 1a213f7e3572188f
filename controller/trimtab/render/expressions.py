"""The language of variables in manifests: `${name}` and the forms of it that Flux documents, parsed and evaluated.

`substitution` parses every string and gives the values. `$$` is a dollar sign; a dollar sign that no brace follows is
itself. Nothing of a value is ever parsed, so that values add no expressions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from trimtab.render.affixes import without_prefix, without_suffix

LONGEST_CHARACTERS: Final = 1024 * 1024
"""What one string may become."""
DEEPEST: Final = 16
_SHOWN: Final = 40
"""Characters of a fragment."""
_DEFAULTS: Final = ("-", ":-", "=", ":=")
_UNSUPPORTED: Final = ("+", ":+", "?", ":?", "@", "!", "[")


class BadExpression(ValueError):
    """A string cannot be understood, or not be evaluated; the text shows no value.

    `fragment` is the place in the string that it speaks of, which may itself be secret.
    """

    def __init__(self, why: str, fragment: str = "") -> None:
        super().__init__(why)
        self.fragment = fragment


class Undefined(BadExpression):
    """A variable has no value, and the expression no default."""

    def __init__(self, name: str) -> None:
        super().__init__(f"variable {name} has no value")
        self.name = name


@dataclass(frozen=True, slots=True)
class Expression:
    """One `${…}`: a variable, what is done to it, and the operands of that."""

    name: str
    operator: str = ""
    operands: "tuple[Template, ...]" = ()


Template = tuple[str | Expression, ...]
"""Text and expressions in turn."""


def parse(text: str) -> Template:
    """The parts of a string. Raises BadExpression."""
    return _Parser(text).template()


def evaluate(template: Template, variables: Mapping[str, str], *, strict: bool) -> str:
    """The string with values put in. Raises BadExpression; Undefined only where `strict`."""
    parts = []
    left = LONGEST_CHARACTERS
    for part in template:
        parts.append(part if isinstance(part, str) else _evaluate(part, variables, strict=strict))
        left -= len(parts[-1])
        if left < 0:
            raise BadExpression(f"it becomes longer than {LONGEST_CHARACTERS} characters")
    return "".join(parts)


def _evaluate(expression: Expression, variables: Mapping[str, str], *, strict: bool) -> str:
    value = variables.get(expression.name)
    operator = expression.operator
    if operator in _DEFAULTS:
        if value or (value is not None and not operator.startswith(":")):
            return value
        return evaluate(expression.operands[0], variables, strict=strict)
    if value is None:
        if strict:
            raise Undefined(expression.name)
        value = ""
    operands = [evaluate(operand, variables, strict=strict) for operand in expression.operands]
    if operator in _REPLACEMENTS and operands[0] in value:
        grown = len(value) + value.count(operands[0]) * len(operands[1])
        if grown > 2 * LONGEST_CHARACTERS:
            raise BadExpression(f"it becomes longer than {LONGEST_CHARACTERS} characters")
    return _FUNCTIONS[operator](value, *operands)


def _part(value: str, start: str, length: str = "") -> str:
    """`${name:start:length}`; both may be negative and count from the end then."""
    try:
        begin, count = int(start), int(length) if length else None
    except ValueError:
        raise BadExpression("the offsets of a part must be numbers") from None
    begin = max(begin + len(value), 0) if begin < 0 else begin
    if count is None:
        return value[begin:]
    return value[begin : begin + count] if count >= 0 else value[begin : len(value) + count]


def _replaced_prefix(value: str, old: str, new: str) -> str:
    return new + value[len(old) :] if value.startswith(old) else value


def _replaced_suffix(value: str, old: str, new: str) -> str:
    return value[: len(value) - len(old)] + new if value.endswith(old) else value


_REPLACEMENTS: Final = ("/", "//")
_FUNCTIONS: Final[dict[str, Callable[..., str]]] = {
    "": lambda value: value,
    "length": lambda value: str(len(value)),
    "^": lambda value: value[:1].upper() + value[1:],
    "^^": str.upper,
    ",": lambda value: value[:1].lower() + value[1:],
    ",,": str.lower,
    ":": _part,
    "#": lambda value, pattern: without_prefix(value, pattern, longest=False),
    "##": lambda value, pattern: without_prefix(value, pattern, longest=True),
    "%": lambda value, pattern: without_suffix(value, pattern, longest=False),
    "%%": lambda value, pattern: without_suffix(value, pattern, longest=True),
    "/": lambda value, old, new: value.replace(old, new, 1),
    "//": lambda value, old, new: value.replace(old, new),
    "/#": _replaced_prefix,
    "/%": _replaced_suffix,
}


class _Parser:
    """Reads one string from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def template(self, end: str = "", *, escapes: str = "$") -> Template:
        """Parts up to one of the characters of `end`, which is left; `escapes` are the characters that escape."""
        parts: list[str | Expression] = []
        plain: list[str] = []
        while self._at < len(self._text) and (not end or self._text[self._at] not in end):
            if self._text.startswith("${", self._at):
                if plain:
                    parts.append("".join(plain))
                    plain = []
                self._at += 2
                parts.append(self._expression())
            else:
                plain.append(self._character(escapes))
        if plain:
            parts.append("".join(plain))
        return tuple(parts)

    def _character(self, escapes: str) -> str:
        """One character, or what an escape stands for."""
        here = self._text[self._at]
        pair = self._text[self._at : self._at + 2]
        escaped = here in escapes and (pair == "$$" or pair in ("\\/", "\\\\"))
        self._at += 2 if escaped else 1
        return pair[1] if escaped else here

    def _expression(self) -> Expression:
        self._depth += 1
        if self._depth > DEEPEST:
            self._refuse(f"nested deeper than {DEEPEST} levels")
        found = self._after_brace()
        if not self._take("}"):
            self._refuse("not understood, or its closing brace is missing")
        self._depth -= 1
        return found

    def _after_brace(self) -> Expression:
        if self._take("#"):
            return Expression(self._name(), "length")
        name = self._name()
        if operator := self._one_of(_UNSUPPORTED):
            self._refuse(f"the operator {operator} is not supported")
        if operator := self._one_of(("//", "/#", "/%", "/")):
            return Expression(name, operator, self._replacement())
        if operator := self._one_of((*_DEFAULTS[::-1], "^^", "^", ",,", ",", "##", "#", "%%", "%")):
            operand = () if operator[0] in "^," else (self.template("}", escapes=""),)
            return Expression(name, operator, operand)
        if self._take(":"):
            return Expression(name, ":", self._offsets())
        return Expression(name)

    def _replacement(self) -> tuple[Template, ...]:
        pattern = self.template("/}", escapes="$\\")
        if not self._take("/"):
            self._refuse("a replacement needs a second slash")
        return pattern, self.template("}", escapes="$\\")

    def _offsets(self) -> tuple[Template, ...]:
        start = self.template(":}", escapes="")
        return (start, self.template("}", escapes="")) if self._take(":") else (start,)

    def _name(self) -> str:
        begin = self._at
        while self._at < len(self._text) and (self._text[self._at].isalnum() or self._text[self._at] == "_"):
            self._at += 1
        if self._at == begin:
            self._refuse("no name of a variable follows the brace")
        return self._text[begin : self._at]

    def _one_of(self, operators: tuple[str, ...]) -> str:
        return next((operator for operator in operators if self._take(operator)), "")

    def _take(self, text: str) -> bool:
        if not self._text.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _refuse(self, why: str) -> NoReturn:
        begin = self._text.rfind("${", 0, self._at)
        raise BadExpression(why, self._text[max(begin, 0) :][:_SHOWN])
