"""URLs: what git may be told, and that no secret survives being shown."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from trimtab.core.errors import SourceError
from trimtab.source.url import MAX_URL_LENGTH, Place, check_url, place_of, redact, scheme_of, show_url

GOOD = [
    "https://git.example.org/team/app.git",
    "http://127.0.0.1:8080/a",
    "https://[::1]:8443/a.git",
    "https://git.example.org/~ada/app%20one",
    "https://g",
    "ssh://git@git.example.org/team/app.git",
    "ssh://git.example.org:2222/srv/app.git",
    "ssh://ada_1.x@[::1]:22/~ada/app",
]


@pytest.mark.parametrize("url", GOOD)
def test_plain_urls_are_taken_as_they_are(url):
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "git.example.org/a",
        "ssh://git@example.org",
        "ssh://git@example.org/",
        "ssh://-oProxyCommand=x/a",
        "ssh://-l@example.org/a",
        "ssh://git@-oProxyCommand=x/a",
        "ssh://a b@example.org/a",
        "git@example.org:a/b.git",
        "file:///etc",
        "/srv/git/a",
        "ext::sh -c touch% /tmp/x",
        "ext::https://example.org",
        "fd::17/foo",
        "https::https://example.org/a",
        "https:/example.org/a",
        "https:example.org/a",
        "HTTPS//example.org",
        "--upload-pack=touch /tmp/x",
        "-uhttps://example.org/a",
        "https://example.org/a\n",
        "https://example.org/a\r\nX: y",
        "https://example.org/a b",
        "https://example.org/a\0",
        "https://example.org\\@evil.example/a",
        "https://exämple.org/a",
        "https:///a",
        "https://-oProxyCommand=x/a",
        "https://example.org:/a",
        "https://example.org:0/a",
        "https://example.org:99999/a",
        "https://example.org:x/a",
        "https://[::1/a",
        "https://[::1]evil/a",
        "https://$HOME/a",
        "https://example.org/a?token=x",
        "https://example.org/a#frag",
        "https://" + "a" * MAX_URL_LENGTH,
    ],
)
def test_everything_else_is_refused_with_a_remedy(url):
    with pytest.raises(SourceError) as caught:
        check_url(url)
    assert caught.value.reason == "InvalidURL"
    assert caught.value.problems[0].remedy
    assert not caught.value.retry


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:s3cr3t@example.org/a",
        "https://s3cr3t@example.org/a",
        "https://ada:s3cr3t/x@y@example.org/a",
        "ssh://ada:s3cr3t@example.org",
        "ssh://ada:s3cr3t@example.org/a",
        "ada:s3cr3t@example.org",
        "ada:s3cr3t@example.org:a",
        "https://example.org/a?token=s3cr3t",
        "https://example.org/a#s3cr3t",
    ],
)
def test_credentials_in_an_url_are_refused_and_not_repeated(url):
    with pytest.raises(SourceError) as caught:
        check_url(url)
    assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in show_url(url)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("git@github.com:org/app.git", "ssh://git@github.com/org/app.git"),
        ("github.com:/srv/app.git", "ssh://git@github.com/srv/app.git"),
        ("ada@host.example:~/app", "ssh://ada@host.example/~/app"),
    ],
)
def test_the_short_form_of_ssh_is_spelled_out(url, wanted):
    with pytest.raises(SourceError) as caught:
        check_url(url)
    assert caught.value.problems[0].remedy == f"write {wanted}"
    assert check_url(wanted) == wanted


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://git.example.org/a", Place("https", "git.example.org", 443)),
        ("http://[::1]:8080/a", Place("http", "::1", 8080)),
        ("ssh://git.example.org/a", Place("ssh", "git.example.org", 22, "git")),
        ("ssh://ada@[fd00::1]:2222/a", Place("ssh", "fd00::1", 2222, "ada")),
    ],
)
def test_where_an_url_leads(url, place):
    assert place_of(check_url(url)) == place


def test_the_scheme_of_any_text():
    assert [scheme_of(text) for text in ("SSH://x", "https://x", "git@x:y", "")] == ["ssh", "https", "", ""]


def test_the_usual_user_of_ssh_is_shown():
    assert show_url("ssh://git@git.example.org/a") == "ssh://git@git.example.org/a"
    assert show_url("ssh://ada@git.example.org/a") == "ssh://…@git.example.org/a"


secret = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=12, max_size=30)


@given(user=st.text(max_size=10), password=secret, rest=st.text(max_size=20))
def test_a_shown_url_never_holds_its_password(user, password, rest):
    assume(password not in user + rest)
    url = f"https://{user}:{password}@example.org/{rest}"
    assert password not in show_url(url)


@given(password=secret, before=st.text(max_size=40), after=st.text(max_size=40))
@example(password="pass@word/with", before="fatal: ", after=" failed")
def test_redacted_text_holds_no_userinfo_and_no_known_secret(password, before, after):
    assume(password not in before + after)
    assert password not in redact(f"{before} https://u:{password}@example.org/a {after}")
    assert password not in redact(f"{before}{password}{after}", secrets=[password, ""])
    assert password not in redact(f"{before}\nAuthorization: Basic {password}\n{after}")


@given(st.text())
def test_shown_text_is_one_printable_line(text):
    assert redact(text).isprintable()
    assert show_url(text).isprintable()


@given(st.text(max_size=60))
@example("https://example.org/a")
def test_what_is_accepted_can_never_be_an_option_or_another_transport(url):
    try:
        accepted = check_url(url)
    except SourceError:
        return
    assert accepted.startswith(("https://", "http://"))
    assert accepted.isascii()
    assert accepted.isprintable()
    assert "@" not in accepted.split("/")[2]


def test_a_longer_secret_is_taken_out_before_one_it_contains():
    assert redact("key=abcdef", secrets=["abc", "abcdef"]) == "key=…"


def test_what_is_shown_is_bounded():
    assert len(redact("x" * 100_000)) <= 2000
