"""Tables, JSON and YAML."""

import json
import re

import pytest
import yaml

from trimtab.cli.options import Outputs
from trimtab.cli.printing import as_list, plain, print_data, print_table
from trimtab.report.text import Table

TABLE = Table(("NAME", "READY", "MESSAGE"), (("shop", "True", "applied"), ("a-long-name", "False", "two\nlines")))


def test_columns_are_padded_and_rows_stay_one_line():
    assert plain(TABLE).splitlines() == [
        "NAME          READY   MESSAGE",
        "shop          True    applied",
        "a-long-name   False   two lines",
    ]


def test_an_empty_table_is_news_and_no_answer(capsys: pytest.CaptureFixture[str]):
    print_table(Table(("NAME",), ()), empty="nobody is there")
    assert capsys.readouterr() == ("", "nobody is there\n")


def test_a_terminal_gets_a_table_that_fits(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "30")
    print_table(TABLE)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert all(len(line) <= 30 for line in lines)
    assert "a-long-name" in " ".join(lines)


def test_data_is_json_or_yaml(capsys: pytest.CaptureFixture[str]):
    data = {"name": "Zürich", "count": 1}
    print_data(data, Outputs.JSON)
    assert json.loads(capsys.readouterr().out) == data
    print_data(data, Outputs.YAML)
    text = capsys.readouterr().out
    assert yaml.safe_load(text) == data
    assert "Zürich" in text


def test_lists_hide_what_nobody_reads():
    body = {"kind": "Application", "metadata": {"name": "shop", "managedFields": [{}]}}
    assert as_list([body]) == {
        "apiVersion": "v1",
        "kind": "List",
        "items": [{"kind": "Application", "metadata": {"name": "shop"}}],
    }
