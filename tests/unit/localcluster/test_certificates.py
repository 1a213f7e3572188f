"""Every certificate is signed by the authority it should be, and keys are their owner's only."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from trimtab.localcluster.certificates import SERVER_NAMES, write_pki


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cluster") / "pki"
    write_pki(folder)
    return folder


def load(pki: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((pki / f"{name}.crt").read_bytes())


@pytest.mark.parametrize(
    ("name", "authority"),
    [
        ("kube-apiserver", "ca"),
        ("admin", "ca"),
        ("kube-controller-manager", "ca"),
        ("kube-scheduler", "ca"),
        ("kwok", "ca"),
        ("etcd", "etcd-ca"),
        ("etcd-client", "etcd-ca"),
        ("front-proxy-client", "front-proxy-ca"),
    ],
)
def test_certificates_come_from_their_authority_and_fit_their_keys(pki: Path, name: str, authority: str) -> None:
    certificate = load(pki, name)
    certificate.verify_directly_issued_by(load(pki, authority))
    key = load_pem_private_key((pki / f"{name}.key").read_bytes(), None)
    assert key.public_key() == certificate.public_key()


def test_the_api_server_is_known_by_loopback_and_service_names(pki: Path) -> None:
    names = load(pki, "kube-apiserver").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    assert sorted([*names.get_values_for_type(x509.DNSName), *addresses]) == sorted(SERVER_NAMES)


def test_only_servers_may_serve(pki: Path) -> None:
    def purposes(name: str) -> set[x509.ObjectIdentifier]:
        return set(load(pki, name).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)

    assert ExtendedKeyUsageOID.SERVER_AUTH in purposes("etcd")
    assert purposes("admin") == {ExtendedKeyUsageOID.CLIENT_AUTH}


def test_the_administrator_is_in_the_group_of_masters_and_the_scheduler_is_not(pki: Path) -> None:
    def groups(name: str) -> list[str | bytes]:
        return [group.value for group in load(pki, name).subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]

    assert groups("admin") == ["system:masters"]
    assert groups("kube-scheduler") == []


def test_keys_are_readable_by_their_owner_only(pki: Path) -> None:
    keys = list(pki.glob("*.key"))
    assert len(keys) == 12
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    assert (pki / "sa.pub").read_text().startswith("-----BEGIN PUBLIC KEY-----")
