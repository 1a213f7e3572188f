"""The language of `${name}`: the table of Flux's documentation, the examples of the shell's, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.render.expressions import (
    DEEPEST,
    LONGEST_CHARACTERS,
    BadExpression,
    Undefined,
    evaluate,
    parse,
)

VALUES = {
    "name": "shop",
    "empty": "",
    "mixed": "abcABC123ABCabc",
    "file": "bash.string.txt",
    "path": "/home/bozo/ideas/thoughts.for.today",
    "rel": "path/to/file",
    "tricky": "${name} $$ \\/",
}


def put_in(text: str, *, strict: bool = True) -> str:
    return evaluate(parse(text), VALUES, strict=strict)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("${name}", "shop"),
        ("a-${name}-b", "a-shop-b"),
        ("${name}${name}", "shopshop"),
        ("${empty}", ""),
        ("${#name}", "4"),
        ("${#empty}", "0"),
        ("${name^}", "Shop"),
        ("${name^^}", "SHOP"),
        ("${mixed,}", "abcABC123ABCabc"),
        ("${mixed,,}", "abcabc123abcabc"),
        ("${path:11}", "ideas/thoughts.for.today"),
        ("${path:11:5}", "ideas"),
        ("${path:99}", ""),
        ("${path: -5}", "today"),
        ("${name: -9}", "shop"),
        ("${name:1:-1}", "ho"),
        ("${file#*.}", "string.txt"),
        ("${rel#*/}", "to/file"),
        ("${path#*/}", "home/bozo/ideas/thoughts.for.today"),
        ("${file##*.}", "txt"),
        ("${rel##*/}", "file"),
        ("${file%.*}", "bash.string"),
        ("${file%%.*}", "bash"),
        ("${mixed#abc*ABC}", "123ABCabc"),
        ("${mixed##abc*ABC}", "abc"),
        ("${mixed%[a-c]}", "abcABC123ABCab"),
        ("${mixed%[!a-b]}", "abcABC123ABCab"),
        ("${mixed#[^b]}", "bcABC123ABCabc"),
        ("${mixed#?}", "bcABC123ABCabc"),
        ("${mixed##*}", ""),
        ("${mixed#*}", "abcABC123ABCabc"),
        ("${mixed#x}", "abcABC123ABCabc"),
        ("${mixed#}", "abcABC123ABCabc"),
        ("${mixed#*x*}", "abcABC123ABCabc"),
        ("${path#\\/home}", "/bozo/ideas/thoughts.for.today"),
        ("${mixed#[z-a]}", "abcABC123ABCabc"),
        ("${mixed#[}", "abcABC123ABCabc"),
        ("${none-fallback}", "fallback"),
        ("${none:-fallback}", "fallback"),
        ("${none=fallback}", "fallback"),
        ("${none:=fallback}", "fallback"),
        ("${empty-fallback}", ""),
        ("${empty:-fallback}", "fallback"),
        ("${empty=fallback}", ""),
        ("${empty:=fallback}", "fallback"),
        ("${name:=fallback}", "shop"),
        ("${none:=}", ""),
        ("${none:=https://${name}.example:8080/a?b=c}", "https://shop.example:8080/a?b=c"),
        ("${none:=${name^^}-suffix}", "SHOP-suffix"),
        ("${name:=${none}}", "shop"),
        ("${mixed/abc/xyz}", "xyzABC123ABCabc"),
        ("${mixed//abc/xyz}", "xyzABC123ABCxyz"),
        ("${mixed/#abc/XYZ}", "XYZABC123ABCabc"),
        ("${mixed/#ABC/XYZ}", "abcABC123ABCabc"),
        ("${mixed/%abc/XYZ}", "abcABC123ABCXYZ"),
        ("${mixed/%x/XYZ}", "abcABC123ABCabc"),
        ("${name/#/prefix-}", "prefix-shop"),
        ("${name/%/-suffix}", "shop-suffix"),
        ("${file/./}", "bashstring.txt"),
        ("${rel/\\//-}", "path-to/file"),
        ("${rel//\\//-}", "path-to-file"),
        ("${name/s/${file}}", "bash.string.txthop"),
        ("$$", "$"),
        ("$${name}", "${name}"),
        ("$$${name}", "$shop"),
        ("$$$${name}", "$${name}"),
        ("a $name $ 5$ {x} \\$", "a $name $ 5$ {x} \\$"),
        ("some ${name}$${var$${x}$name${name}", "some shop${var${x}$nameshop"),
        ("$${none:=${name}}", "${none:=shop}"),
        ("${tricky}", "${name} $$ \\/"),
    ],
)
def test_every_documented_form(text: str, result: str) -> None:
    assert put_in(text) == result


@pytest.mark.parametrize(
    "text",
    ["${none}", "${#none}", "${none^}", "${none,,}", "${none:0}", "${none/a/b}", "${none%x}", "a ${none:=${none}}"],
)
def test_without_a_value_and_a_default_it_is_an_error_unless_told_otherwise(text: str) -> None:
    with pytest.raises(Undefined, match="variable none has no value"):
        put_in(text)
    assert put_in(text, strict=False) in ("", "0", "a ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${", "no name of a variable"),
        ("${}", "no name of a variable"),
        ("${-x}", "no name of a variable"),
        ("${name", "closing brace is missing"),
        ("${name:=x", "closing brace is missing"),
        ("${name x}", "not understood"),
        ("${name+x}", r"operator \+ is not supported"),
        ("${name:+x}", r"operator :\+ is not supported"),
        ("${name:?x}", r"operator :\? is not supported"),
        ("${name[@]}", r"operator \[ is not supported"),
        ("${name/a}", "needs a second slash"),
        ("${name:x}", "must be numbers"),
        ("${x:=" * (DEEPEST + 1) + "}" * (DEEPEST + 1), "nested deeper than"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadExpression, match=words):
        put_in(text)


def test_the_fragment_names_the_place() -> None:
    with pytest.raises(BadExpression) as refused:
        parse("before ${name[@]} after " + "x" * 99)
    assert refused.value.fragment.startswith("${name[")
    assert len(refused.value.fragment) <= 40


@pytest.mark.parametrize("text", ["${a}${a}${a}", "${a//x/${a}}", "${b//x/${a}}"])
def test_values_do_not_multiply_without_bound(text: str) -> None:
    values = {"a": "x" * (LONGEST_CHARACTERS // 2 - 1), "b": "x" * 100}
    with pytest.raises(BadExpression, match="longer than"):
        evaluate(parse(text), values, strict=True)


@pytest.mark.parametrize("pattern", ["*a*a*a*a*a*b", "*" * 200 + "b", "?*" * 50 + "b"])
def test_patterns_cost_no_more_than_their_length_allows(pattern: str) -> None:
    value = "a" * 100_000
    for operator in ("#", "##", "%", "%%"):
        assert evaluate(parse(f"${{v{operator}{pattern}}}"), {"v": value}, strict=True) == value


@given(st.text().filter(lambda text: "$" not in text))
def test_text_without_dollars_stays(text: str) -> None:
    assert evaluate(parse(text), {}, strict=True) == text


@given(st.text(alphabet="${}:=/#%^,ab\\-1 "))
def test_any_text_is_evaluated_or_refused(text: str) -> None:
    try:
        result = evaluate(parse(text), {"a": "x", "b": "y"}, strict=True)
    except BadExpression:
        return
    assert isinstance(result, str)


@given(st.text(), st.text(alphabet="ab $"))
def test_values_are_never_parsed_and_escaping_is_undone(value: str, around: str) -> None:
    escaped = around.replace("$", "$$")
    assert evaluate(parse(f"{escaped}${{v}}{escaped}"), {"v": value}, strict=True) == f"{around}{value}{around}"
