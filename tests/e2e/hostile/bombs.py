"""What is small and grows: builds without end, aliases, nesting, archives, streams, loops and patterns."""

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.e2e.hostile.attack import (
    CONFIG_MAP,
    INTERVAL,
    Attack,
    Body,
    Ground,
    Lay,
    Row,
    application,
    crafted,
    files,
    helm_source,
    kustomization,
    oci_source,
    plain_source,
)
from tests.e2e.hostile.git import commit_of, raw_object, tree_of
from tests.fixtures.git_server import GitRepo
from tests.fixtures.web_server import Page

from trimtab.source.oci_manifest import OCI_MANIFEST

MIB: Final = 1024 * 1024
_CHART: Final = "apiVersion: v2\nname: c\nversion: 0.1.0\n"
_MEMORY: Final = ("CVE-2022-31016", "CVE-2023-40584", "CVE-2024-29893")
_LAYER: Final = "application/vnd.cncf.flux.content.v1.tar+gzip"
_ALIASES: Final = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


def _endless_builds() -> Iterator[Row]:
    replays = ("CVE-2022-24878",)
    failed: dict[str, Any] = {"replays": replays, "reason": "BuildFailed"}
    itself = {"app/kustomization.yaml": kustomization(resources=["."])}
    yield Attack(name="loop-self", what="a kustomization that needs itself", lay=files(itself), **failed)
    mutual = {
        "app/kustomization.yaml": kustomization(resources=["../b"]),
        "b/kustomization.yaml": kustomization(resources=["../app"]),
    }
    yield Attack(name="loop-mutual", what="two kustomizations that need each other", lay=files(mutual), **failed)
    component = {
        "app/kustomization.yaml": kustomization(components=["../b"]),
        "b/kustomization.yaml": json.dumps({"kind": "Component", "components": ["../app"]}),
    }
    yield Attack(name="loop-component", what="components that need each other", lay=files(component), **failed)
    yield Attack(
        name="loop-wide",
        what="kustomizations that need ten others each, six deep: a million objects of one",
        lay=files(_wide_kustomizations),
        **failed,
    )
    yield Attack(
        name="loop-include",
        what="two GitRepositories that include each other",
        replays=replays,
        lay=_including_each_other,
        kind="GitRepository",
        reason="IncludeCycle",
        words="includes go in circles",
    )
    local = {
        "app/Chart.yaml": _CHART + "dependencies: [{name: d, version: 0.1.0, repository: 'file://../d'}]\n",
        "d/Chart.yaml": "apiVersion: v2\nname: d\nversion: 0.1.0\n"
        "dependencies: [{name: c, version: 0.1.0, repository: 'file://../app'}]\n",
    }
    yield Attack(
        name="loop-charts",
        what="charts that need each other",
        replays=replays,
        lay=files(local),
        reason="InvalidChart",
        words="holds the chart that needs it",
    )


def _wide_kustomizations() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for level in range(6):
        names = [f"../{level}-{n}" for n in range(10)]
        below = "app" if level == 0 else f"{level - 1}"
        for n in range(10):
            folder = below if level == 0 else f"{below}-{n}"
            made[f"{folder}/kustomization.yaml"] = kustomization(namePrefix=f"p{n}-", resources=names)
    for n in range(10):
        made[f"5-{n}/kustomization.yaml"] = kustomization(namePrefix=f"q{n}-", resources=["a.yaml"])
        made[f"5-{n}/a.yaml"] = CONFIG_MAP
    return made


def _including_each_other(ground: Ground) -> list[Body]:
    name, other = ground.name, f"{ground.name}-other"
    bodies = []
    for own, included in ((name, other), (other, name)):
        repository = ground.server.repository(own)
        repository.commit({"app/a.yaml": CONFIG_MAP.replace("@name@", "x")})
        spec = {"url": repository.url, "interval": INTERVAL, "include": [{"repository": {"name": included}}]}
        bodies.append(ground.body("GitRepository", spec, name=own))
    return bodies


def _manifests() -> Iterator[Row]:
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
    for name, what, content, replays, words in (
        (
            "aliases",
            "YAML aliases that expand to 10^12 values",
            {"app/a.yaml": head + _ALIASES},
            ("PyYAML #235",),
            "aliases expand",
        ),
        ("deep", "YAML nested 5000 deep", {"app/a.yaml": "a: " + "[" * 5000 + "]" * 5000}, _MEMORY, "deeper than"),
        (
            "deep-json",
            "JSON nested 9000 deep",
            {"app/a.json": '{"a":' * 9000 + "1" + "}" * 9000},
            _MEMORY,
            "deeper than",
        ),
        ("large", "a file of 17 MB", lambda: {"app/a.yaml": b"a: " + b"x" * (17 * MIB)}, _MEMORY, "larger than"),
        (
            "nodes",
            "four million empty values",
            lambda: {"app/a.yaml": b"a: [" + b"{}," * (4 * MIB) + b"{}]"},
            _MEMORY,
            "",
        ),
        (
            "documents",
            "30,000 documents in a file",
            {"app/a.yaml": "---\na: 1\n" * 30_000},
            _MEMORY,
            "documents",
        ),
    ):
        yield Attack(
            name=f"bomb-{name}",
            what=what,
            replays=replays,
            lay=files(content),
            reason="InvalidManifest",
            words=words,
        )
    yield Attack(
        name="bomb-files",
        what="100,000 files",
        replays=_MEMORY,
        lay=_folders(100),
        reason="TooManyFiles",
        words="more than 50000 files",
    )
    yield Attack(
        name="bomb-gigabyte",
        what="a file of 1 GB that compresses to 1 MB",
        replays=_MEMORY,
        lay=crafted(_gigabyte),
        reason="TooManyBytes",
    )
    yield Attack(
        name="bomb-tree",
        what="folders of ten folders, nine deep: 10^10 files of ten objects",
        replays=_MEMORY,
        lay=crafted(_tree_bomb),
        kind="GitRepository",
        reason="TooManyFiles",
        words="more than 1000000 files",
    )
    yield Attack(
        name="bomb-chart-aliases",
        what="YAML aliases in Chart.yaml",
        replays=("CVE-2025-32386", "PyYAML #235"),
        lay=files({"app/Chart.yaml": _CHART + _ALIASES, "app/templates/a.yaml": CONFIG_MAP}),
        reason="InvalidManifest",
        words="aliases expand",
    )
    yield Attack(
        name="bomb-values-aliases",
        what="YAML aliases in a values file",
        replays=("CVE-2025-32386", "PyYAML #235"),
        lay=files(
            {"app/Chart.yaml": _CHART, "app/templates/a.yaml": CONFIG_MAP, "app/v.yaml": _ALIASES},
            helm={"valueFiles": ["v.yaml"]},
        ),
        reason="InvalidManifest",
        words="aliases expand",
    )
    yield Attack(
        name="bomb-kustomization-aliases",
        what="YAML aliases in a kustomization",
        replays=("PyYAML #235",),
        lay=files({"app/kustomization.yaml": _ALIASES}),
        reason="InvalidManifest",
        words="aliases expand",
    )


def _folders(count: int) -> Lay:
    """So many folders of a thousand empty files each; to git it is always the same folder."""

    def make(_: Ground, repository: GitRepo) -> None:
        empty = bytes.fromhex(raw_object(repository, "blob", b""))
        inner = raw_object(repository, "tree", b"".join(b"100644 %04d.yaml\0" % n + empty for n in range(1000)))
        rows = (("40000", b"%03d" % n, inner) for n in range(count))
        commit_of(repository, tree_of(repository, ("40000", b"app", tree_of(repository, *rows))))

    return crafted(make)


def _gigabyte(_: Ground, repository: GitRepo) -> None:
    """A blob of zeros, compressed by repeating what a sixty-fourth of it compresses to."""
    part = b"\0" * (16 * MIB)
    packing = zlib.compressobj(1)
    head = f"blob {64 * len(part)}\0".encode()
    sum_of, check = hashlib.sha1(head, usedforsecurity=False), zlib.adler32(head)
    begin = packing.compress(head) + packing.flush(zlib.Z_FULL_FLUSH)
    piece = packing.compress(part) + packing.flush(zlib.Z_FULL_FLUSH)
    for _part in range(64):
        sum_of.update(part)
        check = zlib.adler32(part, check)
    end = zlib.compressobj(1, wbits=-15).flush() + check.to_bytes(4)
    sha = sum_of.hexdigest()
    place = repository.path / "objects" / sha[:2] / sha[2:]
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(begin + piece * 64 + end)
    repository.git("config", "pack.compression", "1")
    app = tree_of(repository, ("100644", b"a.yaml", sha))
    commit_of(repository, tree_of(repository, ("40000", b"app", app)))


def _tree_bomb(_: Ground, repository: GitRepo) -> None:
    held = raw_object(repository, "blob", b"x")
    tree = tree_of(repository, *(("100644", b"f%d" % n, held) for n in range(10)))
    for _level in range(9):
        tree = tree_of(repository, *(("40000", b"d%d" % n, tree) for n in range(10)))
    commit_of(repository, tree_of(repository, ("40000", b"app", tree)))


def _programs() -> Iterator[Row]:
    failed: dict[str, Any] = {"reason": "BuildFailed"}
    chart = {"app/Chart.yaml": _CHART}
    for name, what, template in (
        (
            "recursion",
            "a helm template that includes itself",
            '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}',
        ),
        ("memory", "a helm template that asks for 16 GB", "{{ range until 2147483647 }}x{{ end }}"),
        (
            "output",
            "a helm template that writes without end",
            "{{ range until 100000 }}{{ range until 100000 }}xxxxxxxxxxxxxxxx{{ end }}{{ end }}",
        ),
        ("text", "a helm template that repeats a text to 10 GB", '{{ repeat 100000 (repeat 100000 "x") }}'),
    ):
        yield Attack(
            name=f"helm-{name}",
            what=what,
            replays=("CVE-2025-32386", *_MEMORY),
            lay=files(chart | {"app/templates/a.yaml": template}),
            **failed,
        )
    yield Attack(
        name="helm-endless",
        what="a helm template that runs without end and writes nothing",
        replays=("CVE-2022-24878",),
        lay=files(
            chart | {"app/templates/a.yaml": "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}"}
        ),
        words="took longer than",
        **failed,
    )
    yield Attack(
        name="helm-schema-depth",
        what="a values schema that refers to itself without end",
        replays=("CVE-2025-55199",),
        lay=files(
            chart
            | {
                "app/templates/a.yaml": CONFIG_MAP,
                "app/values.yaml": "a: 1\n",
                "app/values.schema.json": '{"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/b"}'
                ', "b": {"allOf": [{"$ref": "#/definitions/a"}, {"$ref": "#/definitions/a"}]}}}',
            }
        ),
        **failed,
    )
    for name, what, text in (
        ("loop", "a Jsonnet file that runs without end", "local f(x) = f(x + 1) tailstrict; f(0) tailstrict"),
        ("depth", "a Jsonnet file that calls itself", "local f(x) = 1 + f(x + 1); f(0)"),
        (
            "memory",
            "a Jsonnet file that makes 10^10 values",
            "[[x for x in std.range(1, 100000)] for y in std.range(1, 100000)]",
        ),
        (
            "text",
            "a Jsonnet file that doubles a text forty times",
            "std.foldl(function(s, i) s + s, std.range(1, 40), 'x')",
        ),
    ):
        yield Attack(
            name=f"jsonnet-{name}",
            what=what,
            replays=("CVE-2022-24878", *_MEMORY),
            lay=files({"app/a.jsonnet": text}, directory={"jsonnet": {}}),
            **failed,
        )
    yield Attack(
        name="substitution-bomb",
        what="variables that hold variables that hold variables",
        replays=_MEMORY,
        lay=files(
            {"app/a.yaml": CONFIG_MAP.replace("value", "'${v9}'")},
            postBuild={"substitute": {f"v{n}": f"${{v{n - 1}}}" * 10 if n else "x" * 1000 for n in range(10)}},
        ),
    )


def _patterns() -> Iterator[Row]:
    replays = ("CVE-2024-32476", "GHSA-g5vv-9gxw-82hx")
    refused: dict[str, Any] = {"replays": replays, "reason": "InvalidIgnore"}
    yield Attack(
        name="pattern-stars",
        what="an ignore pattern of stars that backtracks",
        lay=plain_source(ignore="a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"),
        kind="GitRepository",
        words="stars",
        **refused,
    )
    yield Attack(
        name="pattern-double-stars",
        what="an ignore pattern of double stars that backtracks",
        lay=plain_source(ignore="**/a/**/a/**/a/**/a/**/a/**/a/**/b"),
        kind="GitRepository",
        words="times **",
        **refused,
    )
    yield Attack(
        name="pattern-file",
        what="a .sourceignore file of such patterns",
        lay=files({"app/.sourceignore": "*a*a*a*a*a*a*a*b\n", "app/a.yaml": CONFIG_MAP}, own=True),
        kind="GitRepository",
        words="app/.sourceignore:1",
        **refused,
    )
    yield Attack(
        name="pattern-many",
        what="an ignore file of 5,000 patterns",
        lay=files({".sourceignore": "x\n" * 5000, "app/a.yaml": CONFIG_MAP}, own=True),
        kind="GitRepository",
        words="more than 1000 patterns",
        **refused,
    )
    long = "a" * 60
    yield Attack(
        name="pattern-glob",
        what="directory.exclude that backtracks, on a name made for it",
        replays=replays,
        lay=files(
            {"app/b.yaml": CONFIG_MAP, f"app/{long}.yaml": CONFIG_MAP.replace("@name@", "second")},
            directory={"exclude": "*a" * 30 + "b"},
        ),
    )
    yield Attack(
        name="pattern-braces",
        what="directory.include of braces that multiply",
        replays=replays,
        lay=files({"app/b.yaml": CONFIG_MAP}, directory={"include": "{a,b}" * 60}),
        reason="InvalidSpec",
    )
    yield Attack(
        name="pattern-target",
        what="the target of a patch as a regular expression that backtracks",
        replays=replays,
        lay=files(
            {"app/a.yaml": CONFIG_MAP},
            kustomize={
                "patches": [
                    {
                        "patch": '[{"op": "add", "path": "/data/x", "value": "y"}]',
                        "target": {"name": "(a+)+(a+)+(a+)+b"},
                    }
                ]
            },
        ),
    )
    yield Attack(
        name="pattern-tag",
        what="ref.semverFilter as a regular expression that backtracks",
        replays=replays,
        lay=_backtracking_filter,
        kind="OCIRepository",
        reason="RefNotFound",
    )
    yield Attack(
        name="pattern-semver",
        what="ref.semver that is long and nested",
        replays=replays,
        lay=plain_source(ref={"semver": ">=1.0.0 || " * 20 + ">=1"}),
        kind="GitRepository",
        reason="RefNotFound",
    )
    yield Attack(
        name="pattern-semver-long",
        what="ref.semver of 500 characters",
        replays=replays,
        lay=plain_source(ref={"semver": ">=1.0.0 || " * 45 + ">=1"}),
        kind="GitRepository",
        reason="InvalidRef",
        words="longer than 256 characters",
    )


def _backtracking_filter(ground: Ground) -> list[Body]:
    tags = json.dumps({"tags": ["a" * 120 + "!", *(f"1.0.{n}" for n in range(50))]}).encode()
    ground.web.routes[f"/v2/{ground.name}/tags/list"] = Page(tags)
    ref = {"semver": "1.x", "semverFilter": "^(a+)+(a+)+(a|aa)+$"}
    return list(oci_source(url=f"oci://@web-host@/{ground.name}", ref=ref)(ground))


def _durations() -> Iterator[Row]:
    replays = ("CVE-2022-39272",)
    for number, (text, words) in enumerate(
        (("forever", "not a duration"), ("-5m", "not a duration"), ("1e400h", "not a duration"), ("", "not a duration"))
    ):
        for field in ("interval", "timeout"):
            name = f"duration-{field}-{number}"
            expected: dict[str, Any] = {
                "replays": replays,
                "reason": "InvalidSpec",
                "words": words,
                "api": f"spec.{field}",
            }
            what = f"{field} {text!r} of a"
            yield Attack(
                name=f"{name}-git",
                what=f"{what} GitRepository",
                kind="GitRepository",
                lay=plain_source(**{field: text}),
                **expected,
            )
            yield Attack(name=f"{name}-app", what=f"{what}n Application", lay=application(**{field: text}), **expected)
    for name, what, text, words in (
        ("long", "interval of 10^23 hours", "99999999999999999999999h", "longer than"),
        ("infinite", "interval of 10^400 hours", "9" * 400 + "h", "longer than"),
        ("zero", "interval of nothing", "0s", "at least one second"),
        ("tiny", "interval of a millisecond", "1ms", "at least one second"),
    ):
        yield Attack(
            name=f"duration-{name}",
            what=what,
            replays=replays,
            kind="GitRepository",
            lay=plain_source(interval=text),
            api="spec.interval",
            reason="InvalidSpec",
            words=words,
        )


def _stand_in(layer: Callable[[], bytes], *, timeout: str = "60s", **page: Any) -> Lay:
    """A registry of one artifact with this layer, or this answer in its place."""

    def lay(ground: Ground) -> list[Body]:
        content = layer()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        entry = {"mediaType": _LAYER, "digest": digest, "size": len(content)}
        body = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [entry]}).encode()
        own = f"sha256:{hashlib.sha256(body).hexdigest()}"
        answer = Page(body, headers={"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": own})
        root = f"/v2/{ground.name}"
        for name in ("latest", own):
            ground.web.routes[f"{root}/manifests/{name}"] = answer
        ground.web.routes[f"{root}/blobs/{digest}"] = Page(content, **page)
        return list(oci_source(url=f"oci://@web-host@/{ground.name}", timeout=timeout)(ground))

    return lay


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def _packed(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"\0" * member.size))
    return gzip.compress(buffer.getvalue(), mtime=0)


def _zeros(mebibytes: int) -> bytes:
    """A member of zeros; a gzip file may be several, one after the other."""
    return gzip.compress(_member("app/a.yaml", size=mebibytes * MIB).tobuf()) + gzip.compress(b"\0" * MIB) * mebibytes


_ARCHIVES: Final[tuple[tuple[str, str, Callable[[], bytes], str], ...]] = (
    ("bomb", "an archive of 300 KB that unpacks to 300 MB", lambda: _zeros(300), "ArchiveRefused"),
    (
        "many",
        "an archive of 25,000 folders",
        lambda: gzip.compress(_member("x/d", tarfile.DIRTYPE).tobuf() * 25_000),
        "ArchiveRefused",
    ),
    ("up", "a member of an archive that climbs out", lambda: _packed(_member("x/../../escaped")), "ArchiveRefused"),
    (
        "absolute",
        "a member of an archive at an absolute path",
        lambda: _packed(_member("/tmp/escaped")),
        "ArchiveRefused",
    ),
    ("link", "a link in an archive", lambda: _packed(_member("x/a", tarfile.SYMTYPE, "/etc/passwd")), "SymlinkRefused"),
    (
        "link-up",
        "a link in an archive that climbs out",
        lambda: _packed(_member("x/a", tarfile.SYMTYPE, "../../../x")),
        "SymlinkRefused",
    ),
    (
        "link-through",
        "a file in an archive behind a link",
        lambda: _packed(_member("x/a", tarfile.SYMTYPE, ".."), _member("x/a/b", size=1)),
        "ArchiveRefused",
    ),
    (
        "hard-link",
        "a hard link in an archive",
        lambda: _packed(_member("x/a", tarfile.LNKTYPE, "/etc/passwd")),
        "ArchiveRefused",
    ),
    ("device", "a device in an archive", lambda: _packed(_member("x/a", tarfile.CHRTYPE)), "ArchiveRefused"),
    (
        "header",
        "a header of 1 TB in an archive",
        lambda: gzip.compress(_member("x", tarfile.XHDTYPE, size=2**40).tobuf()),
        "ArchiveRefused",
    ),
    ("damaged", "bytes that are no archive", lambda: b"no gzip at all", "ArchiveRefused"),
)


def _archives() -> Iterator[Row]:
    for name, what, content, reason in _ARCHIVES:
        replays = _MEMORY if name in {"bomb", "many", "header", "damaged"} else ("CVE-2022-24877", "CVE-2022-24348")
        yield Attack(
            name=f"oci-{name}",
            what=f"{what} of a registry",
            replays=replays,
            lay=_stand_in(content),
            kind="OCIRepository",
            reason=reason,
        )
        yield Attack(
            name=f"chart-{name}",
            what=f"{what} of a chart repository",
            replays=(*replays, "CVE-2024-25620", "CVE-2026-35206", "CVE-2025-32386"),
            lay=_chart_archive(content),
            reason=reason,
        )
    yield Attack(
        name="oci-endless",
        what="a layer that never ends",
        replays=_MEMORY,
        lay=_stand_in(lambda: b"x" * 200, timeout="5s", drip=0.5),
        kind="OCIRepository",
        reason="TimedOut",
    )
    yield Attack(
        name="oci-longer",
        what="a layer that is longer than announced",
        replays=_MEMORY,
        lay=_longer_layer,
        kind="OCIRepository",
        reason="TooLarge",
    )
    yield Attack(
        name="oci-manifest",
        what="a manifest of 100 MB",
        replays=_MEMORY,
        lay=_huge_manifest,
        kind="OCIRepository",
        reason="TooLarge",
    )


def _longer_layer(ground: Ground) -> list[Body]:
    bodies = list(_stand_in(lambda: b"x" * 100)(ground))
    for path in [path for path in ground.web.routes if path.startswith(f"/v2/{ground.name}/blobs/")]:
        ground.web.routes[path] = Page(b"x" * (2 * MIB))
    return bodies


def _huge_manifest(ground: Ground) -> list[Body]:
    page = Page(b" " * (100 * MIB), headers={"Content-Type": OCI_MANIFEST})
    ground.web.routes[f"/v2/{ground.name}/manifests/latest"] = page
    return list(oci_source(url=f"oci://@web-host@/{ground.name}")(ground))


def _chart_archive(content: Callable[[], bytes]) -> Lay:
    def lay(ground: Ground) -> list[Body]:
        entries = {"c": [{"name": "c", "version": "1.0.0", "urls": ["c.tgz"]}]}
        root = f"/{ground.name}"
        ground.web.routes[f"{root}/index.yaml"] = Page(json.dumps({"apiVersion": "v1", "entries": entries}).encode())
        ground.web.routes[f"{root}/c.tgz"] = Page(content())
        source = next(iter(helm_source(url=f"@web@{root}")(ground)))
        chart = ground.application(kind="HelmRepository", chart={"name": "c"})
        return [source, chart]

    return lay


def _indexes() -> Iterator[Row]:
    for name, what, page, reason in (
        ("aliases", "a chart index of YAML aliases", lambda: Page(_ALIASES.encode()), "IndexRefused"),
        ("deep", "a chart index nested 100,000 deep", lambda: Page(b"entries: " + b"[" * 100_000), "IndexRefused"),
        ("large", "a chart index of 60 MB", lambda: Page(b"#" * (60 * MIB)), "TooLarge"),
        ("endless", "a chart index that never ends", lambda: Page(b"e" * 200, drip=0.5), "TimedOut"),
        ("empty", "a chart index of another kind", lambda: Page(b"entries: []\nx: &a [*a]\n"), "IndexRefused"),
    ):

        def lay(
            ground: Ground, page: Callable[[], Page] = page, timeout: str = "5s" if name == "endless" else "60s"
        ) -> list[Body]:
            ground.web.routes[f"/{ground.name}/index.yaml"] = page()
            return list(helm_source(url=f"@web@/{ground.name}", timeout=timeout)(ground))

        yield Attack(
            name=f"index-{name}",
            what=what,
            replays=("CVE-2025-55199", *_MEMORY),
            lay=lay,
            kind="HelmRepository",
            reason=reason,
        )


ROWS: Final[tuple[Row, ...]] = (
    *_endless_builds(),
    *_manifests(),
    *_programs(),
    *_patterns(),
    *_durations(),
    *_archives(),
    *_indexes(),
)
