"""LFS: what counts as a pointer, and what of a server's answer is believed."""

from typing import Any

import pytest

from trimtab.core.errors import SourceError
from trimtab.source.lfs import MAX_POINTER_BYTES, Download, Pointer, batch_request, batch_url, downloads, pointer_of

OID = "a" * 64
URL = "https://git.example.org/app"
WANTED = Pointer(OID, 5)
TEXT = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 5\n".encode()


def answer(**changes: Any) -> dict[str, Any]:
    action = {"href": "https://media.example.org/x", "header": {"X-Amz-Date": "abc"}, **changes}
    return {"objects": [{"oid": OID, "size": 5, "actions": {"download": action}}]}


def test_a_pointer_is_told_from_other_files() -> None:
    assert pointer_of(TEXT) == WANTED
    assert pointer_of(TEXT.replace(b"oid", b"ext-0-x sha256:1\noid")) == WANTED
    for other in (
        b"",
        b"kind: ConfigMap\n",
        TEXT[:60],
        TEXT.replace(b"size 5", b"size x"),
        b"#\n" + TEXT,
        TEXT + b" " * MAX_POINTER_BYTES,
    ):
        assert pointer_of(other) is None


def test_the_batch_is_asked_for_below_the_repository() -> None:
    assert batch_url(URL) == batch_url(URL + ".git") == batch_url(URL + "/") == URL + ".git/info/lfs/objects/batch"
    assert batch_request([WANTED])["objects"] == [{"oid": OID, "size": 5}]


def test_where_files_are_and_nothing_of_it_shows() -> None:
    (found,) = downloads(answer(), [WANTED], url=URL)
    assert found == Download(WANTED, "https://media.example.org/x", {"X-Amz-Date": "abc"})
    assert "abc" not in repr(found)
    assert "media" not in repr(found)
    assert downloads(answer(header=None), [WANTED], url=URL)[0].headers == {}
    assert downloads(answer(href="http://h/x"), [WANTED], url="http://h/app")


@pytest.mark.parametrize(
    ("href", "sent"),
    [
        ("https://git.example.org/x", {"Authorization", "Accept", "X-Amz-Date", "x-ms-version", "x-goog-a"}),
        ("https://git.example.org:444/x", {"Accept", "X-Amz-Date", "x-ms-version", "x-goog-a"}),
        ("https://media.example.org/x", {"Accept", "X-Amz-Date", "x-ms-version", "x-goog-a"}),
    ],
)
def test_headers_are_sent_as_far_as_stores_need_them_and_nothing_that_proves_a_right_elsewhere(href, sent) -> None:
    harmless = ("Accept", "X-Amz-Date", "x-ms-version", "x-goog-a")
    others = ("Metadata", "Metadata-Flavor", "X-Google-Metadata-Request", "X-aws-ec2-metadata-token", "X-Vault-Token")
    names = (*harmless, *others, "Authorization", "Cookie", "Host", "Content-Length", "Transfer-Encoding")
    (found,) = downloads(answer(href=href, header=dict.fromkeys(names, "x")), [WANTED], url=URL)
    assert set(found.headers) == sent


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        {"objects": "x"},
        {"objects": [1, {"oid": 5}]},
        {"objects": [{"oid": OID, "error": {"code": 404, "message": "secret"}}]},
        {"objects": [{"oid": OID, "error": "secret"}]},
        {"objects": [{"oid": OID, "actions": {"download": 5}}]},
        answer(href="http://media.example.org/x"),
        answer(href="https://user:secret@media.example.org/x"),
        answer(href="https://[secret"),
        answer(href="https://h/\nx"),
        answer(header=["secret"]),
        answer(header={"A B": "secret"}),
        answer(header={"A": "secret\r\nB: c"}),
        answer(header={"A": 1}),
        answer(header={f"A{number}": "x" for number in range(30)}),
    ],
)
def test_answers_that_are_not_believed(given: object) -> None:
    with pytest.raises(SourceError) as caught:
        downloads(given, [WANTED], url=URL)
    assert caught.value.reason == "LfsFailed"
    assert "secret" not in str(caught.value)
