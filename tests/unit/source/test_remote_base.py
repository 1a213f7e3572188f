"""Remote bases: kustomize's spellings of a repository, ref and folder, and what of them is refused."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.errors import SourceError
from trimtab.source.remote_base import RemoteBase, is_remote, remote_base
from trimtab.source.url import check_url

SHA = "0123456789abcdef0123456789abcdef01234567"
H = "https://git.example.org/team/app"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{H}//deploy/base?ref=v1", RemoteBase(H, "v1", "deploy/base")),
        (f"{H}//deploy/base/", RemoteBase(H, "", "deploy/base")),
        (f"{H}//?ref=main", RemoteBase(H, "main")),
        (H, RemoteBase(H)),
        (f"{H}/deploy/base?version=v1", RemoteBase(H, "v1", "deploy/base")),
        (f"{H}?version=v1&ref=v2&timeout=90s&submodules=false", RemoteBase(H, "v2")),
        (f"{H}.git/deploy?ref=feature/one&timeout=120", RemoteBase(f"{H}.git", "feature/one", "deploy")),
        (f"{H}.git//deploy?ref={SHA.upper()}", RemoteBase(f"{H}.git", SHA, "deploy")),
        ("https://h/a/b/c/repo//x?ref=refs/pull/4/head", RemoteBase("https://h/a/b/c/repo", "refs/pull/4/head", "x")),
        (
            "https://dev.azure.com/org/project/_git/repo/a/b?ref=v1",
            RemoteBase("https://dev.azure.com/org/project/_git/repo", "v1", "a/b"),
        ),
        (f"git::{H}//x", RemoteBase(H, "", "x")),
        ("HTTPS://h/a/b//x", RemoteBase("https://h/a/b", "", "x")),
        ("http://127.0.0.1:8080/app.git//x", RemoteBase("http://127.0.0.1:8080/app.git", "", "x")),
        ("ssh://git@h:2222/a/b//x?ref=v1", RemoteBase("ssh://git@h:2222/a/b", "v1", "x")),
        ("git@h:a/b.git//x?ref=v1", RemoteBase("ssh://git@h/a/b.git", "v1", "x")),
        ("git::git@h:/a/b", RemoteBase("ssh://git@h/a/b")),
        ("git@github.com:a/b//x", RemoteBase("ssh://git@github.com/a/b", "", "x")),
        ("git@github.com/a/b", RemoteBase("ssh://git@github.com/a/b")),
        ("github.com/a/b/x/y?ref=v1", RemoteBase("https://github.com/a/b", "v1", "x/y")),
        ("github.com/a/b//x", RemoteBase("https://github.com/a/b", "", "x")),
    ],
)
def test_the_usual_spellings(text, expected):
    assert is_remote(text)
    assert remote_base(text) == expected


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"{H}//../..", "holds . or .."),
        (f"{H}//a/../../b", "holds . or .."),
        ("https://h/a/../b//x", "holds . or .."),
        ("https://h/a/%2e%2e/b//x", "holds . or .."),
        (f"{H}//a%2fb", "holds . or .."),
        (f"{H}//a%5cb", "holds . or .."),
        (f"{H}?ref=--upload-pack=x", "begins with a dash"),
        (f"{H}?ref=-x", "begins with a dash"),
        (f"{H}?ref=a..b", "holds .."),
        (f"{H}?ref=v1:x", "holds a space"),
        (f"{H}?ref=refs/x", "is no full name"),
        (f"{H}?ref=a%0ab", "control character"),
        (f"{H}?sshkey=c2VjcmV0", "'sshkey' in its query"),
        (f"{H}?submodules=true", "submodules"),
        (f"{H}?timeout=soon", "timeout"),
        (f"{H}?{'a&' * 20}", "malformed query"),
        ("https://h/a/b/x.yaml", "a single file"),
        ("https://raw.example.org/a/b/v1/x.json?ref=v1", "a single file"),
        ("https://h/x.yml", "a single file"),
        (f"{H}//x.yaml?ref=v1", "a single file"),
        ("https://h/a", "does not say which repository"),
        ("https://h//x?ref=v1", "does not say which repository"),
        ("file:///srv/a/b", "only https, http and ssh"),
        ("ext::sh -c id", "only https, http and ssh"),
        ("git::ext::sh -c id", "only https, http and ssh"),
        ("gh:a/b", "only https, http and ssh"),
        ("oci://h/a", "only https, http and ssh"),
        ("base?ref=v1", "only https, http and ssh"),
        ("https://user:hunter2@h/a/b", "credentials inside the URL"),
        ("https://h\\@evil/a/b", "backslash"),
        ("https://-oProxyCommand=x/a/b", "host name"),
        ("ssh://-oProxyCommand=x/a/b", "host name"),
        ("ssh://-l@h/a/b", "credentials inside"),
        (f"{H}#x//y", "fragment"),
        (f"{H}///x", "is absolute"),
    ],
)
def test_the_rest_is_refused_and_says_why(text, fault):
    with pytest.raises(SourceError) as caught:
        remote_base(text)
    (problem,) = caught.value.problems
    assert fault in problem.message
    assert problem.remedy
    assert "hunter2" not in str(problem)
    assert "c2VjcmV0" not in str(problem)


@pytest.mark.parametrize("text", ["../base", "base", "a/b//c", "web.yaml", "a:b/c", "./github.com/x"])
def test_paths_are_not_taken_for_addresses(text):
    assert not is_remote(text)


def test_names_and_refs():
    assert [dict(one) for one in RemoteBase(H, "v1").refs()] == [{"tag": "v1"}, {"branch": "v1"}]
    assert RemoteBase(H).refs() == ({},)
    assert RemoteBase(H, SHA).refs() == ({"commit": SHA},)
    assert RemoteBase(H, "refs/tags/v1").refs() == ({"tag": "v1"},)
    assert RemoteBase(H, "refs/heads/a/b").refs() == ({"branch": "a/b"},)
    assert RemoteBase(H, "refs/pull/1/head").refs() == ({"name": "refs/pull/1/head"},)
    assert RemoteBase(H, SHA).pinned
    assert not RemoteBase(H, "v1").pinned
    base = RemoteBase(H, "v1", "x/y")
    assert (base.name, str(base)) == (f"{H}?ref=v1", f"{H}//x/y?ref=v1")
    assert base.repository == RemoteBase(H, "v1")
    assert RemoteBase(H).name == str(RemoteBase(H)) == H


names = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=6).filter(
    lambda text: not text.startswith("-")
)


@given(parts=st.lists(names, min_size=1, max_size=4), path=st.lists(names, max_size=3), ref=names | st.just(""))
def test_what_is_written_in_full_is_read_back(parts, path, ref):
    base = RemoteBase(f"https://h/{'/'.join(parts)}", ref, "/".join(path))
    assert remote_base(f"{base.url}//{base.path}{f'?ref={ref}' if ref else ''}") == base


@given(st.text(max_size=60) | st.text("https:/.@g%2e?=&ref-\\ab#", max_size=60).map("https://".__add__))
def test_whatever_is_read_is_safe(text):
    try:
        base = remote_base(text)
    except SourceError:
        return
    assert check_url(base.url) == base.url
    assert not base.ref.startswith("-")
    assert ".." not in base.path.split("/")
    assert ".." not in base.url.split("/")
