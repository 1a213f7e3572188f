"""Files encrypted by the real sops are decrypted on their way to manifests, in memory only; all else is told."""

import base64
import json
import threading
from pathlib import Path

import pytest
from tests.integration.render.conftest import FolderTree

from trimtab.adapters.process.decryption import Decryption
from trimtab.adapters.process.private_folder import in_memory
from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.adapters.process.sops import Bounds
from trimtab.api.application import ApplicationSpec
from trimtab.core.errors import RenderError
from trimtab.reconcile.ports import RenderJob
from trimtab.render.inputs import InputRef, RenderInputs, wanted_inputs
from trimtab.render.withholding import Withholding

CANARY = "canary-8c1f-kept-secret"
ENCRYPT_VALUES = ("--encrypted-regex", "^(data|stringData)$")


def secret(name, value=CANARY):
    return (
        f"apiVersion: v1\nkind: Secret\nmetadata:\n    name: {name}\nstringData:\n    password: {value}\n    n: '5'\n"
    )


class MemoryTree(FolderTree):
    """As it is, but for the place where its files may be written."""

    async def materialise(self, paths, target, *, budget=None):
        assert in_memory(target)
        await super().materialise(paths, target)


@pytest.fixture
def scratch(tmp_path):
    """The folder on disk for trees: nothing decrypted comes here."""
    path = tmp_path / "scratch"
    path.mkdir()
    return path


@pytest.fixture
def render(programs, vault, scratch, tmp_path):
    """Render files (path → text) with a Secret of keys; manifests by `Kind/name`."""

    async def start(files, keys, path="k", **options):
        root = tmp_path / "repository"
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        given = {"program": programs["sops"], "vault": vault} | options
        renderer = KustomizeRenderer(kustomize=programs["kustomize"], scratch=scratch, decryption=Decryption(**given))
        body = {"sourceRef": {"name": "x"}, "prune": True, "path": path}
        spec = ApplicationSpec.model_validate(
            body | {"decryption": {"provider": "sops", "secretRef": {"name": "keys"}}}
        )
        assert wanted_inputs(spec) == {InputRef("Secret", "keys")}
        inputs = RenderInputs(objects={InputRef("Secret", "keys"): keys})
        rendered = await renderer.render(RenderJob(spec=spec, tree=MemoryTree(root), inputs=inputs))
        assert list(scratch.iterdir()) == []
        return {f"{one.ref.kind}/{one.ref.name}": one for one in rendered.manifests}

    return start


@pytest.fixture
def problems(render):
    async def start(files, keys, **options):
        with pytest.raises(RenderError) as caught:
            await render(files, keys, **options)
        words = [str(problem) for problem in caught.value.problems]
        assert CANARY not in " ".join(words)
        return words

    return start


# --- round trips


async def test_whole_manifests_by_age(render, safe):
    recipient, key = safe.age()
    files = {
        "k/a.yaml": safe.encrypt(secret("a"), age=recipient, also=ENCRYPT_VALUES),
        "k/b.yaml": secret("b", "plain"),
    }
    found = await render(files, {"x.agekey": key})
    assert found["Secret/a"].body["stringData"] == {"password": CANARY, "n": "5"}
    assert "sops" not in found["Secret/a"].body
    assert found["Secret/b"].body["stringData"]["password"] == "plain"
    assert str(found["Secret/a"].origin) == "k/a.yaml:1"


@pytest.mark.parametrize("algorithm", ["cv25519", "rsa3072"])
async def test_whole_manifests_by_pgp(render, safe, keyring, algorithm):
    ada = keyring.make("Ada Example <ada@example.org>")
    keyring.gpg("--quick-add-key", ada, algorithm, "encr", "never")
    eve = keyring.make_for_encryption("Eve Example <eve@example.org>")
    files = {"k/a.yaml": safe.encrypt(secret("a"), pgp=ada, gnupg=keyring.home, also=ENCRYPT_VALUES)}
    found = await render(files, {"eve.asc": keyring.secret(eve), "ada.asc": keyring.secret(ada)})
    assert found["Secret/a"].body["stringData"]["password"] == CANARY


async def test_several_keys_and_everything_encrypted(render, safe, keyring):
    (one, _), (two, key) = safe.age("one"), safe.age("two")
    ada = keyring.make_for_encryption("Ada Example <ada@example.org>")
    files = {
        "k/a.json": safe.encrypt(
            json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}),
            "json",
            age=f"{one},{two}",
            pgp=ada,
            gnupg=keyring.home,
        )
    }
    assert list(await render(files, {"two.agekey": key})) == ["Secret/a"]
    assert list(await render(files, {"ada.asc": keyring.secret(ada)})) == ["Secret/a"]


async def test_documents_encrypted_together_apart_and_not_at_all(render, safe):
    recipient, key = safe.age()

    def encrypt(text):
        return safe.encrypt(text, age=recipient, also=ENCRYPT_VALUES)

    together = encrypt(secret("a") + "---\n" + secret("b"))
    files = {"k/all.yaml": f"# words\n{secret('c', 'plain')}---\n{together}---\n{encrypt(secret('d'))}---\n"}
    found = await render(files, {"x.agekey": key})
    passwords = {name: one.body["stringData"]["password"] for name, one in found.items()}
    assert passwords == {"Secret/a": CANARY, "Secret/b": CANARY, "Secret/c": "plain", "Secret/d": CANARY}


async def test_what_a_kustomization_uses_and_nothing_else(render, safe):
    recipient, key = safe.age()
    stranger, _ = safe.age("stranger")
    patch = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {added: " + CANARY + "}\n"
    config = "secretGenerator:\n- name: made\n  files: [f.txt, renamed=g.json, i.ini]\n  envs: [v.env]\n"
    kustomization = (
        "namePrefix: x-\nresources: [a.yaml, ../base]\npatches: [{path: p.yaml}]\n"
        "generatorOptions: {disableNameSuffixHash: true}\n" + config
    )
    files = {
        "k/kustomization.yaml": kustomization,
        "k/a.yaml": safe.encrypt(secret("a"), age=recipient, also=ENCRYPT_VALUES),
        "k/p.yaml": safe.encrypt(patch, age=recipient, also=ENCRYPT_VALUES),
        "k/f.txt": safe.encrypt(f"{CANARY}\n\n", "binary", age=recipient),
        "k/g.json": safe.encrypt('{"a": "' + CANARY + '"}', "json", age=recipient),
        "k/i.ini": safe.encrypt(f"[s]\nkey = {CANARY}\n", "ini", age=recipient),
        "k/v.env": safe.encrypt(f"USER=ada\nPASSWORD={CANARY}\n", "dotenv", age=recipient),
        "k/unused.yaml": safe.encrypt(secret("unused"), age=stranger),
        "base/kustomization.yaml": "resources: [b.yaml]\n",
        "base/b.yaml": safe.encrypt(secret("b"), age=recipient, also=ENCRYPT_VALUES),
    }
    found = await render(files, {"x.agekey": key})
    assert set(found) == {"Secret/x-a", "Secret/x-b", "Secret/x-made"}
    assert found["Secret/x-a"].body["stringData"] == {"password": CANARY, "n": "5", "added": CANARY}
    made = {name: base64.b64decode(text).decode() for name, text in found["Secret/x-made"].body["data"].items()}
    assert made["f.txt"] == f"{CANARY}\n\n"
    assert json.loads(made["renamed"]) == {"a": CANARY}
    assert CANARY in made["i.ini"]
    assert "sops" not in made["i.ini"]
    assert (made["USER"], made["PASSWORD"]) == ("ada", CANARY)


# --- refusals


async def test_a_wrong_age_key_names_file_and_recipients(problems, safe):
    (one, _), (two, _), (_, key) = safe.age("one"), safe.age("two"), safe.age("three")
    files = {
        "k/a.yaml": safe.encrypt(secret("a"), age=f"{one},{two}"),
        "k/b.env.yaml": safe.encrypt(secret("b"), age=one),
        "k/c.yaml": secret("c"),
    }
    a, b = await problems(files, {"x.agekey": key})
    assert a == (
        "k/a.yaml: cannot be decrypted with the keys of decryption.secretRef: "
        f"it wants age recipient {one} or {two} (add such a key there)"
    )
    assert b.startswith("k/b.env.yaml: cannot be decrypted")


async def test_a_wrong_pgp_key_names_file_and_fingerprint(problems, safe, keyring):
    ada, eve = (keyring.make_for_encryption(f"{name} <{name}@example.org>") for name in ("ada", "eve"))
    files = {"k/a.yaml": safe.encrypt(secret("a"), pgp=ada, gnupg=keyring.home)}
    (words,) = await problems(files, {"eve.asc": keyring.secret(eve)})
    assert f"it wants PGP key {ada}" in words


@pytest.mark.parametrize("kind", ["env", "ini"])
async def test_flat_formats_name_their_recipients_too(problems, safe, kind):
    (one, _), (_, key) = safe.age("one"), safe.age("two")
    text, form = (f"A={CANARY}\n", "dotenv") if kind == "env" else (f"[s]\na = {CANARY}\n", "ini")
    files = {
        "k/kustomization.yaml": f"secretGenerator: [{{name: made, files: [x.{kind}]}}]\n",
        f"k/x.{kind}": safe.encrypt(text, form, age=one),
    }
    (words,) = await problems(files, {"x.agekey": key})
    assert f"k/x.{kind}: " in words
    assert f"age recipient {one}" in words


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name: a", "name: b"),
        ("password: ENC[AES256_GCM,data:", "password: ENC[AES256_GCM,data:AA"),
        ("mac: ENC[", "other: ENC["),
    ],
)
async def test_a_changed_file_is_refused(problems, safe, before, after):
    recipient, key = safe.age()
    text = safe.encrypt(secret("a"), age=recipient, also=ENCRYPT_VALUES)
    assert before in text
    (words,) = await problems({"k/a.yaml": text.replace(before, after, 1)}, {"x.agekey": key})
    assert words.startswith("k/a.yaml: does not fit its checksum: it was changed after it was encrypted")


async def test_a_missing_secret_and_missing_parts_are_told(problems, safe, render):
    recipient, key = safe.age()
    files = {"k/a.yaml": safe.encrypt(secret("a"), age=recipient)}
    assert "the Secret keys of decryption.secretRef is missing" in (await problems(files, None))[0]
    assert "holds no key" in (await problems(files, {"other": b"x"}))[0]
    assert "holds no age key" in (await problems(files, {"x.agekey": b"AGE"}))[0]
    assert "no folder in memory" in (await problems(files, {"x.agekey": key}, vault=None))[0]
    assert "sops is not installed" in (await problems(files, {"x.agekey": key}, program=Path("/nowhere/sops")))[0]
    late = await problems(files, {"x.agekey": key}, bounds=Bounds(timeout_seconds=0.001))
    assert "was stopped" in late[0]


async def test_what_no_kustomization_names_is_not_applied_encrypted(problems, safe):
    recipient, key = safe.age()
    generator = "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: g}\nfiles: [x.json]\n"
    files = {
        "k/kustomization.yaml": "generators: [g.yaml]\n",
        "k/g.yaml": generator,
        "k/x.json": safe.encrypt('{"a": "b"}', "json", age=recipient),
    }
    (words,) = await problems(files, {"x.agekey": key})
    assert "is still encrypted" in words


async def test_what_is_wrong_inside_is_told_without_showing_it(problems, safe):
    recipient, key = safe.age()
    broken = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\n{CANARY}: 1\n{CANARY}: 2\nstringData: [\n"
    files = {
        "k/kustomization.yaml": "resources: [a.txt]\nsecretGenerator: [{name: made, envs: [v.env]}]\n",
        "k/a.txt": safe.encrypt(broken, "binary", age=recipient),
        "k/v.env": safe.encrypt(f"{CANARY}-name=1\n", "dotenv", age=recipient),
    }
    for words in await problems(files, {"x.agekey": key}):
        assert CANARY[:6] not in words
    files["k/kustomization.yaml"] = "resources: [a.yaml]\n"
    files["k/a.yaml"] = files["k/a.txt"]
    found = await problems(files, {"x.agekey": key})
    assert {words.partition(":")[0] for words in found} == {"k/a.yaml"}
    assert CANARY[:6] not in " ".join(found)


async def test_an_object_that_names_the_canary_is_not_quoted(problems, safe):
    recipient, key = safe.age()
    text = secret("a").replace("name: a", f"name: a/{CANARY}")
    files = {"k/a.yaml": safe.encrypt(text, age=recipient)}
    (words,) = await problems(files, {"x.agekey": key})
    assert words.startswith("k/a.yaml:1: ")
    assert "cannot be told without showing what is encrypted" in words


async def test_words_are_searched_beside_the_event_loop(problems, safe, monkeypatch):
    recipient, key = safe.age()
    callers = []

    def watch(name, method):
        def noted(self, *arguments):
            callers.append((name, threading.current_thread() is threading.main_thread()))
            return method(self, *arguments)

        monkeypatch.setattr(Withholding, name, noted)

    watch("note", Withholding.note)
    watch("__call__", Withholding.__call__)
    files = {"k/a.yaml": safe.encrypt(secret("a").replace("name: a", f"name: a/{CANARY}"), age=recipient)}
    assert await problems(files, {"x.agekey": key})
    assert callers == [("note", False), ("__call__", False)]
