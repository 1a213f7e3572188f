"""The cluster's own certificate authorities and everything they sign, written once into the cluster's `pki` folder.

`cluster` calls `write_pki` before the first start; the components' flags and the kubeconfigs name the files.
"""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID: Final = dt.timedelta(days=3650)
_CLOCK_SKEW: Final = dt.timedelta(hours=1)

ADMIN_GROUP: Final = "system:masters"

_CLIENTS: Final = {
    "admin": ("trimtab-admin", (ADMIN_GROUP,)),
    "kube-controller-manager": ("system:kube-controller-manager", ()),
    "kube-scheduler": ("system:kube-scheduler", ()),
    # kwok plays the kubelet of every node: nodes, pods, leases, events, volumes.
    "kwok": ("trimtab-kwok", (ADMIN_GROUP,)),
}
"""File name → common name (the user) and organisations (the groups)."""

SERVER_NAMES: Final = (
    "localhost",
    "127.0.0.1",
    "10.96.0.1",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
"""What the API server's certificate is good for; 10.96.0.1 is the address of its Service."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: its key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls, common_name: str) -> "Authority":
        """A new self-signed authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(common_name, ())
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _builder(name, issuer=name, key=key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    def issue(
        self, common_name: str, *, organisations: tuple[str, ...] = (), names: tuple[str, ...] = ()
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        """A key and a certificate for it: for a server too where `names` (DNS names, IP addresses) are given."""
        key = ec.generate_private_key(ec.SECP256R1())
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if names else [])]
        builder = (
            _builder(_name(common_name, organisations), issuer=self.certificate.subject, key=key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
        return key, builder.sign(self.key, hashes.SHA256())


def _name(common_name: str, organisations: tuple[str, ...]) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in organisations]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(subject: x509.Name, *, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def write_pki(folder: Path) -> None:
    """Make all authorities, certificates and keys of one cluster; keys are readable by their owner only.

    `ca` signs the API server and its clients, `etcd-ca` etcd and its one client, `front-proxy-ca` the aggregation
    layer: three, so that no client of one is believed by another. `sa` signs service-account tokens.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    cluster, store, proxy = (Authority.create(f"trimtab-{name}") for name in ("ca", "etcd-ca", "front-proxy-ca"))
    for name, authority in (("ca", cluster), ("etcd-ca", store), ("front-proxy-ca", proxy)):
        _write(folder, name, authority.key, authority.certificate)
    _write(folder, "kube-apiserver", *cluster.issue("kube-apiserver", names=SERVER_NAMES))
    _write(folder, "etcd", *store.issue("etcd", names=("localhost", "127.0.0.1")))
    _write(folder, "etcd-client", *store.issue("kube-apiserver"))
    _write(folder, "front-proxy-client", *proxy.issue("front-proxy-client"))
    for name, (user, groups) in _CLIENTS.items():
        _write(folder, name, *cluster.issue(user, organisations=groups))
    signer = ec.generate_private_key(ec.SECP256R1())
    _write(folder, "sa", signer, None)
    public = signer.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "sa.pub").write_bytes(public)


def _write(folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate | None) -> None:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.key"
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(private)
    if certificate is not None:
        (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
