"""Ways out of the tree: links, `..` and absolute names in plain folders, kustomizations, charts, Jsonnet and specs.

Most come in pairs, one aimed at a file that is there and one at none: nobody may learn which is which.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.e2e.hostile.attack import (
    CONFIG_MAP,
    PLAIN,
    Attack,
    Elsewhere,
    Ground,
    Lay,
    Row,
    application,
    files,
    kustomization,
    plain_source,
)

from trimtab.adapters.git.bare_repository import Content, Link

_CHART: Final = "apiVersion: v2\nname: c\nversion: 0.1.0\n"
_LINKS: Final = ("CVE-2022-24348", "CVE-2022-24904", "CVE-2022-31036", "CVE-2022-24877")
_VALUES: Final = ("CVE-2022-24730", "CVE-2022-24731", "CVE-2023-40026")


def _pair(
    name: str, what: str, lay: Mapping[str, Content], *, replays: tuple[str, ...], **expected: Any
) -> Iterator[Attack]:
    """A row aimed at @target@, or @up@ for the relative way to it, once there and once not."""
    replays = (*replays, "CVE-2026-47680")
    spec = expected.pop("spec", {})
    for case in ("outside", "absent"):
        aimed = {path: _aimed(content, case) for path, content in lay.items()}
        yield Attack(
            name=f"{name}-{case}",
            what=f"{what}{'' if case == 'outside' else ', where nothing is'}",
            replays=replays,
            lay=files(aimed, **_aimed(spec, case)),
            twin=f"{name}-absent" if case == "outside" else "",
            unseen=("@outside@", "@absent@") if expected.pop("mute", False) else (),
            **expected,
        )


def _aimed(content: Any, case: str) -> Any:
    if isinstance(content, str):
        return content.replace("@target@", f"@{case}@").replace("@up@", f"@up-{case}@")
    if isinstance(content, Link):
        return Link(_aimed(content.target, case))
    if isinstance(content, Mapping):
        return {key: _aimed(value, case) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_aimed(value, case) for value in content]
    return content


def _links() -> Iterator[Row]:
    refused: dict[str, Any] = {
        "replays": _LINKS,
        "reason": "SymlinkRefused",
        "words": "symbolic link leaves the repository",
    }
    yield from _pair("link-absolute", "link to an absolute path", {"app/a.yaml": Link("@target@")}, **refused)
    yield from _pair("link-up", "link that climbs out", {"app/a.yaml": Link("@up@")}, **refused)
    chain: dict[str, Content] = {"app/a.yaml": Link("../step/b"), "step/b": Link("c"), "step/c": Link("@target@")}
    yield from _pair("link-chain", "chain of links that ends outside", chain, **refused)
    folder: dict[str, Content] = {"app/a": Link("@up@/.."), "app/b.yaml": CONFIG_MAP}
    yield from _pair("link-folder", "link to a folder outside", folder, **refused)
    through: dict[str, Content] = {"app/a.yaml": Link("../here/@up@"), "here": Link("there"), "there/x": "x"}
    yield from _pair("link-through", "link that climbs out through a linked folder", through, **refused)
    yield Attack(
        name="link-kubernetes",
        what="link to the controller's service account token",
        replays=_LINKS,
        lay=files({"app/a.yaml": Link("/var/run/secrets/kubernetes.io/serviceaccount/token")}),
        **{key: value for key, value in refused.items() if key != "replays"},
    )
    yield Attack(
        name="link-proc",
        what="link to the controller's environment",
        replays=_LINKS,
        lay=files({"app/a.yaml": Link("/proc/self/environ")}),
        **{key: value for key, value in refused.items() if key != "replays"},
    )
    yield Attack(
        name="link-circle",
        what="links in a circle",
        replays=_LINKS,
        lay=files({"app/a.yaml": Link("b.yaml"), "app/b.yaml": Link("a.yaml")}),
        reason="SymlinkRefused",
        words="symbolic link goes in circles",
    )


_KUSTOMIZE: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "resources": ("resources of a kustomization", {"resources": ["@up@"]}),
    "absolute": ("resources of a kustomization by an absolute path", {"resources": ["@target@"]}),
    "bases": ("bases of a kustomization", {"bases": ["@up@/.."]}),
    "components": ("components of a kustomization", {"components": ["@up@/.."]}),
    "patches": ("the file of a patch", {"resources": ["a.yaml"], "patches": [{"path": "@up@"}]}),
    "merges": ("patchesStrategicMerge", {"resources": ["a.yaml"], "patchesStrategicMerge": ["@up@"]}),
    "json6902": (
        "patchesJson6902",
        {
            "resources": ["a.yaml"],
            "patchesJson6902": [{"target": {"version": "v1", "kind": "ConfigMap", "name": "x"}, "path": "@up@"}],
        },
    ),
    "generator": ("a file of a generator", {"configMapGenerator": [{"name": "g", "files": ["k=@up@"]}]}),
    "generator-absolute": (
        "a file of a generator by an absolute path",
        {"configMapGenerator": [{"name": "g", "files": ["@target@"]}]},
    ),
    "envs": ("envs of a generator", {"secretGenerator": [{"name": "g", "envs": ["@up@"]}]}),
    "generators": ("generators", {"generators": ["@up@"]}),
    "transformers": ("transformers", {"resources": ["a.yaml"], "transformers": ["@up@"]}),
    "validators": ("validators", {"resources": ["a.yaml"], "validators": ["@up@"]}),
    "openapi": ("openapi.path", {"resources": ["a.yaml"], "openapi": {"path": "@up@"}}),
    "crds": ("crds", {"resources": ["a.yaml"], "crds": ["@up@"]}),
    "replacements": ("the file of replacements", {"resources": ["a.yaml"], "replacements": [{"path": "@up@"}]}),
    "configurations": ("configurations", {"resources": ["a.yaml"], "configurations": ["@up@"]}),
    "helm-values": (
        "the values file of a chart in a kustomization",
        {"helmCharts": [{"name": "c", "valuesFile": "@up@"}], "helmGlobals": {"chartHome": "@up@/.."}},
    ),
}


def _kustomize() -> Iterator[Row]:
    for name, (what, content) in _KUSTOMIZE.items():
        lay: dict[str, Content] = {"app/kustomization.yaml": kustomization(**content), "app/a.yaml": CONFIG_MAP}
        yield from _pair(
            f"kustomize-{name}", what, lay, replays=("CVE-2022-24348", "CVE-2022-24877"), reason="BuildFailed"
        )
    linked: dict[str, Content] = {
        "app/kustomization.yaml": kustomization(resources=["../base"]),
        "base": Link("@up@/.."),
    }
    yield from _pair(
        "kustomize-link",
        "resources of a kustomization through a link",
        linked,
        replays=_LINKS,
        reason="SymlinkRefused",
        words="symbolic link leaves the repository",
    )
    yield from _pair(
        "kustomize-spec",
        "components of the spec",
        {"app/a.yaml": CONFIG_MAP},
        replays=("CVE-2022-24877",),
        spec={"kustomize": {"components": ["@up@/.."]}},
        reason="BuildFailed",
    )
    yield from _pair(
        "kustomize-spec-patch",
        "a patch of the spec that would be a path",
        {"app/a.yaml": CONFIG_MAP},
        replays=("CVE-2022-24877",),
        spec={"kustomize": {"patches": [{"patch": "@target@"}]}},
        reason="BuildFailed",
    )


def _chart(**more: Content) -> dict[str, Content]:
    return {"app/Chart.yaml": _CHART, "app/templates/a.yaml": CONFIG_MAP} | {
        path.replace("__", "/"): content for path, content in more.items()
    }


def _depending(repository: str, name: str = "lib") -> dict[str, Content]:
    text = f'{_CHART}dependencies:\n- {{name: "{name}", version: 1.0.0, repository: "{repository}"}}\n'
    return _chart() | {"app/Chart.yaml": text}


def _helm() -> Iterator[Row]:
    invalid: dict[str, Any] = {"reason": "InvalidChart"}
    for name, path in (("absolute", "@target@"), ("up", "@up@")):
        yield from _pair(
            f"helm-values-{name}",
            f"valueFiles by {'an absolute path' if name == 'absolute' else 'a path that climbs out'}",
            _chart(),
            replays=_VALUES,
            spec={"helm": {"valueFiles": [path]}},
            reason="InvalidValues",
        )
    yield from _pair(
        "helm-values-link",
        "valueFiles that are a link to outside",
        _chart() | {"app/v.yaml": Link("@target@")},
        replays=(*_VALUES, *_LINKS),
        spec={"helm": {"valueFiles": ["v.yaml"]}},
        reason="SymlinkRefused",
        words="symbolic link leaves the repository",
    )
    yield from _pair(
        "helm-dependency",
        "a dependency by file:// out of the source",
        _depending("file://@up@/.."),
        replays=("CVE-2022-24348", "CVE-2025-53547"),
        words="leaves the source",
        **invalid,
    )
    yield from _pair(
        "helm-dependency-absolute",
        "a dependency by file:// at an absolute path",
        _depending("file://@target@"),
        replays=("CVE-2022-24348", "CVE-2025-53547"),
        words="leaves the source",
        **invalid,
    )
    for number, name in enumerate(("..", ".", "../x", "@outside@")):
        yield Attack(
            name=f"helm-dependency-name-{number}",
            what=f"a dependency of the name {name.replace('@', '')}",
            replays=("CVE-2024-25620", "CVE-2025-53547"),
            lay=files(_depending("https://charts.invalid", name)),
            words="name is not valid",
            **invalid,
        )
        yield Attack(
            name=f"helm-name-{number}",
            what=f"a chart of the name {name.replace('@', '')}",
            replays=("CVE-2024-25620", "CVE-2026-35206"),
            lay=files(_chart() | {"app/Chart.yaml": _CHART.replace("name: c", f'name: "{name}"')}),
            words="the chart's name is not valid",
            **invalid,
        )
    for lock in ("Chart.lock", "Chart.yaml", "requirements.lock"):
        yield from _pair(
            f"helm-{lock.lower().replace('.', '-')}-link",
            f"{lock} that is a link to outside",
            _depending("file://../lib") | {f"app/{lock}": Link("@target@")},
            replays=("CVE-2025-53547",),
            reason="SymlinkRefused",
            words="symbolic link leaves the repository",
        )
        yield Attack(
            name=f"helm-{lock.lower().replace('.', '-')}-link-inside",
            what=f"{lock} that is a link within the source",
            replays=("CVE-2025-53547",),
            lay=files(_depending("file://../lib") | {"x/y": _CHART, f"app/{lock}": Link("../x/y")}),
            words="a symbolic link where a chart's own file belongs",
            **invalid,
        )
    reads = (
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "@name@"}\ndata:\n'
        '  get: {{ .Files.Get "@target@" | quote }}\n'
        '  up: {{ .Files.Get "@up@" | quote }}\n'
        '  glob: {{ .Files.Glob "@up@" | toYaml | quote }}\n'
        '  lines: {{ range .Files.Lines "@target@" }}{{ . }}{{ end }}\n'
    )
    for case in ("outside", "absent"):
        yield Attack(
            name=f"helm-files-{case}",
            what=f"templates that ask for files out of the chart{'' if case == 'outside' else ', where none are'}",
            replays=_VALUES,
            lay=files(_chart() | {"app/templates/a.yaml": _aimed(reads, case)}),
            afterwards=_nothing_read,
        )
    yield from _pair(
        "helm-file-link",
        "a link to outside among a chart's files",
        _chart() | {"app/files/x": Link("@target@")},
        replays=(*_VALUES, *_LINKS),
        reason="SymlinkRefused",
        words="symbolic link leaves the repository",
    )
    yield Attack(
        name="helm-schema-reference",
        what="a values schema that refers to a file of the controller",
        replays=("CVE-2025-55199",),
        lay=files(_chart() | {"app/values.schema.json": '{"$ref": "file://@outside@"}'}),
        reason="BuildFailed",
    )


def _nothing_read(ground: Ground) -> None:
    assert "".join(ground.applied(ground.name).values()).strip("{}\n") == ""


def _jsonnet() -> Iterator[Row]:
    for name, text in (
        ("import", 'import "@target@"'),
        ("importstr", '{apiVersion: "v1", kind: "ConfigMap", data: {k: importstr "@up@"}}'),
        ("importbin", '{apiVersion: "v1", kind: "ConfigMap", data: {k: importbin "@target@"}}'),
    ):
        yield from _pair(
            f"jsonnet-{name}",
            f"{name} of a Jsonnet file that leads out",
            {"app/a.jsonnet": text},
            replays=("CVE-2022-24348", "CVE-2022-31036"),
            spec={"directory": {"jsonnet": {}}},
            reason="BuildFailed",
        )


_CEL_PATH: Final = "must stay inside the repository: no .. is allowed"
_CEL_ABSOLUTE: Final = "must be relative to the repository's root"


def _row(name: str, what: str, lay: Lay, **expected: Any) -> Attack:
    return Attack(name=name, what=what, replays=_LINKS[:1], lay=lay, **expected)


def _specs() -> Iterator[Row]:
    climbs: dict[str, Any] = {"reason": "InvalidPath", "words": "climbs up"}
    absolute: dict[str, Any] = {"reason": "InvalidPath", "words": "is absolute"}
    source: dict[str, Any] = {"kind": "GitRepository"}
    yield _row("path-up", "path that climbs out", application(path="../../../etc"), api=_CEL_PATH, **climbs)
    yield _row("path-middle", "path that climbs out later", application(path="app/../../x"), api=_CEL_PATH, **climbs)
    yield _row("path-absolute", "absolute path", application(path="/etc"), api=_CEL_ABSOLUTE, **absolute)
    yield _row(
        "path-control",
        "path with a line break",
        application(path="app\nx"),
        api="must hold no control characters",
        reason="InvalidPath",
        words="control character",
    )
    yield _row("path-git", "path into .git", application(path=".git/hooks"), reason="PathNotFound")
    for name, text, api, expected in (
        ("up", "../x", _CEL_PATH, climbs),
        ("absolute", "/etc", _CEL_ABSOLUTE, absolute),
    ):
        sparse = plain_source(sparseCheckout=[text])
        yield _row(f"sparse-{name}", f"sparseCheckout of {text}", sparse, api=api, **source, **expected)
        for field in ("fromPath", "toPath"):
            include = plain_source(include=[{"repository": {"name": PLAIN}, field: text}])
            yield _row(
                f"include-{field.lower()}-{name}", f"include.{field} {text}", include, api=api, **source, **expected
            )
        libs = application(directory={"jsonnet": {"libs": [text]}})
        yield _row(
            f"libs-{name}",
            f"libs of Jsonnet {text}",
            libs,
            api="must be a folder inside the repository",
            **expected,
        )
    yield _row(
        "include-git",
        "include into .git",
        plain_source(include=[{"repository": {"name": PLAIN}, "toPath": ".git/hooks"}]),
        kind="GitRepository",
        reason="InvalidInclude",
    )
    yield _row(
        "include-root",
        "include in place of the whole tree",
        plain_source(include=[{"repository": {"name": PLAIN}, "toPath": "."}]),
        kind="GitRepository",
        reason="InvalidInclude",
    )
    yield _row(
        "include-itself",
        "include of the repository itself",
        plain_source(include=[{"repository": {"name": "include-itself"}}]),
        kind="GitRepository",
        reason="IncludeCycle",
    )
    yield _row(
        "ignore-up",
        "ignore pattern that climbs out",
        plain_source(ignore="../../**\n/../etc\n"),
        kind="GitRepository",
    )
    yield from _pair(
        "include-glob",
        "directory.include that climbs out",
        {"app/a.yaml": CONFIG_MAP},
        replays=_LINKS[:1],
        spec={"directory": {"include": "@up@"}},
        reason="NoManifests",
    )
    yield Elsewhere(
        replays=("CVE-2022-24877",),
        what="A kernel that confines files: the renderer's programs open nothing outside, whatever they are told",
        tests=("tests/integration/render/test_helm_failures.py::test_a_chart_reads_no_file_outside_of_the_source",),
    )


ROWS: Final[tuple[Row, ...]] = (*_links(), *_kustomize(), *_helm(), *_jsonnet(), *_specs())
