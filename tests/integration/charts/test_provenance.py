"""Charts signed by real keys, from web servers and registries: taken with their signer, refused with why."""

import os
import subprocess

import pytest
import yaml
from tests.fixtures.oci_registry import digest_of, tgz
from tests.fixtures.web_server import Page

from trimtab.api.oci_repository import OciRepositorySpec
from trimtab.core.errors import SourceError
from trimtab.localcluster.assets import Finder
from trimtab.reconcile.ports.downloads import NO_ACCESS
from trimtab.source.oci_manifest import CHART_LAYER, PROVENANCE_LAYER
from trimtab.source.signed_object import NotVerified
from trimtab.source.trusted_keys import trusted_keys

ADA, EVE = "Ada Example <ada@example.org>", "Eve Example <eve@example.org>"
SECONDS = 60.0


def description(version="1.0.0", name="web"):
    return yaml.safe_dump({"apiVersion": "v2", "name": name, "version": version})


def packed_chart(version="1.0.0", *, word="a"):
    return tgz({"web/Chart.yaml": description(version), "web/values.yaml": f"word: {word}\n"})


def text_of(packed, version="1.0.0", *, name="web"):
    """What `helm package --sign` signs."""
    sums = {"files": {f"{name}-{version}.tgz": digest_of(packed)}}
    return f"{description(version, name)}\n...\n{yaml.safe_dump(sums)}".encode()


def offer(web, packed, prov, *, version="1.0.0"):
    entry = {"version": version, "urls": [f"web-{version}.tgz"], "digest": digest_of(packed).removeprefix("sha256:")}
    web.routes["/charts/index.yaml"] = Page(yaml.safe_dump({"apiVersion": "v1", "entries": {"web": [entry]}}).encode())
    web.routes[f"/charts/web-{version}.tgz"] = Page(packed)
    web.routes.pop(f"/charts/web-{version}.tgz.prov", None)
    if prov is not None:
        web.routes[f"/charts/web-{version}.tgz.prov"] = Page(prov)


async def take(charts, web, keys, *, version="*"):
    found = await charts.index(f"{web.url}/charts", NO_ACCESS, None, timeout_seconds=SECONDS)
    trusted = trusted_keys(keys) if keys is not None else None
    return await charts.chart(found, NO_ACCESS, name="web", version=version, timeout_seconds=SECONDS, keys=trusted)


async def fetch(sources, registry, keys, **ref):
    spec = OciRepositorySpec.model_validate(
        {
            "url": f"oci://{registry.host}/charts/web",
            "insecure": True,
            "ref": ref or {"tag": "1.0.0"},
            "layerSelector": {"mediaType": CHART_LAYER},
            "verify": {"provider": "pgp", "secretRef": {"name": "keys"}},
        }
    )
    return await sources.fetch(spec, NO_ACCESS, keys, None)


def push(registry, packed, prov, *, tag="1.0.0", kind=CHART_LAYER):
    layers = [(kind, packed, {})] + ([(PROVENANCE_LAYER, prov, {})] if prov is not None else [])
    registry.push("charts/web", tag, *layers)


@pytest.fixture
def ada(keyring):
    return keyring.make(ADA)


@pytest.fixture
def keys(keyring, ada):
    return {"ada.asc": keyring.export(ada)}


def bad_provenances(keyring, ada):
    """What is no proof, and the word of why not."""
    packed, right = packed_chart(), keyring.clear_sign(text_of(packed_chart()), ada)
    eve = keyring.make(EVE)
    return {
        "missing": (packed, None, "has no provenance"),
        "wrong key": (packed, keyring.clear_sign(text_of(packed), eve), "which is not in verify.secretRef"),
        "other archive": (packed_chart(word="b"), right, "is not the one that was signed"),
        "changed text": (packed, right.replace(b"name: web", b"name: wen"), "does not fit: it was tampered with"),
        "no signature": (packed, text_of(packed), "no single clear-signed text"),
        "two texts": (packed, right + right, "no single clear-signed text"),
        "words before": (packed, text_of(packed) + b"\n" + right, "no single clear-signed text"),
        "nothing of a chart": (packed, keyring.clear_sign(b"hello\n", ada), "no provenance of a chart"),
        "other name": (packed, keyring.clear_sign(text_of(packed, name="db"), ada), r"signed for chart 'db 1\.0\.0'"),
        "other version": (
            packed,
            keyring.clear_sign(text_of(packed, "0.9.0"), ada),
            r"signed for chart 'web 0\.9\.0', not for 'web 1\.0\.0'",
        ),
        "too large": (packed, keyring.clear_sign(b"x\n" * 200_000, ada), "larger than|more than"),
    }


CASES = (
    "missing",
    "wrong key",
    "other archive",
    "changed text",
    "no signature",
    "two texts",
    "words before",
    "nothing of a chart",
    "other name",
    "other version",
    "too large",
)


async def test_a_chart_signed_by_a_given_key_names_its_signer(web, charts, keyring, ada, keys):
    packed = packed_chart()
    offer(web, packed, keyring.clear_sign(text_of(packed), ada))
    found = await take(charts, web, keys)
    assert (found.version, found.signed_by) == ("1.0.0", f"{ADA} ({ada})")
    assert found.tree.listing["values.yaml"]
    asked = len(web.asked)
    again = await take(charts, web, keys)
    assert (again.signed_by, len(web.asked)) == (found.signed_by, asked + 1), "what was verified is at hand"


@pytest.mark.parametrize("case", CASES)
async def test_charts_that_are_refused(web, charts, store, keyring, ada, keys, case):
    packed, prov, words = bad_provenances(keyring, ada)[case]
    offer(web, packed, prov)
    with pytest.raises(SourceError, match=words) as refused:
        await take(charts, web, keys)
    if case == "too large":
        assert refused.value.reason == "TooLarge"
    else:
        assert isinstance(refused.value, NotVerified)
        assert (refused.value.reason, refused.value.retry) == ("VerificationFailed", True)
    assert list(store.room().iterdir()) == []
    assert (await take(charts, web, None)).signed_by == "", "without verify nothing is asked of it"


async def test_what_nobody_looked_at_is_not_taken_for_verified(web, charts, keyring, ada, keys):
    packed = packed_chart()
    offer(web, packed, None)
    await take(charts, web, None)
    with pytest.raises(NotVerified, match="has no provenance"):
        await take(charts, web, keys)
    offer(web, packed, keyring.clear_sign(text_of(packed), ada))
    assert (await take(charts, web, keys)).signed_by
    with pytest.raises(NotVerified, match=r"not in verify\.secretRef"):
        await take(charts, web, {"eve.asc": keyring.export(keyring.make(EVE))})


async def test_a_key_must_be_valid(web, charts, keyring):
    old = keyring.make("Old <old@example.org>", at="20260101T000000", expires="20260601T000000")
    packed = packed_chart()
    offer(web, packed, keyring.clear_sign(text_of(packed), old, at="20260501T120000"))
    with pytest.raises(NotVerified, match=f"key {old} that signed it has expired"):
        await take(charts, web, {"old.asc": keyring.export(old)})


async def test_a_secret_without_pgp_keys_is_told(web, charts, keyring, ada):
    packed = packed_chart()
    offer(web, packed, keyring.clear_sign(text_of(packed), ada))
    line = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGTg0CgZFmk7VVm9mpvb4cXEGUB2vT5g5qXl0mIFbHN+ ada"
    with pytest.raises(NotVerified, match="holds no PGP key"):
        await take(charts, web, {"ada": line})


async def test_the_chart_in_the_archive_must_be_the_one_signed(web, charts, store, keyring, ada, keys):
    packed = tgz({"web/Chart.yaml": description("0.1.0")})
    offer(web, packed, keyring.clear_sign(text_of(packed), ada))
    with pytest.raises(NotVerified, match=r"Chart\.yaml names another chart or version"):
        await take(charts, web, keys)
    assert list(store.room().iterdir()) == []


async def test_a_chart_of_a_registry_names_its_signer(start_registry, sources, keyring, ada, keys):
    registry, packed = start_registry(), packed_chart()
    prov = keyring.clear_sign(text_of(packed), ada)
    push(registry, packed, prov)
    push(registry, packed, prov, tag="latest")
    push(registry, packed, prov, tag="2.0.0")
    assert (await fetch(sources, registry, keys)).signed_by == f"{ADA} ({ada})"
    assert (await fetch(sources, registry, keys, semver="1.x")).signed_by
    assert (await fetch(sources, registry, keys, tag="latest")).signed_by
    with pytest.raises(NotVerified, match=r"signed for chart 'web 1\.0\.0', not for 'web 2\.0\.0'"):
        await fetch(sources, registry, keys, tag="2.0.0")


@pytest.mark.parametrize("case", CASES)
async def test_charts_of_registries_that_are_refused(start_registry, sources, store, keyring, ada, keys, case):
    packed, prov, words = bad_provenances(keyring, ada)[case]
    registry = start_registry()
    push(registry, packed, prov)
    with pytest.raises(NotVerified, match=words) as refused:
        await fetch(sources, registry, keys)
    assert refused.value.reason == "VerificationFailed"
    assert list(store.room().iterdir()) == []


async def test_only_charts_have_a_provenance(start_registry, sources, keyring, ada, keys):
    registry, packed = start_registry(), packed_chart()
    registry.push("charts/web", "1.0.0", ("application/vnd.cncf.flux.content.v1.tar+gzip", packed, {}))
    spec = OciRepositorySpec.model_validate(
        {
            "url": f"oci://{registry.host}/charts/web",
            "insecure": True,
            "ref": {"tag": "1.0.0"},
            "verify": {"provider": "pgp", "secretRef": {"name": "keys"}},
        }
    )
    with pytest.raises(NotVerified, match="is no chart"):
        await sources.fetch(spec, NO_ACCESS, keys, None)


@pytest.fixture
def packed_by_helm(keyring, tmp_path):
    """The archive and the provenance of a chart that helm's own program packs and signs, and the signer's key."""
    helm = Finder.from_environment().find(["helm"])["helm"]
    keyring.gpg("--quick-gen-key", ADA, "rsa2048", "sign", "never")
    ring = tmp_path / "secring.gpg"
    ring.write_bytes(keyring.gpg("--export-secret-keys", f"={ADA}"))
    chart = tmp_path / "web"
    chart.mkdir()
    (chart / "Chart.yaml").write_text(description("1.2.3+b1"))
    argv = [helm, "package", chart, "--sign", "--key", "Ada Example", "--keyring", ring, "--destination", tmp_path]
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    subprocess.run(argv, check=True, capture_output=True, env=env)
    made = [(tmp_path / f"web-1.2.3+b1.tgz{end}").read_bytes() for end in ("", ".prov")]
    return (*made, keyring.export(f"={ADA}"))


async def test_what_helm_itself_has_signed_is_verified(web, charts, packed_by_helm):
    packed, prov, key = packed_by_helm
    offer(web, packed, prov, version="1.2.3+b1")
    found = await take(charts, web, {"ada.asc": key}, version="1.x")
    assert found.signed_by.startswith(ADA)
