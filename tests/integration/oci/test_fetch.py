"""Artifacts out of a real registry: which one is taken, what is verified, what a look at an unchanged one costs."""

import base64
import json
from pathlib import Path

import oras.client
import pytest
from tests.fixtures.oci_registry import LAYER, PASSWORD, USERNAME, digest_of, tgz
from tests.fixtures.web_server import Page
from tests.integration.oci.conftest import spec_of

from trimtab.core.errors import SourceError
from trimtab.reconcile.artifacts import Artifact, Artifacts
from trimtab.reconcile.ports.downloads import NO_ACCESS, Access
from trimtab.reconcile.queue import Key
from trimtab.source.oci_manifest import CHART_LAYER, OCI_MANIFEST

FILES = {"deploy/a.yaml": "kind: A\n", "deploy/b.yaml": "kind: B\n", "readme.md": "hello"}


def texts(target: Path) -> dict[str, str]:
    return {path.relative_to(target).as_posix(): path.read_text() for path in target.rglob("*") if path.is_file()}


async def files_of(tree, target: Path, *paths: str) -> dict[str, str]:
    await tree.materialise(list(paths or [""]), target)
    return texts(target)


def push_by_oras(target: str) -> None:
    Path("app.yaml").write_text("kind: A\n")
    oras.client.OrasClient(insecure=True).push(target=target, files=["app.yaml:application/yaml"])


async def test_a_tag_is_fetched(start_registry, sources, tmp_path):
    registry = start_registry()
    digest = registry.push_files("app", "1.0", FILES, annotations={"org.opencontainers.image.revision": "main@sha1:x"})
    found = await sources.fetch(spec_of(registry, ref={"tag": "1.0"}), NO_ACCESS, {}, None)
    assert str(found.revision) == f"1.0@{digest}"
    assert found.annotations == {"org.opencontainers.image.revision": "main@sha1:x"}
    assert await files_of(found.tree, tmp_path / "all") == FILES
    assert set(await files_of(found.tree, tmp_path / "some", "deploy")) == {"deploy/a.yaml", "deploy/b.yaml"}
    assert await found.tree.digest("deploy") != await found.tree.digest("")
    with pytest.raises(SourceError) as refused:
        await found.tree.digest("nowhere")
    assert refused.value.reason == "PathNotFound"


async def test_what_an_independent_client_pushed_is_fetched(start_registry, sources, tmp_path, monkeypatch):
    registry = start_registry()
    monkeypatch.chdir(tmp_path)
    push_by_oras(f"{registry.host}/app:1.0")
    spec = spec_of(registry, ref={"tag": "1.0"}, layerSelector={"mediaType": "application/yaml", "operation": "copy"})
    found = await sources.fetch(spec, NO_ACCESS, {}, None)
    assert await files_of(found.tree, tmp_path / "out") == {"app.yaml": "kind: A\n"}


async def test_an_unchanged_tag_costs_one_head(start_registry, start_web, sources):
    registry, front = start_registry(), start_web()
    digest = registry.push_files("app", "latest", FILES)
    manifest = {"Docker-Content-Digest": digest, "Content-Type": OCI_MANIFEST}
    spec = spec_of(registry)
    first = await sources.fetch(spec, NO_ACCESS, {}, None)
    front.routes["/v2/app/manifests/latest"] = Page(headers=manifest)
    there = spec.model_copy(update={"url": f"oci://{front.host}/app"})
    again = await sources.fetch(there, NO_ACCESS, {}, first)
    assert again is first
    assert front.paths() == ["HEAD /v2/app/manifests/latest"]


async def test_a_moved_tag_gives_other_files_and_the_same_content_the_same_digest(start_registry, sources):
    registry = start_registry()
    registry.push_files("app", "latest", FILES)
    first = await sources.fetch(spec_of(registry), NO_ACCESS, {}, None)
    registry.push_files("app", "latest", {**FILES, "deploy/a.yaml": "kind: C\n"})
    second = await sources.fetch(spec_of(registry), NO_ACCESS, {}, first)
    assert second.revision != first.revision
    assert await second.tree.digest("deploy") != await first.tree.digest("deploy")
    registry.push_files("app", "latest", {**FILES, "readme.md": "other"})
    third = await sources.fetch(spec_of(registry), NO_ACCESS, {}, second)
    assert await third.tree.digest("deploy") == await first.tree.digest("deploy")


async def test_ranges_and_digests(start_registry, sources):
    registry = start_registry()
    pushed = {tag: registry.push_files("app", tag, {"tag.yaml": tag}) for tag in ("1.0.0", "1.2.0", "2.0.0-rc.1", "x")}
    range_ = spec_of(registry, ref={"semver": "1.x", "tag": "x"})
    assert str((await sources.fetch(range_, NO_ACCESS, {}, None)).revision) == f"1.2.0@{pushed['1.2.0']}"
    filtered = spec_of(registry, ref={"semver": ">=1.0.0-0", "semverFilter": "rc"})
    assert (await sources.fetch(filtered, NO_ACCESS, {}, None)).digest == pushed["2.0.0-rc.1"]
    exact = spec_of(registry, ref={"digest": pushed["1.0.0"], "semver": "1.x"})
    found = await sources.fetch(exact, NO_ACCESS, {}, None)
    assert str(found.revision) == pushed["1.0.0"]


async def test_indexes_of_several_platforms(start_registry, sources, tmp_path):
    registry = start_registry()
    entries = []
    for architecture in ("arm64", "amd64"):
        digest = registry.push_files("app", architecture, {"arch.yaml": architecture})
        platform = {"os": "linux", "architecture": architecture}
        entries.append({"mediaType": OCI_MANIFEST, "digest": digest, "size": 500, "platform": platform})
    digest = registry.push_index("app", "latest", *entries)
    found = await sources.fetch(spec_of(registry), NO_ACCESS, {}, None)
    assert found.digest == digest
    assert await files_of(found.tree, tmp_path / "out") == {"arch.yaml": "amd64"}


async def test_layers_are_chosen_by_media_type_and_charts_lose_their_folder(start_registry, sources, tmp_path):
    registry = start_registry()
    chart = tgz({"web/Chart.yaml": "name: web", "web/templates/a.yaml": "kind: A"})
    registry.push("web", "1.0.0", (LAYER, tgz({"other": "x"}), {}), (CHART_LAYER, chart, {}))
    for operation in ("extract", "copy"):
        selector = {"mediaType": CHART_LAYER, "operation": operation}
        spec = spec_of(registry, "web", ref={"tag": "1.0.0"}, layerSelector=selector)
        found = await sources.fetch(spec, NO_ACCESS, {}, None)
        written = await files_of(found.tree, tmp_path / operation)
        assert written == {"Chart.yaml": "name: web", "templates/a.yaml": "kind: A"}


async def test_another_layer_of_one_artifact_is_another_artifact(start_registry, sources, tmp_path):
    registry = start_registry()
    layers: list[tuple[str, bytes, dict[str, str]]] = [
        (kind, tgz({"a.yaml": f"kind: {kind[-1]}"}), {}) for kind in ("a/a", "b/b")
    ]
    registry.push("app", "latest", *layers)
    newest, key, known = Artifacts(), Key("OCIRepository", "team", "app"), None
    for kind, _, _ in layers:
        known = await sources.fetch(spec_of(registry, layerSelector={"mediaType": kind}), NO_ACCESS, {}, known)
        assert await files_of(known.tree, tmp_path / kind[-1]) == {"a.yaml": f"kind: {kind[-1]}"}
        assert newest.put(key, Artifact(known.tree, known.revision, None, 0.0, known.digest))
        # Found in store it is the same.
        again = await sources.fetch(spec_of(registry, layerSelector={"mediaType": kind}), NO_ACCESS, {}, None)
        assert not newest.put(key, Artifact(again.tree, again.revision, None, 0.0, again.digest))


@pytest.mark.parametrize("form", ["basic", "docker"])
async def test_passwords_and_own_authorities(start_registry, sources, form):
    registry = start_registry(passwords=True, tls=True)
    assert registry.authority is not None
    registry.push_files("app", "latest", FILES)
    both = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    docker = json.dumps({"auths": {registry.host: {"auth": both}}}).encode()
    shown = {"username": USERNAME, "password": PASSWORD} if form == "basic" else {"docker_config": docker}
    right = Access(ca_pem=registry.authority.pem, **shown)
    assert (await sources.fetch(spec_of(registry), right, {}, None)).tree.revision
    wrong = {
        "AuthenticationFailed": Access(ca_pem=registry.authority.pem, username=USERNAME, password="wrong-canary"),
        "TLSFailed": Access(**shown),
    }
    for reason, access in wrong.items():
        with pytest.raises(SourceError) as refused:
            await sources.fetch(spec_of(registry), access, {}, None)
        assert refused.value.reason == reason
        assert "canary" not in str(refused.value)
    with pytest.raises(SourceError) as refused:
        await sources.fetch(spec_of(registry), Access(ca_pem=registry.authority.pem), {}, None)
    assert refused.value.reason == "AuthenticationFailed"


async def test_a_digest_alone_gives_nobody_what_another_has_fetched(start_registry, sources):
    registry = start_registry(passwords=True)
    digest = registry.push_files("app", "latest", FILES)
    spec = spec_of(registry, ref={"digest": digest})
    right = Access(username=USERNAME, password=PASSWORD)
    found = await sources.fetch(spec, right, {}, None)
    assert found.digest == digest
    for access in (NO_ACCESS, Access(username=USERNAME, password="wrong")):
        with pytest.raises(SourceError) as refused:
            await sources.fetch(spec, access, {}, None)
        assert refused.value.reason == "AuthenticationFailed"
    assert (await sources.fetch(spec, right, {}, None)).tree.root == found.tree.root
    assert await sources.fetch(spec, right, {}, found) is found


async def test_blobs_may_lie_elsewhere_and_no_credentials_go_there(start_registry, start_web, sources, tmp_path):
    elsewhere = start_web()
    registry = start_registry(passwords=True, redirect=elsewhere.url)

    def blob(asked):
        return Page((registry.root / asked.path.partition("?")[0].lstrip("/")).read_bytes())

    layer = tgz(FILES)
    digest = digest_of(layer).removeprefix("sha256:")
    elsewhere.routes[f"/docker/registry/v2/blobs/sha256/{digest[:2]}/{digest}/data"] = blob
    registry.push_files("app", "latest", FILES)
    found = await sources.fetch(spec_of(registry), Access(username=USERNAME, password=PASSWORD), {}, None)
    assert await files_of(found.tree, tmp_path / "out") == FILES
    assert [each.authorization for each in elsewhere.asked] == [""]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"ref": {"tag": "nope"}}, "NotFound"),
        ({"ref": {"semver": "9.x"}}, "RefNotFound"),
        ({"ref": {"digest": f"sha256:{'0' * 64}"}}, "NotFound"),
        ({"layerSelector": {"mediaType": "text/x"}}, "LayerNotFound"),
        ({"url": "oci://127.0.0.1:1/app"}, "ConnectionFailed"),
        ({"url": "oci://169.254.169.254/app"}, "AddressRefused"),
        ({"url": "oci://[::ffff:169.254.169.254]/app"}, "AddressRefused"),
        ({"url": "oci://no-such-host.invalid/app"}, "HostNotFound"),
        ({"url": "oci://127.0.0.1/App"}, "InvalidURL"),
    ],
)
async def test_what_cannot_be_had_says_why(start_registry, sources, spec, reason):
    registry = start_registry()
    registry.push_files("app", "latest", FILES)
    with pytest.raises(SourceError) as refused:
        await sources.fetch(spec_of(registry, **spec), NO_ACCESS, {}, None)
    assert refused.value.reason == reason
    assert refused.value.problems[0].remedy


async def test_an_artifact_is_recalled_without_the_registry(start_registry, sources):
    registry = start_registry()
    registry.push_files("app", "latest", FILES)
    spec = spec_of(registry)
    found = await sources.fetch(spec, NO_ACCESS, {}, None)
    gone = spec.model_copy(update={"insecure": False})
    recalled = await sources.recall(gone, {}, found.revision)
    assert recalled is not None
    assert await recalled.tree.digest("") == await found.tree.digest("")
    other = spec.model_copy(update={"url": "oci://other.example/app"})
    assert await sources.recall(other, {}, found.revision) is None
