"""Words of users that would be options, commands, variables or further lines to some program."""

from collections.abc import Iterator
from typing import Any, Final

from tests.e2e.hostile.attack import (
    CONFIG_MAP,
    Attack,
    NotApplicable,
    Row,
    application,
    files,
    git_source,
    helm_source,
    kustomization,
    oci_source,
    plain_source,
)

_COMMANDS: Final = ("CVE-2022-24439", "CVE-2023-40267", "CVE-2025-21613")
_START: Final = "url must start with https://, http:// or ssh://"
_SPACES: Final = "url must hold no spaces, control characters, query or fragment"
_USER: Final = "url must hold no user name"

_URLS: Final[tuple[tuple[str, str, str, tuple[str, ...]], ...]] = (
    ("ext", "ext::sh -c touch% @marker@", _START, ("CVE-2022-24439", "CVE-2023-40267")),
    ("ext-upper", "EXT::sh -c touch% @marker@", _START, ("CVE-2022-24439", "CVE-2023-40267")),
    ("fd", "fd::7/x", _START, ("CVE-2022-24439",)),
    ("upload-pack", "--upload-pack=touch @marker@", _START, ("CVE-2025-21613", "CVE-2022-24439")),
    ("abbreviated", "--upl=touch${IFS}@marker@", _START, ("GHSA-2f96-g7mh-g2hx",)),
    ("underscored", "--upload_pack=touch${IFS}@marker@", _START, ("GHSA-rpm5-65cw-6hj4",)),
    ("short", "-utouch${IFS}@marker@", _START, ("CVE-2025-21613", "GHSA-2f96-g7mh-g2hx")),
    ("template", "--template=@outside@", _START, ("GHSA-6p8h-3wgx-97gf",)),
    ("config", "-ccore.sshCommand=touch${IFS}@marker@", _START, ("GHSA-x2qx-6953-8485", "CVE-2022-24439")),
    ("file", "file://@outside@", _START, ("CVE-2022-39253", "CVE-2026-44936")),
    ("git", "git://127.0.0.1/x.git", _START, ("CVE-2022-24439",)),
    ("ssh-option", "ssh://-oProxyCommand=touch${IFS}@marker@/x", "", ("CVE-2025-21613",)),
    ("http-option", "https://-oProxyCommand=touch/x", "", ("CVE-2025-21613",)),
    ("user-option", "ssh://-oProxyCommand=touch@127.0.0.1/x", "", ("CVE-2025-21613",)),
    ("scp", "git@127.0.0.1:x.git", _START, ("CVE-2025-21613",)),
    ("newline", "https://127.0.0.1/x\n--upload-pack=touch", _SPACES, ("GHSA-r9mr-m37c-5fr3", "GHSA-wvpp-8hx9-p66j")),
    (
        "token",
        "https://127.0.0.1/x --upload-pack=touch${IFS}@marker@",
        _SPACES,
        ("GHSA-x2qx-6953-8485", "GHSA-r9mr-m37c-5fr3"),
    ),
    (
        "quotes",
        "https://127.0.0.1/x' --upload-pack='touch @marker@",
        _SPACES,
        ("GHSA-x2qx-6953-8485", "GHSA-wvpp-8hx9-p66j"),
    ),
    ("tab", "https://127.0.0.1/x\t-utouch", _SPACES, ("GHSA-wvpp-8hx9-p66j",)),
    ("query", "https://127.0.0.1/x.git?x=$(touch @marker@)", _SPACES, ("CVE-2025-21613",)),
    ("fragment", "https://127.0.0.1/x.git#--upload-pack=touch", _SPACES, ("CVE-2025-21613",)),
    ("backslash", "https:\\\\127.0.0.1\\x", _START, ("CVE-2025-21613",)),
    ("user-variable", "https://$HOME@127.0.0.1/x.git", _USER, ("GHSA-rwj8-pgh3-r573",)),
    ("ascii", "https://127.0.0.1/\u202egit.x", "", ("GHSA-wvpp-8hx9-p66j",)),
    ("long", "https://127.0.0.1/" + "x" * 2100, "", ("GHSA-wvpp-8hx9-p66j",)),
)


def _urls() -> Iterator[Row]:
    for name, text, api, replays in _URLS:
        shown = text.replace("@marker@", "…").replace("@outside@", "…")[:60]
        yield Attack(
            name=f"url-{name}",
            what=f"url {shown!a}",
            replays=replays,
            lay=git_source(url=text),
            kind="GitRepository",
            reason="InvalidURL" if name != "long" else "InvalidSpec",
            api=api or ("Too long" if name == "long" else ""),
        )
    yield Attack(
        name="url-variable",
        what="url with $HOME and ${GIT_SSH} in its path",
        replays=("GHSA-rwj8-pgh3-r573",),
        lay=git_source(url="@git@/$HOME/${PATH}/~/%24HOME.git"),
        kind="GitRepository",
        reason="RepositoryNotFound",
        words="$HOME",
    )
    for kind, lay in (("OCIRepository", oci_source), ("HelmRepository", helm_source)):
        for name, text in (
            ("option", "--upload-pack=x"),
            ("file", "file://@outside@"),
            ("newline", "https://127.0.0.1/x\nHost: y"),
            ("password", "https://bob:word@127.0.0.1/x"),
            ("query", "https://127.0.0.1/x?y"),
        ):
            scheme = text.replace("https://", "oci://") if kind == "OCIRepository" else text
            yield Attack(
                name=f"url-{kind[:3].lower()}-{name}",
                what=f"url {scheme.replace('@outside@', '…')!a} of a {kind}",
                replays=("CVE-2025-21613",),
                lay=lay(url=scheme),
                kind=kind,
                reason="InvalidURL",
                api="url must",
            )


_REF: Final = "must be a Git ref name"
_FULL: Final = "must be the full name of a Git ref"
_REFS: Final[tuple[tuple[str, dict[str, str], str, tuple[str, ...]], ...]] = (
    ("option", {"branch": "--upload-pack=touch"}, _REF, ("CVE-2025-21613",)),
    ("short", {"branch": "-q"}, _REF, ("GHSA-2f96-g7mh-g2hx",)),
    ("spec", {"branch": "main:refs/heads/x"}, _REF, ("CVE-2022-24439",)),
    ("force", {"branch": "+main"}, "", ("CVE-2022-24439",)),
    ("up", {"branch": "../../../etc/passwd"}, _REF, ("CVE-2023-41040",)),
    ("dots", {"branch": "a..b"}, _REF, ("CVE-2023-41040",)),
    ("reflog", {"branch": "main@{1}"}, _REF, ("CVE-2023-41040",)),
    ("variable", {"branch": "$(touch${IFS}@marker@)"}, "", ("GHSA-rwj8-pgh3-r573",)),
    ("newline", {"tag": "v1\n--exec=touch"}, _REF, ("GHSA-r9mr-m37c-5fr3", "GHSA-wvpp-8hx9-p66j")),
    ("nul", {"tag": "v1\x01x"}, _REF, ("GHSA-wvpp-8hx9-p66j",)),
    ("glob", {"tag": "*"}, _REF, ("CVE-2023-41040",)),
    ("name-option", {"name": "--exec=touch/x/y"}, _FULL, ("GHSA-956x-8gvw-wg5v",)),
    ("name-up", {"name": "refs/../../../etc/passwd"}, _FULL, ("CVE-2023-41040",)),
    ("name-absolute", {"name": "/etc/passwd"}, _FULL, ("CVE-2023-41040",)),
    ("name-config", {"name": "config/x/y"}, _FULL, ("CVE-2023-41040",)),
    ("semver-option", {"semver": "--sort=x"}, "", ("GHSA-956x-8gvw-wg5v",)),
    ("semver-shell", {"semver": "1.x; touch"}, "spec.ref.semver", ("GHSA-956x-8gvw-wg5v",)),
    ("commit-option", {"commit": "--output=" + "a" * 31}, "spec.ref.commit", ("GHSA-956x-8gvw-wg5v",)),
    ("commit-short", {"commit": "HEAD"}, "spec.ref.commit", ("CVE-2023-41040",)),
)


def _refs() -> Iterator[Row]:
    for name, ref, api, replays in _REFS:
        ((field, text),) = ref.items()
        missing = name in {"force", "variable"}
        model = field in {"commit", "semver"} and bool(api)
        yield Attack(
            name=f"ref-{name}",
            what=f"ref.{field} {text!a}",
            replays=replays,
            lay=plain_source(ref=ref),
            kind="GitRepository",
            reason="RefNotFound" if missing else "InvalidSpec" if model else "InvalidRef",
            api=api,
        )


def _paths() -> Iterator[Row]:
    for name, text, replays in (
        ("option", "--output=@marker@", ("GHSA-956x-8gvw-wg5v", "CVE-2025-21613")),
        ("short", "-z", ("GHSA-2f96-g7mh-g2hx",)),
        ("magic", ":(top)*", ("CVE-2023-41040",)),
        ("exclude", ":!app", ("CVE-2023-41040",)),
        ("glob", "a*", ("CVE-2023-41040",)),
        ("shell", "$(touch @marker@)", ("GHSA-rwj8-pgh3-r573",)),
        ("environment", "$HOME", ("GHSA-rwj8-pgh3-r573",)),
    ):
        yield Attack(
            name=f"path-{name}",
            what=f"path {text.replace('@marker@', '…')}",
            replays=replays,
            lay=application(path=text),
            reason="PathNotFound",
        )
        yield Attack(
            name=f"sparse-{name}",
            what=f"sparseCheckout of {text.replace('@marker@', '…')}",
            replays=replays,
            lay=plain_source(sparseCheckout=[text]),
            kind="GitRepository",
            reason="PathNotFound",
        )


def _include() -> Iterator[Row]:
    for name, text in (("option", "--upload-pack=x"), ("up", "../x"), ("newline", "a\nb")):
        yield Attack(
            name=f"include-name-{name}",
            what=f"include of the repository {text!a}",
            replays=("CVE-2025-21613",),
            lay=plain_source(include=[{"repository": {"name": text}}]),
            kind="GitRepository",
            reason="InvalidSpec",
            words="should match pattern",
            api="should match",
        )


_CHART: Final = {"app/Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n", "app/templates/a.yaml": CONFIG_MAP}


def _programs() -> Iterator[Row]:
    replays = ("CVE-2025-21613", "GHSA-x2qx-6953-8485")
    for name, what, helm, api, reason in (
        (
            "release",
            "releaseName --post-renderer=",
            {"releaseName": "--post-renderer=sh"},
            "spec.helm.releaseName",
            "InvalidSpec",
        ),
        (
            "version",
            "kubeVersion --post-renderer=",
            {"kubeVersion": "--post-renderer=sh"},
            "spec.helm.kubeVersion",
            "InvalidSpec",
        ),
        (
            "apis",
            "apiVersions --post-renderer=",
            {"apiVersions": ["--post-renderer=sh"]},
            "spec.helm.apiVersions",
            "InvalidSpec",
        ),
        ("values", "valueFiles --post-renderer=", {"valueFiles": ["--post-renderer=sh"]}, "", "InvalidValues"),
        (
            "values-url",
            "valueFiles at an URL",
            {"valueFiles": ["http://@refused@/v.yaml"]},
            "must be a path relative",
            "InvalidValues",
        ),
        (
            "values-unknown",
            "valueFiles of a source that is not there",
            {"valueFiles": ["$other/v.yaml"]},
            "",
            "InvalidValues",
        ),
    ):
        yield Attack(
            name=f"helm-option-{name}",
            what=what,
            replays=replays,
            lay=files(_CHART, helm=helm),
            reason=reason,
            api=api,
        )
    for name, what, chart, api in (
        ("chart", "chart.name that is an option", {"name": "--untar"}, "spec.chart.name"),
        ("chart-up", "chart.name that climbs out", {"name": "../x"}, "spec.chart.name"),
    ):
        yield Attack(
            name=f"helm-option-{name}",
            what=what,
            replays=(*replays, "CVE-2024-25620"),
            lay=application(sourceRef={"kind": "HelmRepository", "name": "x"}, chart=chart),
            reason="InvalidSpec",
            api=api,
        )
    for name, what, spec, reason in (
        ("prefix", "namePrefix that is an option", {"namePrefix": "--enable-exec "}, "InvalidManifest"),
        ("component", "a component that is an option", {"components": ["--enable-exec"]}, "BuildFailed"),
        ("component-url", "a component at an URL", {"components": ["http://@refused@/x?ref=main"]}, "BuildFailed"),
        ("component-git", "a component in Git over ssh", {"components": ["git@127.0.0.1:x/y"]}, "BuildFailed"),
        ("image", "an image with a line break", {"images": [{"name": "a\nb", "newName": "c\nd"}]}, ""),
    ):
        yield Attack(
            name=f"kustomize-option-{name}",
            what=what,
            replays=replays,
            lay=files({"app/a.yaml": CONFIG_MAP}, kustomize=spec),
            reason=reason,
        )
    exec_plugin = (
        "apiVersion: x\nkind: Run\nmetadata:\n  name: run\n  annotations:\n"
        "    config.kubernetes.io/function: '{exec: {path: /bin/sh}}'\n"
    )
    container = exec_plugin.replace("exec: {path: /bin/sh}", "container: {image: x, network: true}")
    for name, what, content in (
        ("exec", "a function that is a program", exec_plugin),
        ("container", "a function that is a container", container),
        ("legacy", "a plugin of the machine", "apiVersion: someteam.example.com/v1\nkind: Evil\nmetadata: {name: x}\n"),
    ):
        for field in ("generators", "transformers"):
            lay = {"app/kustomization.yaml": kustomization(**{field: ["p.yaml"]}), "app/p.yaml": content}
            yield Attack(
                name=f"kustomize-{name}-{field}",
                what=f"{what}, in {field}",
                replays=("CVE-2021-41254", "CVE-2022-24817"),
                lay=files(lay),
                reason="BuildFailed",
            )
    for name, what, url in (
        ("http", "a base at an URL", "http://@refused@/base?ref=main"),
        ("ssh", "a base over ssh", "ssh://git@@refused@/base"),
        ("ext", "a base at ext::", "ext::sh -c touch% @marker@"),
        ("option", "a base that is an option of git", "https://127.0.0.1/x?ref=--upload-pack=touch"),
    ):
        yield Attack(
            name=f"kustomize-remote-{name}",
            what=what,
            replays=("CVE-2022-24439", "CVE-2026-44936"),
            lay=files({"app/kustomization.yaml": kustomization(resources=[url])}),
            reason="BuildFailed",
        )
    yield Attack(
        name="kustomize-charts",
        what="a chart that kustomize would fetch",
        replays=("CVE-2026-44936", "CVE-2025-53547"),
        lay=files({"app/kustomization.yaml": kustomization(helmCharts=[{"name": "x", "repo": "http://@refused@"}])}),
        reason="BuildFailed",
    )
    variables: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("name", "a variable whose name is a command", {"substitute": {"a;touch": "x"}}),
        ("value", "a variable whose value is a command", {"substitute": {"a": "$(touch @marker@)`touch @marker@`"}}),
    )
    for name, what, variable in variables:
        yield Attack(
            name=f"variable-{name}",
            what=what,
            replays=("GHSA-rwj8-pgh3-r573",),
            lay=files({"app/a.yaml": CONFIG_MAP.replace("value", '"${a}"')}, postBuild=variable),
            reason="SubstitutionFailed" if name == "name" else "",
            api="names of variables hold letters" if name == "name" else "",
        )
    yield Attack(
        name="variable-environment",
        what="a variable of the controller's environment",
        replays=("GHSA-rwj8-pgh3-r573",),
        lay=files(
            {"app/a.yaml": CONFIG_MAP.replace("value", '"${HOME} ${PATH}"')}, postBuild={"substitute": {"x": "y"}}
        ),
        reason="SubstitutionFailed",
        words="variable HOME has no value",
        unseen=("/usr/bin",),
    )
    yield Attack(
        name="helm-environment",
        what="templates that ask for the controller's environment",
        replays=("GHSA-rwj8-pgh3-r573",),
        lay=files(_CHART | {"app/templates/a.yaml": 'a: {{ env "HOME" }}{{ expandenv "$PATH" }}'}),
        reason="BuildFailed",
    )
    yield Attack(
        name="helm-lookup",
        what="templates that ask for the cluster's Secrets and for names of hosts",
        replays=("CVE-2022-24817", "CVE-2026-44936"),
        lay=files(
            _CHART
            | {
                "app/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: @name@}\ndata:\n"
                '  found: {{ lookup "v1" "Secret" "kube-system" "" | toJson | quote }}\n'
                '  host: {{ getHostByName "localhost" | quote }}\n'
            }
        ),
    )


def _none() -> Iterator[Row]:
    yield NotApplicable(
        replays=("CVE-2021-41254", "CVE-2022-24817"),
        why="A kubeconfig that runs programs: specs have no kubeConfig, Applications are applied to the "
        "controller's own cluster only.",
    )


def _table() -> tuple[Row, ...]:
    made: list[Any] = [*_urls(), *_refs(), *_paths(), *_include(), *_programs(), *_none()]
    return tuple(made)


ROWS: Final[tuple[Row, ...]] = _table()
