"""Differential: what this project reads is what the real kubectl reads, on the corpus and on every oddity known.

`kubectl annotate --local` reads files by the same code as create and apply, needs no server and prints all objects as
JSON, those of unknown kinds, too. `kubectl create --dry-run=client` is compared for the kinds that a cluster serves.
"""

import json
import random
import subprocess

import pytest

from trimtab.core.manifest import Origin
from trimtab.render.documents import read_file
from trimtab.render.objects import to_manifests

MARK = "differential"
HEAD = "apiVersion: v1\nkind: Any\nmetadata: {name: a}\n"


def decoded(text):
    """All JSON values of a text that holds one after the other."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text.rstrip()):
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


def bare(body):
    """Without the annotation that the comparison added, and without what it made empty."""
    metadata = body["metadata"]
    annotations = {k: v for k, v in (metadata.pop("annotations", None) or {}).items() if k != MARK}
    if annotations:
        metadata["annotations"] = annotations
    return body


@pytest.fixture
def kubectl_reads(programs, tmp_path):
    def read(data):
        argv = [programs["kubectl"], "annotate", "--local", "-f", "-", "-o", "json", f"{MARK}=1"]
        environment = {"HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "none")}
        done = subprocess.run(argv, input=data, capture_output=True, check=False, env=environment)
        return [bare(body) for body in decoded(done.stdout.decode())] if done.returncode == 0 else None

    return read


def we_read(data):
    content = read_file(data, "x")
    objects = to_manifests(content.documents, locate=lambda body, line: Origin("x", line))
    if content.problems or objects.problems:
        return None
    return [bare(manifest.body) for manifest in objects.manifests]


def as_numbers(value):
    """Floats in place of integers beyond 64 bits, which kubectl prints without an exponent."""
    if isinstance(value, dict):
        return {key: as_numbers(child) for key, child in value.items()}
    if isinstance(value, list):
        return [as_numbers(child) for child in value]
    return float(value) if type(value) is int and abs(value) >= 2**63 else value


def typed(value):
    """Values with their JSON type, because Python takes True for 1."""
    if isinstance(value, dict):
        return {key: typed(child) for key, child in value.items()}
    if isinstance(value, list):
        return [typed(child) for child in value]
    return (isinstance(value, bool), value)


@pytest.mark.corpus
def test_the_corpus_is_read_alike(corpus, kubectl_reads):
    compared = 0
    for path in sorted(corpus.rglob("*.yaml")):
        data = path.read_bytes()
        expected = kubectl_reads(data)
        found = we_read(data)
        if path.name.startswith("kustomiz") or expected is None:
            continue  # kustomizations are no objects here; a list of patches is nobody's object
        assert typed(found) == typed(expected), path
        compared += len(expected)
    assert compared > 280


ODDITIES = [
    "d: {a: 1, <<: {a: 2}}",
    "d: {<<: {a: 2}, a: 1}",
    "d: {<<: [{a: 2}, {a: 3, b: 4}]}",
    "d: &m {a: 1}\ne: {<<: *m, b: 2}\nf: [*m, *m]",
    "d: {1.10: x, 1e6: z, 123456789.0: z, 0x10: h, yes: b}",
    'd: ! "5"\ne: !!binary aGk=\nf: !x z\ng: !!int "5"\nh: !!timestamp 2020-01-02\ni: ! 5',
    "d: &a {x: &a 1, z: *a}",
    "d: [a: 1, ? b, c]\ne: {a, b: }\nf: !!set {a, b}",
    "d: http://a:80/\ne: {a:1}\nf: {a: b:c}",
    "d:\ta\ne: {\ta: 1,\n\tb: 2}",
    "d: {'<<': {a: 1}}\ne: {!!merge <<: {a: 1}}\nf: {!!str <<: {a: 1}}",
    "d: |\n  text\n  without an end",
    "d: >-\n  folded\n  text\n\n  more\n",
    "d: 'it''s'\ne: \"a\\tb\\u00e9\\x41\"",
    "d: é\ne: 日本\nf: 😀",
    "d:\r\n  e: 1\r\n  f: |\r\n    x\r\n    y\r\n",
    "d: a\n---\n" + HEAD + "e: b\n--- # words\n# words only\n---\n" + HEAD,
]


@pytest.mark.parametrize("text", ODDITIES)
def test_oddities_are_read_alike(kubectl_reads, text):
    data = (HEAD + text).encode()
    assert typed(we_read(data)) == typed(kubectl_reads(data)) != typed(None)


@pytest.mark.parametrize(
    "data",
    [
        (
            b'{"apiVersion":"v1","kind":"C","metadata":{"name":"\\ud83d\\ude00"},"x":1.0,"n":1e3}'
            b'{"apiVersion":"v1","kind":"D","metadata":{"name":"b"},"p":"a\\/b"}'
        ),
        b"{apiVersion: v1, kind: C, metadata: {name: a}}\n---\n{apiVersion: v1, kind: D, metadata: {name: b}}\n",
        b'{"apiVersion":"v1","kind":"C","metadata":{"name":"a"}}\n---\n' + HEAD.encode(),
        b"apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n- metadata: {name: b}\n  data: {a: b}\n",
        "\ufeff".encode() + HEAD.encode(),
        (HEAD + "d: é").encode("utf-16"),
    ],
)
def test_json_lists_and_encodings_are_read_alike(kubectl_reads, data):
    assert typed(we_read(data)) == typed(kubectl_reads(data)) != typed(None)


@pytest.mark.parametrize(
    "text",
    [
        "d: &a [1, *a]",
        "d: *a",
        "d:\n  ? {a: 1}\n  : 2",
        "d:\n  ? ~\n  : 2",
        "d: {<<: ~}",
        "d: {<<: [~]}",
        "d: &m [{a: 1}]\ne: {<<: *m}",
        "d: .inf",
        "d: !!int x",
        "d: 'a\n---\nb'",
        "d: @a",
        "d: [1,,2]",
        "--- foo\n" + HEAD,
        "%YAML 1.1\n---\n" + HEAD,
    ],
)
def test_what_kubectl_refuses_is_refused(kubectl_reads, text):
    data = text.encode() if text[0] in "%-" else (HEAD + text).encode()
    assert kubectl_reads(data) is None
    assert we_read(data) is None


def scalars(seed, count):
    chance = random.Random(seed)
    heads = [
        "",
        "+",
        "-",
        "0",
        "0x",
        "0b",
        "0o",
        ".",
        "-.",
        "1",
        "-0",
        "0b+",
        "-0b",
        "1e",
        "1_",
        "y",
        "t",
        "~",
        "2020-1-",
    ]
    found: set[str] = set()
    while len(found) < count:
        tail = "".join(chance.choice("0123456789_.eE+-xobBX:afFnTZ") for _ in range(chance.randint(0, 7)))
        text = chance.choice(heads) + tail
        if text.strip("-?:") and not text.startswith("---") and not text.endswith(":"):
            found.add(text)
    return sorted(found)


def test_random_scalars_are_read_alike(kubectl_reads):
    texts = scalars(7, 3000)
    data = (HEAD + "d:\n" + "".join(f"- {text}\n" for text in texts)).encode()
    expected, found = kubectl_reads(data)[0]["d"], we_read(data)[0]["d"]
    wrong = [
        (text, theirs, ours)
        for text, theirs, ours in zip(texts, expected, found, strict=True)
        if typed(as_numbers(theirs)) != typed(ours)
    ]
    assert wrong == []


def test_random_keys_are_read_alike(kubectl_reads):
    documents = [f"{HEAD}d:\n  {text}: 1\n" for text in scalars(8, 800)]
    readable = [document for document in documents if we_read(document.encode())]
    data = "---\n".join(readable).encode()
    assert len(readable) > 700
    assert [body["d"] for body in we_read(data)] == [body["d"] for body in kubectl_reads(data)]


@pytest.mark.corpus
def test_create_by_a_client_dry_run_agrees(corpus, kubectl):
    data = (corpus / "microservices-demo/release/kubernetes-manifests.yaml").read_bytes()
    created = kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", stdin=data.decode())
    found = we_read(data)
    assert len(found) == 35
    theirs = [bare(body) for body in decoded(created)]
    for body in theirs:
        if body["metadata"].get("namespace") == "default":
            del body["metadata"]["namespace"]
    assert typed(found) == typed(theirs)
