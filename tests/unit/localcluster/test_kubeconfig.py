"""Kubeconfigs are read back as they were written, and are private."""

from pathlib import Path

import pytest

from trimtab.localcluster import kubeconfig
from trimtab.localcluster.errors import ClusterError
from trimtab.localcluster.kubeconfig import Access

ACCESS = Access("https://127.0.0.1:1234", b"authority", b"certificate", b"key")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("old")
    kubeconfig.write(path, kubeconfig.render(name="trimtab-a", user="admin", access=ACCESS))
    assert kubeconfig.read(path) == ACCESS
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "[]", "a: [", "current-context: x\ncontexts: []\n"])
def test_anything_else_is_refused_with_a_remedy(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(ClusterError, match=r"is no kubeconfig.*trimtab cluster up"):
        kubeconfig.read(path)


def test_a_missing_file_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="is no kubeconfig"):
        kubeconfig.read(tmp_path / "absent")
