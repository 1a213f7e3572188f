"""TLS contexts from what Secrets hold, without any key ever lying in a file.

PEM texts flow in, contexts flow out: one for the host that was asked for, one for those it redirects to.
"""

import os
import ssl

from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.ports.downloads import Access


def own_context(access: Access) -> ssl.SSLContext:
    """For the declared host: its CA alone where one is given, and our certificate. Raises SourceError."""
    context = ssl.create_default_context(cadata=_ca(access.ca_pem) if access.ca_pem else None)
    if access.cert_pem or access.key_pem:
        _present(context, access)
    return context


def foreign_context(access: Access) -> ssl.SSLContext:
    """For hosts that it leads to: the system's authorities beside the given one, and no certificate of ours."""
    context = ssl.create_default_context()
    if access.ca_pem:
        context.load_verify_locations(cadata=_ca(access.ca_pem))
    return context


def _ca(pem: str) -> str:
    try:
        ssl.create_default_context(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise _refusal("ca.crt holds no PEM certificate") from None
    return pem


def _present(context: ssl.SSLContext, access: Access) -> None:
    """`load_cert_chain` reads files only: they are in memory and gone when it returns."""
    if not (access.cert_pem and access.key_pem):
        raise _refusal("tls.crt and tls.key go together: one of them is missing")
    descriptors = [_memory_file(text) for text in (access.cert_pem, access.key_pem)]
    try:
        # An encrypted key would make OpenSSL ask at the terminal.
        certificate, key = (f"/proc/self/fd/{each}" for each in descriptors)
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError, ValueError):
        raise _refusal("tls.crt and tls.key are no certificate and its unencrypted key") from None
    finally:
        for each in descriptors:
            os.close(each)


def _memory_file(text: str) -> int:
    descriptor = os.memfd_create("tls")
    os.write(descriptor, text.encode())
    return descriptor


def _refusal(message: str) -> SourceError:
    remedy = "correct the Secret of certSecretRef"
    return SourceError(Problem(message, reason="SecretInvalid", remedy=remedy))
