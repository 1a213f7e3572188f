"""Real keys and really signed commits and tags, made by gpg, ssh-keygen and git in homes of their own."""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from trimtab.adapters.process.private_folder import memory_folder
from trimtab.localcluster.assets import Finder

MAY = "2026-05-01 12:00:00 +0000"
GPG_MAY = "20260501T120000"


@dataclass(frozen=True)
class Repository:
    """A repository that signs with `format` (openpgp or ssh) and `key`."""

    path: Path
    home: Path

    def git(self, *arguments, stdin=b"", date=MAY, **environment):
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "GNUPGHOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
            **environment,
        }
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        done = subprocess.run(
            ["git", "-C", self.path, *identity, *arguments], env=env, input=stdin, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def commit(self, *, key="", form="openpgp", date=MAY, **environment):
        sign = ["-c", f"gpg.format={form}", "-c", f"user.signingkey={key}"] if key else []
        flag = ["-S"] if key else ["--no-gpg-sign"]
        self.git(*sign, "commit", "--allow-empty", "-m", "Change", *flag, date=date, **environment)
        return self.git("rev-parse", "HEAD").decode().strip()

    def tag(self, name, *, key="", form="openpgp", date=MAY):
        sign = ["-c", f"gpg.format={form}", "-c", f"user.signingkey={key}"] if key else []
        self.git(*sign, "tag", "-f", "-m", f"Release {name}", "-s" if key else "-a", name, date=date)
        return self.git("rev-parse", f"refs/tags/{name}").decode().strip()

    def raw(self, sha):
        kind = self.git("cat-file", "-t", sha).decode().strip()
        return self.git("cat-file", kind, sha)


@pytest.fixture
def vault():
    """A folder in memory of this test's own, found empty at the end."""
    memory = memory_folder()
    assert memory is not None
    with tempfile.TemporaryDirectory(dir=memory, prefix="tt-") as folder:
        yield Path(folder)
        assert list(Path(folder).iterdir()) == []


@pytest.fixture(params=["sha1", "sha256"])
def object_format(request):
    return request.param


@pytest.fixture
def signing(tmp_path, keyring):
    """A fresh repository that signs with the keys of the keyring."""
    path = tmp_path / "signing"
    subprocess.run(["git", "init", "-q", "-b", "main", path], check=True)
    return Repository(path, keyring.home)


@pytest.fixture
def ssh_key(tmp_path):
    """A function that makes an SSH key pair and gives the path of the private one."""

    def make(name="id", kind="ed25519", comment="ada@example.org"):
        path = tmp_path / name
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment, "-f", path], check=True)
        return path

    return make


@dataclass(frozen=True)
class Safe:
    """Encrypts with the real sops, for the keys it has made."""

    sops: Path
    keygen: Path
    home: Path

    def age(self, name="age"):
        """A new age key: its recipient and the file of the key."""
        file = self.home / f"{name}.agekey"
        subprocess.run([self.keygen, "-o", file], capture_output=True, check=True)
        recipient = subprocess.run([self.keygen, "-y", file], capture_output=True, check=True).stdout.decode().strip()
        return recipient, file.read_bytes()

    def encrypt(self, text, kind="yaml", *, age="", pgp="", gnupg="", also=()):
        """Text as sops encrypts it."""
        given = [*(["--age", age] if age else []), *(["--pgp", pgp] if pgp else [])]
        types = ["--input-type", kind, "--output-type", "json" if kind == "binary" else kind]
        argv = [self.sops, "--disable-version-check", "encrypt", *given, *also, *types]
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "GNUPGHOME": str(gnupg)}
        done = subprocess.run(
            [*argv, "--filename-override", "x"], input=text.encode(), env=env, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


@pytest.fixture(scope="session")
def programs():
    """The paths of kustomize, sops and age-keygen."""
    return Finder.from_environment().find(["kustomize", "sops", "age-keygen"])


@pytest.fixture
def safe(programs, tmp_path):
    return Safe(programs["sops"], programs["age-keygen"], tmp_path)
