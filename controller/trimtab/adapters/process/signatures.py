"""Checks signatures of Git objects and charts with gpg and ssh-keygen, confined, each in a fresh home, without network.

The loop gives an object's raw bytes and the keys that count; a `Signer` comes back, or `NotVerified` with why not. No
keyring, agent, key server or setting of a user or machine has a say.
"""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from trimtab.adapters.process.private_folder import private_folder
from trimtab.adapters.process.runner import Opening, ProcessFailed, ProcessResult, run
from trimtab.core.errors import Problem, SourceError
from trimtab.source.signed_object import ObjectKind, SignatureFormat, SignedObject, read_signed, refusal
from trimtab.source.signers import Signer, gpg_signer, imported, ssh_refusal, ssh_signer
from trimtab.source.trusted_keys import TrustedKeys

_GPG_FLAGS: Final = (
    "--batch",
    "--no-tty",
    "--no-options",
    "--no-autostart",
    "--no-permission-warning",
    "--no-default-keyring",
    "--disable-dirmngr",
    "--no-auto-key-retrieve",
    "--no-auto-key-locate",
    "--no-auto-check-trustdb",
    "--trust-model=always",
    "--display-charset=utf-8",
    "--status-fd=1",
)
_MAX_PRINCIPALS: Final = 20
_USERS: Final = (Path("/etc/passwd"), Path("/etc/nsswitch.conf"))
"""ssh-keygen ends at once where it cannot look up who runs it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one run of a program may take."""

    timeout_seconds: float = 10.0
    output_bytes: int = 1024 * 1024
    memory_bytes: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ProcessVerifier:
    """Implements the `Verifier` port of the loop. Programs are looked for on PATH unless they are given."""

    gpg: Path | None = None
    ssh_keygen: Path | None = None
    bounds: Bounds = field(default_factory=Bounds)

    async def verify(
        self,
        raw: bytes,
        kind: ObjectKind,
        sha: str,
        keys: TrustedKeys,
        *,
        now_seconds: float,
        accept_expired_now: bool = False,
    ) -> tuple[SignedObject, Signer]:
        """Who signed the object. Raises NotVerified, or another SourceError where a program is missing or fails."""
        signed = read_signed(raw, kind, sha)
        with private_folder(None, "trimtab-keys-") as home:
            if signed.format is SignatureFormat.PGP:
                signer = await self._gpg(home, signed, keys, accept_expired_now=accept_expired_now)
            else:
                times = [signed.time] if accept_expired_now else [signed.time, int(now_seconds)]
                signer = await self._ssh(home, signed, keys, times)
        return signed, signer

    async def opened(self, text: bytes, keys: TrustedKeys) -> tuple[bytes, Signer]:
        """What a clear-signed text says by gpg's own reading, and who signed it. Raises as `verify`."""
        with private_folder(None, "trimtab-keys-") as home:
            base, trusted = await self._keyring(home, keys)
            (home / "signed").write_bytes(text)
            payload = home / "payload"
            done = await self._run([*base, "--output", str(payload), "--decrypt", str(home / "signed")], home)
            signer = gpg_signer(done.stdout.decode(errors="replace"), trusted, texts=1)
            return payload.read_bytes(), signer

    async def _gpg(self, home: Path, signed: SignedObject, keys: TrustedKeys, *, accept_expired_now: bool) -> Signer:
        base, trusted = await self._keyring(home, keys)
        (home / "signature").write_bytes(signed.signature)
        (home / "payload").write_bytes(signed.payload)
        done = await self._run([*base, "--verify", str(home / "signature"), str(home / "payload")], home)
        status = done.stdout.decode(errors="replace")
        return gpg_signer(status, trusted, accept_expired_now=accept_expired_now)

    async def _keyring(self, home: Path, keys: TrustedKeys) -> tuple[list[str], set[str]]:
        """gpg's command line for a ring of the given keys, and their fingerprints."""
        if not keys.pgp:
            raise refusal("it is signed by PGP, and verify.secretRef holds no PGP key", "add the key of who signs")
        program = _program(self.gpg, "gpg")
        base = [str(program), *_GPG_FLAGS, "--homedir", str(home), "--keyring", str(home / "keys.gpg")]
        trusted: set[str] = set()
        for name, armoured in keys.pgp:
            done = await self._run([*base, "--import"], home, stdin=armoured)
            found = imported(done.stdout.decode(errors="replace"))
            if not found:
                raise SourceError(
                    Problem(
                        f"{name} of the Secret of verify.secretRef is no PGP key that gpg can read",
                        reason="SecretInvalid",
                        remedy="export it with gpg --export --armor",
                        retry=True,
                    )
                )
            trusted |= found
        return base, trusted

    async def _ssh(self, home: Path, signed: SignedObject, keys: TrustedKeys, times: list[int]) -> Signer:
        if not keys.allowed_signers:
            raise refusal("it is signed by SSH, and verify.secretRef holds no SSH key", "add the key of who signs")
        program = str(_program(self.ssh_keygen, "ssh-keygen"))
        allowed, signature = home / "allowed_signers", home / "signature"
        allowed.write_text(keys.allowed_signers)
        signature.write_bytes(signed.signature)
        files = ["-f", str(allowed), "-s", str(signature)]
        done = await self._run(
            [program, "-Y", "find-principals", *files, f"-Overify-time={_stamp(times[0])}"], home, users=True
        )
        principals = [line for line in done.stdout.decode(errors="replace").splitlines() if line][:_MAX_PRINCIPALS]
        if done.code or not principals:
            raise ssh_refusal(done.stderr)
        said = ""
        verify = [program, "-Y", "verify", "-n", "git", *files]
        for principal in principals:
            found, words = await self._ssh_at(home, [*verify, "-I", principal], signed.payload, times)
            said += words
            if found is None:
                continue
            if not keys.revoked:
                return found
            (home / "revoked").write_bytes(keys.revoked)
            revoked = ["-r", str(home / "revoked")]
            # ssh-keygen does not say that this is what it fails by, so it is asked with and without.
            if await self._ssh_at(home, [*verify, "-I", principal, *revoked], signed.payload, times) != (found, words):
                raise refusal("the SSH key that signed it has been revoked", "sign it with another key")
            return found
        raise ssh_refusal(said)

    async def _ssh_at(self, home: Path, argv: list[str], payload: bytes, times: list[int]) -> tuple[Signer | None, str]:
        """Who signed, by ssh-keygen's verdict at all of these times, and what it said."""
        found: list[Signer | None] = []
        said = ""
        for time in times:
            done = await self._run([*argv, f"-Overify-time={_stamp(time)}"], home, stdin=payload, users=True)
            output = done.stdout.decode(errors="replace")
            found.append(ssh_signer(output, done.code))
            said += done.stderr + output
        return (found[0] if all(one == found[0] for one in found) else None), said

    async def _run(self, argv: list[str], home: Path, *, stdin: bytes = b"", users: bool = False) -> ProcessResult:
        try:
            return await run(
                argv,
                cwd=home,
                readable=[path for path in _USERS if path.exists()] if users else [],
                timeout_seconds=self.bounds.timeout_seconds,
                output_limit_bytes=self.bounds.output_bytes,
                memory_limit_bytes=self.bounds.memory_bytes,
                environment={"HOME": str(home), "LC_ALL": "C", "TZ": "UTC"},
                stdin=stdin,
                opening=Opening(writable=[home]),
            )
        except ProcessFailed as error:
            raise refusal(f"the signature could not be checked: {error}", "it is tried again") from error


def _stamp(seconds: int) -> str:
    """A time as ssh-keygen takes it, in the time zone UTC that it is run in."""
    return datetime.fromtimestamp(max(seconds, 0), UTC).strftime("%Y%m%d%H%M%S")


def _program(given: Path | None, name: str) -> Path:
    found = str(given) if given else shutil.which(name)
    if found is None or not Path(found).is_file():
        raise SourceError(
            Problem(
                f"{name} is not installed",
                reason="VerifierMissing",
                remedy=f"install {name} beside the controller",
                retry=True,
            )
        )
    return Path(found).resolve()
