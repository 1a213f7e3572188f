"""A small synchronous client of the API server: enough to wait for readiness and to set up nodes, and for tests.

In: a kubeconfig's `Access`; out: parsed JSON. The controller's own client is another one, in `adapters`.
"""

import json
import ssl
import tempfile
from pathlib import Path
from typing import Any, Final

import urllib3

from trimtab.localcluster.errors import ClusterError
from trimtab.localcluster.kubeconfig import Access

_TIMEOUT: Final = urllib3.Timeout(connect=2.0, read=30.0)
USER_AGENT: Final = "trimtab-localcluster"
MERGE_PATCH: Final = "application/merge-patch+json"


class ApiFailure(ClusterError):
    """The API server refused a request; `status` is the HTTP status code."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class ApiUnreachable(ClusterError):
    """There was no answer at all."""


def _context(access: Access, *, with_certificate: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=access.authority_pem.decode())
        if with_certificate:
            _load_certificate(context, access)
    except ssl.SSLError as error:
        raise ClusterError(
            f"the certificates for {access.server} cannot be used: {error}",
            remedy="take the cluster down and start it again",
        ) from error
    return context


def _load_certificate(context: ssl.SSLContext, access: Access) -> None:
    # The ssl module takes a certificate from files only.
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder) / "client.crt", Path(folder) / "client.key"
        certificate.write_bytes(access.certificate_pem)
        key.touch(mode=0o600)
        key.write_bytes(access.key_pem)
        context.load_cert_chain(certificate, key)


class ApiClient:
    """Requests with the client certificate of an `Access`, or with a bearer token in its place."""

    def __init__(self, access: Access, *, token: str = "") -> None:
        self._server = access.server
        self._headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        context = _context(access, with_certificate=not token)
        self._pool = urllib3.PoolManager(ssl_context=context, timeout=_TIMEOUT, retries=False)

    def request(self, method: str, path: str, body: object = None, *, media_type: str = "application/json") -> Any:
        """Send one request and return the parsed answer (None where it is no JSON).

        Raises ApiFailure on a status of 400 and above, ApiUnreachable where nobody answers.
        """
        content = None if body is None else json.dumps(body).encode()
        headers = {**self._headers, **({} if body is None else {"Content-Type": media_type})}
        try:
            response = self._pool.request(method, self._server + path, body=content, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise ApiUnreachable(f"{self._server} does not answer: {type(error).__name__}") from error
        if response.status >= 400:
            raise ApiFailure(response.status, f"{method} {path}: {response.status} {_message(response.data)}")
        try:
            return json.loads(response.data)
        except ValueError:
            return None

    def get(self, path: str) -> Any:
        """GET."""
        return self.request("GET", path)

    def create(self, path: str, body: object) -> bool:
        """POST; False where the object was there already (409)."""
        try:
            self.request("POST", path, body)
        except ApiFailure as failure:
            if failure.status != 409:
                raise
            return False
        return True

    def close(self) -> None:
        """Give up all connections."""
        self._pool.clear()


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        return content[:200].decode(errors="replace").strip()
