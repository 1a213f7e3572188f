"""The advisories whose flaws are replayed, by the class that they belong to.

The table has to have a row for each; the page about security cases is made of both.
"""

from typing import Final

ADVISORIES: Final[dict[str, tuple[str, ...]]] = {
    "Links and `..` that lead to the controller's files": (
        "CVE-2022-24348 (Argo CD)",
        "CVE-2022-24730 (Argo CD)",
        "CVE-2022-24731 (Argo CD)",
        "CVE-2022-24904 (Argo CD)",
        "CVE-2022-31036 (Argo CD)",
        "CVE-2023-40026 (Argo CD)",
        "CVE-2022-24877 (Flux)",
        "CVE-2026-47680 (status tells which paths exist)",
    ),
    "Charts that lead to other files, or write them": (
        "CVE-2025-53547 (Helm)",
        "CVE-2026-35206 (Helm)",
        "CVE-2024-25620 (Helm)",
    ),
    "Builds without end": ("CVE-2022-24878 (Flux)",),
    "Bombs of manifests, archives and registries": (
        "CVE-2022-31016 (Argo CD)",
        "CVE-2023-40584 (Argo CD)",
        "CVE-2024-29893 (Argo CD)",
        "CVE-2025-32386 (Helm)",
        "CVE-2025-55199 (Helm)",
        "PyYAML #235 (aliases)",
        "CVE-2024-32476 (Argo CD, patterns of users)",
    ),
    "One bad spec that stops its whole kind": ("CVE-2022-39272 (Flux)",),
    "Addresses that nobody should reach": ("CVE-2026-44936 (Fleet)",),
    "Options and commands in words of users": (
        "CVE-2025-21613 (go-git)",
        "CVE-2021-41254 (Flux)",
        "CVE-2022-24817 (Flux)",
    ),
    "Git: servers and packs": (
        "CVE-2023-49569 (go-git)",
        "CVE-2025-21614 (go-git)",
        "CVE-2026-71556 (go-git)",
        "CVE-2026-71557 (go-git)",
    ),
    "Git: submodules and hooks": (
        "CVE-2018-11235 (git)",
        "CVE-2024-32002 (git)",
        "CVE-2025-48384 (git)",
    ),
    "Git: local clones and who owns them": (
        "CVE-2022-24765 (git)",
        "CVE-2022-39253 (git)",
        "CVE-2024-32465 (git)",
    ),
    "GitPython": (
        "CVE-2022-24439",
        "CVE-2023-40267",
        "CVE-2023-40590",
        "CVE-2024-22190",
        "CVE-2023-41040",
        "GHSA-x2qx-6953-8485",
        "GHSA-rpm5-65cw-6hj4",
        "GHSA-2f96-g7mh-g2hx",
        "GHSA-r9mr-m37c-5fr3",
        "GHSA-wvpp-8hx9-p66j",
        "GHSA-956x-8gvw-wg5v",
        "GHSA-rwj8-pgh3-r573",
        "GHSA-6p8h-3wgx-97gf",
        "GHSA-7833-fr7j-v32q",
        "GHSA-g5vv-9gxw-82hx",
    ),
    "Credentials in errors, URLs and answers": (
        "CVE-2023-25163 (Argo CD)",
        "CVE-2025-55190 (Argo CD)",
        "GHSA-6w87-g839-9wv7 (Argo CD)",
        "CVE-2024-31216 (Flux)",
    ),
    "Credentials sent to another host": (
        "CVE-2021-32690 (Helm)",
        "CVE-2026-41506 (go-git)",
    ),
    "Hosts that nobody checked": ("CVE-2025-23390 (Fleet)",),
    "Secrets in diffs, errors and logs": (
        "CVE-2025-23216 (Argo CD)",
        "CVE-2026-42880 (Argo CD)",
        "CVE-2026-45737 (Argo CD)",
        "CVE-2023-40029 (Argo CD)",
        "CVE-2024-52284 (Fleet)",
    ),
}

KNOWN: Final = frozenset(name.partition(" (")[0] for names in ADVISORIES.values() for name in names)
"""Their bare names, by which rows refer to them."""
