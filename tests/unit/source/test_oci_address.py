"""Addresses of OCI repositories."""

import pytest

from trimtab.core.errors import SourceError
from trimtab.source.oci_address import OciAddress, check_digest, check_tag, is_digest, is_tag


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("oci://registry.example/team/app", "https://registry.example/v2/team/app"),
        ("oci://registry.example:5000/app/", "https://registry.example:5000/v2/app"),
        ("oci://[::1]:5000/app", "https://[::1]:5000/v2/app"),
        ("oci://docker.io/nginx", "https://registry-1.docker.io/v2/library/nginx"),
        ("oci://docker.io/team/app", "https://registry-1.docker.io/v2/team/app"),
    ],
)
def test_addresses(url, api):
    assert OciAddress.parse(url).api(insecure=False) == api
    assert OciAddress.parse(url).api(insecure=True) == api.replace("https:", "http:")


def test_an_address_is_shown_as_it_is_written():
    assert str(OciAddress.parse("oci://registry.example/team/app")) == "oci://registry.example/team/app"


@pytest.mark.parametrize(
    "url",
    [
        "https://registry.example/app",
        "oci://registry.example",
        "oci://registry.example/App",
        "oci://registry.example/app:1.0",
        "oci://registry.example/../app",
        "oci://user:canary@registry.example/app",
        "oci://registry.example/app?x",
        "oci:///app",
        "oci://reg_istry/app",
        "oci://registry.example/" + "a" * 256,
        "oci://registry.example/a b",
    ],
)
def test_what_is_none_is_refused_without_its_secrets(url):
    with pytest.raises(SourceError) as refused:
        OciAddress.parse(url)
    assert refused.value.reason == "InvalidURL"
    assert "canary" not in str(refused.value)


def test_tags_and_digests():
    assert check_tag("v1.0_x-y") == "v1.0_x-y"
    assert check_digest(f"sha256:{'a' * 64}") == f"sha256:{'a' * 64}"
    assert not is_digest("sha256:abc")
    assert not is_digest(None)
    assert not is_tag("../x")
    for check, text in ((check_tag, "../../x"), (check_tag, ""), (check_digest, "sha512:" + "a" * 64)):
        with pytest.raises(SourceError) as refused:
            check(text)
        assert refused.value.reason == "InvalidRef"
