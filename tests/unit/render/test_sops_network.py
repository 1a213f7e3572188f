"""sops gets a network only where every server that a file names is one of a service whose credentials are at hand."""

import pytest

from trimtab.render.decryption_keys import DecryptionKeys
from trimtab.render.sops_files import parts_of
from trimtab.render.sops_network import Network, network_for

AZURE = "https://mine.vault.azure.net"
ARN = "arn:aws:kms:eu-west-1:123456789012:key/6b2f"
ALL = DecryptionKeys(services={"azure_kv": b"x", "kms": b"x", "gcp_kms": b"x"})


def wanted(metadata, file="a.yaml"):
    text = metadata if file != "a.yaml" else f"a: ENC[x]\nsops:\n    mac: ENC[y]\n{metadata}"
    (part,) = parts_of(text.encode(), file)
    return part.wanted


def azure(url=AZURE):
    return f"    azure_kv: [{{vault_url: '{url}', name: k}}]\n"


def kms(arn=ARN):
    return f"    kms: [{{arn: '{arn}', aws_profile: ''}}]\n"


def vault(address="http://127.0.0.1:1"):
    return f"    hc_vault: [{{vault_address: '{address}', engine_path: ../x, key_name: k}}]\n"


@pytest.mark.parametrize(
    "metadata",
    [
        azure(),
        azure("https://MINE.vault.azure.cn:443/"),
        azure("https://a.managedhsm.usgovcloudapi.net"),
        kms(),
        kms("arn:aws-cn:kms:cn-north-1:1:alias/a+arn:aws:iam::1:role/r"),
        azure() + kms() + "    gcp_kms: [{resource_id: projects/p/locations/l/keyRings/r/cryptoKeys/k}]\n",
        f"    key_groups:\n    - azure_kv: [{{vault_url: '{AZURE}'}}]\n    - age: [{{recipient: age1x}}]\n",
    ],
)
def test_services_with_credentials_are_asked_at_their_own_servers(metadata):
    assert network_for(wanted(metadata), ALL) == Network(open=True)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (azure() + vault(), "also names hc_vault, for which there are no credentials"),
        (azure() + "    hckms: [{key_id: 'x:y'}]\n", "also names hckms"),
        (azure() + f"    key_groups: [{{hc_vault: [{{vault_address: '{AZURE}'}}]}}]\n", "also names hc_vault"),
        (azure("https://127.0.0.1:1"), "none of azure_kv: https://127.0.0.1:1"),
        (azure("http://mine.vault.azure.net"), "none of azure_kv"),
        (azure("https://mine.vault.azure.net@evil.example"), "none of azure_kv"),
        (azure("https://evil.example/mine.vault.azure.net"), "none of azure_kv"),
        (azure("https://evil.example/?x.vault.azure.net"), "none of azure_kv: of unreadable name"),
        (kms("arn:aws:kms:x@127.0.0.1:1/y:1:key/z"), "none of kms"),
        # Metadata that sops reads and nobody writes.
        (azure() + vault().replace("hc_vault", "HC_Vault"), "not as sops writes it"),
        (azure() + vault().replace("vault_address", "Vault_Address"), "not as sops writes it"),
        (f"    azure_kv: {{vault_url: '{AZURE}'}}\n", "not as sops writes it"),
        (azure() + "    hc_vault: {vault_address: 'http://127.0.0.1:1'}\n", "not as sops writes it"),
        (azure() + "    key_groups: {hc_vault: [{vault_address: 'http://127.0.0.1:1'}]}\n", "not as sops writes it"),
        (azure() + "    gcp_kms: [{enc: x}]\n", "not as sops writes it"),
    ],
)
def test_a_network_is_barred_by_anything_else_named(metadata, words):
    found = network_for(wanted(metadata), ALL)
    assert not found.open
    assert words in found.barred
    assert found.remedy


def dotenv(*rows):
    return "\n".join(["A=ENC[x]", *(f"sops_{row}" for row in rows), "sops_mac=ENC[y]", ""])


URL = f"azure_kv__list_0__map_vault_url={AZURE}"


def test_flat_formats_are_judged_as_well():
    profile = "kms__list_0__map_aws_profile="
    text = dotenv(URL, profile, f"kms__list_0__map_arn={ARN}", "azure_kv__list_0__map_name=k")
    assert network_for(wanted(text, "a.env"), ALL) == Network(open=True)


@pytest.mark.parametrize(
    "row",
    [
        "hc_vault__list_0__map_vault_address=http://127.0.0.1:1",
        "HC_VAULT__list_0__map_vault_address=http://127.0.0.1:1",
        "hc_vault__map_vault_address=http://127.0.0.1:1",
        "key_groups__list_0__map_hc_vault__list_0__map_vault_address=http://127.0.0.1:1",
        "azure_kv__list_1__map_vault_url=https://127.0.0.1:1",
        "azure_kv__list_x__map_vault_url=https://127.0.0.1:1",
        "gcp_kms__list_0__map_enc=x",
    ],
)
def test_flat_formats_hide_no_other_server(row):
    found = network_for(wanted(dotenv(URL, row), "a.env"), ALL)
    assert not found.open
    assert found.barred


def test_a_vault_of_ones_own_is_named_in_the_secret():
    own = DecryptionKeys(services={"azure_kv": b"x"}, azure_addresses=("https://vault.example",))
    assert network_for(wanted(azure("https://vault.example/")), own).open
    assert not network_for(wanted(azure("https://vault.example.org/")), own).open


def test_without_credentials_there_is_nothing_to_say():
    assert network_for(wanted(azure() + vault()), DecryptionKeys(age=b"x")) == Network()
    assert network_for(wanted(vault()), ALL) == Network()
    assert network_for(wanted("    age: [{recipient: age1x}]\n"), ALL) == Network()
