"""Indexes of chart repositories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.errors import SourceError
from trimtab.source.chart_index import MAX_DEPTH, MAX_EVENTS, MAX_INDEX_BYTES, MAX_VERSIONS, ChartVersion, parse_index

INDEX = b"""
apiVersion: v1
generated: "2026-01-01T00:00:00Z"
serverInfo: {deep: [{a: [b]}]}
entries:
  web:
  - name: web
    version: 1.10.0
    appVersion: "3"
    dependencies: [{name: db, version: 1.x}]
    urls: [web-1.10.0.tgz, https://mirror.example/web.tgz]
    digest: AAAA
  - {name: web, version: 1.9.0, urls: [[nested], web-1.9.0.tgz], digest: "sha256:bbbb"}
  - {name: web, version: 2.0.0-rc.1, urls: [web-2.tgz]}
  - {name: web, version: 3.0.0}
  - junk
  empty: []
  nothing: null
"""


def test_versions_are_read():
    charts = parse_index(INDEX).charts
    assert charts["web"][0] == ChartVersion("1.10.0", "web-1.10.0.tgz", "aaaa")
    assert charts["web"][1] == ChartVersion("1.9.0", "web-1.9.0.tgz", "bbbb")
    assert [each.version for each in charts["web"]] == ["1.10.0", "1.9.0", "2.0.0-rc.1"]
    assert (charts["empty"], charts["nothing"]) == ((), ())


@pytest.mark.parametrize(
    ("version", "chosen"),
    [("*", "1.10.0"), ("<1.10", "1.9.0"), ("2.0.0-rc.1", "2.0.0-rc.1"), (">=2.0.0-0", "2.0.0-rc.1")],
)
def test_ranges_choose_the_newest(version, chosen):
    assert parse_index(INDEX).choose("web", version).version == chosen


@pytest.mark.parametrize(
    ("name", "version", "reason"),
    [
        ("db", "*", "ChartNotFound"),
        ("empty", "*", "ChartNotFound"),
        ("web", ">3", "ChartNotFound"),
        ("web", "!!", "InvalidVersion"),
    ],
)
def test_what_is_not_there_is_said(name, version, reason):
    with pytest.raises(SourceError) as refused:
        parse_index(INDEX).choose(name, version)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no mapping"),
        (b"[]", "no mapping"),
        (b"a: b", "no entries"),
        (b"a: [", "no YAML"),
        (b"\xff\xfe\x00", "no YAML"),
        (b"a: &x [1]\nentries: *x", "alias"),
        (b"a: " + b"[" * (MAX_DEPTH + 1), "nested too deeply"),
        (b"entries: {web: {version: 1}}", "where the versions"),
        (b"? [a]\n: b", "key that is no text"),
    ],
)
def test_hostile_indexes_are_refused(content, said):
    with pytest.raises(SourceError, match=said) as refused:
        parse_index(content)
    assert refused.value.reason == "IndexRefused"


def test_an_index_that_is_too_large_is_not_read():
    with pytest.raises(SourceError, match="larger than"):
        parse_index(b" " * (MAX_INDEX_BYTES + 1))


def test_entries_of_another_shape_hold_nothing():
    assert parse_index(b"entries: none").charts == {}
    assert parse_index(b"entries: {web: [[a, {b: c}]]}").charts == {"web": ()}


def test_too_many_versions_are_refused(monkeypatch):
    monkeypatch.setattr("trimtab.source.chart_index.MAX_VERSIONS", 2)
    with pytest.raises(SourceError, match="more than 2"):
        parse_index(INDEX)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(content):
    try:
        reason = "" if parse_index(content).charts is not None else "nothing"
    except SourceError as refused:
        reason = refused.reason
    assert reason in ("", "IndexRefused")


@pytest.mark.parametrize("content", [b"a: [" + b"1, " * 500 + b"1]\nentries: {}\n", INDEX])
def test_what_an_index_makes_of_its_bytes_is_bounded(monkeypatch, content):
    monkeypatch.setattr("trimtab.source.chart_index.MAX_EVENTS", 50)
    with pytest.raises(SourceError, match="is made of more than 50 parts") as refused:
        parse_index(content)
    assert refused.value.reason == "IndexRefused"


def test_lists_of_everything_that_a_repository_ever_had_have_room():
    assert MAX_VERSIONS >= 20_000
    # So much helm and its plugins write for one version.
    assert MAX_EVENTS / MAX_VERSIONS >= 60
