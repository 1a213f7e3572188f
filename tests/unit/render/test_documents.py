"""Files cut into documents, YAML and JSON: values, lines, faults and bounds."""

import json
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trimtab.render.documents import read_file
from trimtab.render.limits import DEFAULT_LIMITS


def read(text, **changes):
    data = text if isinstance(text, bytes) else text.encode()
    return read_file(data, "app.yaml", limits=replace(DEFAULT_LIMITS, **changes))


def values(text, **changes):
    content = read(text, **changes)
    assert content.problems == ()
    return [document.value for document in content.documents]


def problems(text, **changes):
    return [str(problem) for problem in read(text, **changes).problems]


def test_documents_know_their_lines():
    content = read("# head\n\na: 1\n--- # next\n# words\nb: 2\n---\n---\n\n# nothing\n---\nc: 3")
    assert [(one.value, one.line) for one in content.documents] == [({"a": 1}, 3), ({"b": 2}, 6), ({"c": 3}, 12)]


@pytest.mark.parametrize("text", ["", "\n \n", "---\n---\n", "# words\n", "~\n", "null\n---\n# x\n"])
def test_empty_documents_are_dropped(text):
    assert values(text) == []


def test_the_items_of_a_list_know_their_lines():
    content = read("---\nkind: List\nitems:\n- a: 1\n\n- b: 2\n- [x]\nother:\n- {c: 3}\n")
    assert content.documents[0].item_lines == (4, 6, 7)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
        ("a: &x 1\nb: [*x, &x 2, *x]", {"a": 1, "b": [1, 2, 2]}),
        ("a: &x k\n*x : 1", {"a": "k", "k": 1}),
        ("a: &x 5\n*x : 1", {"a": 5, "5": 1}),
        ("? &x k\n: *x", {"k": "k"}),
        ("a: &m {x: 1, z: 2}\nb: {<<: *m, z: 3}", {"a": {"x": 1, "z": 2}, "b": {"x": 1, "z": 3}}),
        ("b: {z: 3, <<: {z: 2}}", {"b": {"z": 2}}),
        ("b: {<<: [{x: 1}, {x: 2, z: 2}]}", {"b": {"x": 1, "z": 2}}),
        ("b: {!!merge <<: {a: 1}, '<<': 2, c: <<}", {"b": {"a": 1, "<<": 2, "c": "<<"}}),
        ("a: {b, c: }\nd: !!set {e}", {"a": {"b": None, "c": None}, "d": {"e": None}}),
        ("a: ! 5\nb: !!str 5\nc: !x 5\nd: 'yes'\ne: !!int '5'", {"a": "5", "b": "5", "c": "5", "d": "yes", "e": 5}),
        ("a: |\n  x\n  y", {"a": "x\ny\n"}),
        ("yes: 1\n5.50: 2", {"true": 1, "5.5": 2}),
        ("\ufeffa: 1\n---\n\ufeffb: 2", None),
    ],
)
def test_yaml_is_read_as_kubectl_reads_it(text, value):
    assert values(text) == ([value] if value else [{"a": 1}, {"b": 2}])


def test_aliases_are_copies():
    found = values("a: &x {b: [1]}\nc: *x\n")[0]
    found["a"]["b"].append(2)
    assert found["c"] == {"b": [1]}


def test_a_pointer_of_lfs_is_told_from_a_manifest():
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 5\n"
    (problem,) = problems(pointer)
    assert problem.startswith("app.yaml:1: a Git LFS pointer, not the file")
    assert "spec.lfs" in problem


def test_utf16_is_read_by_its_mark():
    assert values("a: é\n".encode("utf-16")) == [{"a": "é"}]
    assert problems("a: é\n".encode("utf-16")[:-1]) == ["app.yaml: not valid UTF-16 (save the file as UTF-8)"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3", ["app.yaml:3: duplicate key 'a' (keep one of them)"]),
        ("a: {b: 1, b: 2}\nc: {d: 1,\n d: 2}", ["app.yaml:1: duplicate key 'b'", "app.yaml:3: duplicate key 'd'"]),
        ("on: 1\nyes: 2", ["app.yaml:2: duplicate key 'yes', which reads as 'true'"]),
        ("---\na: 1\n---\nb: c: d\n---\ne: [\n", ["app.yaml:4: not valid YAML: mapping values", "app.yaml:7: not"]),
        ("a: *x", ["app.yaml:1: unknown anchor 'x' (define it"]),
        ("a: &x [1, *x]", ["app.yaml:1: anchor 'x' contains itself"]),
        ("a: 1\n--- foo\nb: 2", ["app.yaml:2: text after the separator ---"]),
        ("a: 1\n---foo", ["app.yaml:2: text after the separator ---"]),
        ("a: 1\n...\nb: 2", ["app.yaml:3: not valid YAML: did not find expected <document start>"]),
        ("a: 1\r---\rb: 2", ["app.yaml:2: a second document without a separator"]),
        ("%YAML 1.1\n---\na: 1", ["app.yaml:2: not valid YAML: did not find expected <document start>"]),
        ("? {a: 1}\n: 2", ["app.yaml:1: a mapping or sequence as a key"]),
        ("? [a]\n: 2", ["app.yaml:1: a mapping or sequence as a key"]),
        ("a: &x [1]\n*x : 2", ["app.yaml:2: a mapping or sequence as a key"]),
        ("~: 1", ["app.yaml:1: a mapping key must be"]),
        ("a: .inf\nb: !!int x", ["app.yaml:1: infinity", "app.yaml:2: the value does not fit"]),
        ("a: {<<: ~}\nb: {<<: [1]}", ["app.yaml:1: << takes", "app.yaml:2: << takes"]),
        ("a: &x [{b: 1}]\nc: {<<: *x}", ["app.yaml:2: << takes a mapping"]),
        ("a: \x01", ["app.yaml:1: not valid YAML: control characters are not allowed"]),
        (b"a: 1\nb: \xff", ["app.yaml:2: not valid UTF-8"]),
        ("a: @x", ["app.yaml:1: not valid YAML: while scanning for the next token"]),
    ],
)
def test_faults_have_their_line(text, expected):
    found = problems(text)
    assert len(found) == len(expected)
    assert all(one.startswith(wanted) for one, wanted in zip(found, expected, strict=True)), found


def test_no_fault_shows_a_value():
    texts = ["a: hunter2: x", "a: !!int hunter2", "a: [hunter2", "hunter2", "a: 'hunter2\n---\nb", '{"a": "hunter2"']
    assert not any("hunter2" in problem for text in texts for problem in problems(text))


def test_an_alias_bomb_is_refused_before_it_expands():
    text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for before, name in zip("abcdefghijk", "bcdefghijkl", strict=True):
        text += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    found = problems(text)
    assert len(found) == 1
    assert "aliases expand to more than" in found[0]


def test_the_alias_budget_is_shared_by_the_documents_of_a_file():
    one = "a: &a '" + "x" * 1000 + "'\nb: *a\n"
    assert problems(one, alias_bytes=1500) == []
    assert len(problems(f"{one}---\n{one}", alias_bytes=1500)) == 1


def test_long_aliased_strings_count_by_their_length():
    text = f"a: &a {'x' * 2000}\nb: [{', '.join(['*a'] * 50)}]\n"
    assert "aliases expand" in problems(text, alias_bytes=64 * 1024)[0]


@pytest.mark.parametrize("text", ["[" * 50 + "]" * 50, "{a: " * 50 + "}" * 50, '{"a":' * 50 + "1" + "}" * 50])
def test_depth_is_bounded(text):
    assert "nested deeper than 20 levels" in problems(text, depth=20)[0]
    assert problems(text, depth=60) == []


def test_json_nested_beyond_the_stack_is_refused():
    assert "nested deeper" in problems('{"a":' * 100_000 + "1" + "}" * 100_000)[0]


def test_size_and_number_are_bounded():
    assert problems("a: 1234", file_bytes=6) == ["app.yaml: larger than 6 bytes (split the file)"]
    assert problems("a: 1\n---\n" * 5, documents=3) == ["app.yaml: more than 3 documents"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1.0, "b": 1e3, "c": -0.0, "d": "\\ud83d\\ude00\\/"}', [{"a": 1, "b": 1000, "c": 0, "d": "😀/"}]),
        ('\n{"a": 1}\n{"b": 2}', [{"a": 1}, {"b": 2}]),
        ('{"a": 1}\n---\nb: 2\n---\n{"c": 3}', [{"a": 1}, {"b": 2}, {"c": 3}]),
        ("{a: 1, b: yes}", [{"a": 1, "b": True}]),
        ('{"a": 9223372036854775808}', [{"a": 9.223372036854775808e18}]),
        ('{"a": ' + "1" * 400 + "}", [{"a": "1" * 400}]),
        ('{"a": 1e999}', [{"a": "1e999"}]),
        ('{"a": NaN}', [{"a": "NaN"}]),
    ],
)
def test_json_is_read_as_json_and_otherwise_as_yaml(text, expected):
    assert values(text) == expected


def test_json_documents_know_their_lines():
    assert [one.line for one in read('\n{"a": 1}\n\n{"b": 2}').documents] == [2, 4]


def test_duplicate_keys_in_json_are_refused_with_their_line():
    assert problems('{"a": 1,\n "b": {"c": 1,\n "c": 2}}') == ["app.yaml:3: duplicate key 'c' (keep one of them)"]
    assert problems('{"a": "\\ud83d\\ude00",\n "a": 2}') == ["app.yaml:1: duplicate key 'a'"]


def test_half_a_surrogate_pair_is_refused():
    assert problems('{"a": "\\ud83d"}') == ["app.yaml:1: a string holds half a surrogate pair"]


class DictMemo(dict):
    """A memo that forgets nothing."""

    def put(self, key, value):
        self[key] = value


def test_a_memo_spares_the_parser_and_keeps_lines_apart():
    memo = DictMemo()
    text = b"kind: List\nitems:\n- a: 1\n"
    first = read_file(text, "x", memo=memo)
    again = read_file(b"# moved\n---\n" + text, "x", memo=memo)
    assert len(memo) == 2
    assert again.documents[0].value == first.documents[0].value
    assert (again.documents[0].line, again.documents[0].item_lines) == (3, (5,))
    memo.update(dict.fromkeys(memo, b"[[7, 1, []]]"))
    assert [one.value for one in read_file(text, "x", memo=memo).documents] == [7]


def test_faults_and_expansions_are_not_remembered():
    memo = DictMemo()
    read_file(b"a: 1\na: 2\n---\nb: &b 1\nc: *b\n", "x", memo=memo)
    assert memo == {}


texts = st.text("aé😀\"\\:#-{}[]&*!|>'%@` ,?0.1yn~=<", max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc", min_size=1), json_values, min_size=1))
def test_json_survives_the_way_through_json_and_yaml(value):
    text = json.dumps(value, ensure_ascii=False)
    assert values(text) == [value]
    assert values(f"# no JSON\n{text}") == [value]


@given(st.dictionaries(st.text("abc", min_size=1), json_values, min_size=1))
def test_quoted_yaml_survives(value):
    text = yaml.dump(value, default_style='"', allow_unicode=True, width=1 << 20)
    assert values(text) == [value]


@given(st.binary(max_size=200))
def test_reading_never_raises(data):
    content = read_file(data, "x")
    assert all(problem.origin and problem.origin.file == "x" for problem in content.problems)


@given(st.text("ab:-{}[]&*!|>'\"#, \n\t~<0", max_size=60))
def test_reading_near_yaml_never_raises(text):
    content = read_file(text.encode(), "x")
    json.dumps([document.value for document in content.documents], allow_nan=False)
    assert all(problem.origin and 0 < problem.origin.line <= text.count("\n") + 2 for problem in content.problems)
