"""Only what a trusted key has signed reaches the cluster; who signed, or why not, stands in status."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.fixtures.cluster import Kubectl, wait_for
from tests.fixtures.controller import Controller, Served, application, git_repository, is_true, status


def run(*argv: str | Path, folder: Path) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "id"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada@example.org", "-f", path, folder=tmp_path)
    return path


@pytest.fixture
def push(shop: Served, tmp_path: Path, key: Path):
    """Commit onto the shop's branch, signed or not, and push; the SHA."""
    run("git", "clone", "-q", shop.repository.path, tmp_path / "copy", folder=tmp_path)

    def start(text: str, *, signed: bool) -> str:
        (tmp_path / "copy" / "README.md").write_text(text)
        sign = ["-c", "gpg.format=ssh", "-c", f"user.signingkey={key}"] if signed else []
        run("git", "add", "-A", folder=tmp_path / "copy")
        flag = "-S" if signed else "--no-gpg-sign"
        run("git", *sign, "commit", "-q", "-m", text, flag, folder=tmp_path / "copy")
        run("git", "push", "-q", "origin", "HEAD:main", folder=tmp_path / "copy")
        return run("git", "rev-parse", "HEAD", folder=tmp_path / "copy")

    return start


def test_an_unsigned_commit_never_reaches_the_cluster(
    kubectl: Kubectl, controller: Controller, shop: Served, namespace: str, key: Path, push
):
    home = controller.namespace
    public = Path(f"{key}.pub").read_bytes()
    data = {"ada.pub": base64.b64encode(public).decode()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": home}, "data": data}
    asked = {"mode": "HEAD", "secretRef": {"name": "keys"}}
    kubectl("apply", "-f", "-", stdin=json.dumps(secret))
    overlay = application(home, "staging", "overlays/staging", namespace)
    kubectl("apply", "-f", "-", stdin=git_repository(home, shop.url, verify=asked) + overlay)

    def source() -> dict:
        return kubectl.get("tgit", "shop", "-n", home).get("status", {})

    def said(kind: str) -> dict:
        return {each["type"]: each for each in source().get("conditions", [])}.get(kind, {})

    wait_for(lambda: said("SourceVerified").get("status") == "False", what="the refusal of the first commit")
    assert "the commit is not signed" in said("SourceVerified")["message"]
    assert (said("Ready")["status"], "artifact" in source()) == ("False", False)
    assert kubectl.run("get", "deployment", "web", "-n", namespace).returncode != 0

    signed = push("signed", signed=True)
    wait_for(lambda: is_true(status(kubectl, home, "staging"), "Ready"), timeout_seconds=60, what="Ready")
    assert source()["verified"]["by"] == "ada@example.org"
    fingerprint = run("ssh-keygen", "-l", "-f", f"{key}.pub", folder=key.parent).split()[1]
    assert source()["verified"]["fingerprint"] == fingerprint
    assert source()["sourceVerificationMode"] == "HEAD"
    assert source()["artifact"]["revision"] == f"main@sha1:{signed}"

    push("unsigned", signed=False)
    wait_for(lambda: said("SourceVerified").get("status") == "False", what="the refusal of the last commit")
    assert source()["artifact"]["revision"] == f"main@sha1:{signed}"
    assert status(kubectl, home, "staging")["lastAppliedRevision"] == f"main@sha1:{signed}"
    # What was lost in the cluster comes back from the last good commit.
    kubectl("delete", "service", "web", "-n", namespace)
    wait_for(lambda: kubectl.run("get", "service", "web", "-n", namespace).returncode == 0, what="the Service")
