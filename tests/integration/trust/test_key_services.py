"""Files for a key service: sops may talk to it where its credentials are given, to the servers named, and not else."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from trimtab.adapters.process.private_folder import private_folder
from trimtab.adapters.process.sops import Bounds, Sops
from trimtab.core.errors import RenderError
from trimtab.render.decryption_keys import DecryptionKeys, decryption_keys
from trimtab.render.sops_files import parts_of

TEXT = "password: hunter2\n"


class Transit(BaseHTTPRequestHandler):
    """Vault's transit engine, which turns keys into themselves in base64."""

    def do_PUT(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.tokens.append(self.headers["X-Vault-Token"])  # type: ignore[attr-defined]
        if self.path.startswith("/v1/transit/encrypt/"):
            data = {"ciphertext": "vault:v1:" + body["plaintext"]}
        else:
            data = {"plaintext": body["ciphertext"].removeprefix("vault:v1:")}
        answer = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def transit():
    with HTTPServer(("127.0.0.1", 0), Transit) as server:
        server.tokens = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def address(transit):
    return f"http://127.0.0.1:{transit.server_port}"


@pytest.fixture
def encrypted(safe, address, transit):
    (safe.home / ".vault-token").write_text("maker")
    text = safe.encrypt(TEXT, also=("--hc-vault-transit", f"{address}/v1/transit/keys/k"))
    transit.tokens.clear()
    return text


async def decrypt(programs, text, data):
    (part,) = parts_of(text.encode(), "a.yaml")
    with private_folder(None, "trimtab-test-") as home:
        return await Sops(programs["sops"], decryption_keys(data, "keys"), home, Bounds()).decrypt(part, "a.yaml")


async def test_a_named_server_is_asked_with_the_token(programs, encrypted, address, transit):
    data = {"sops.vault-token": b"given\n", "sops.vault-address": address.encode()}
    assert (await decrypt(programs, encrypted, data)).decode() == TEXT
    assert transit.tokens == ["given"]


async def test_another_server_never_sees_the_token(programs, encrypted, address, transit):
    data = {"sops.vault-token": b"given", "sops.vault-address": b"https://vault.example.org"}
    with pytest.raises(RenderError, match=f"it wants hc_vault key {address}"):
        await decrypt(programs, encrypted, data)
    assert transit.tokens == []


async def test_without_credentials_nothing_is_asked(programs, safe, encrypted, transit):
    _, key = safe.age()
    with pytest.raises(RenderError, match="it wants hc_vault key"):
        await decrypt(programs, encrypted, {"a.agekey": key})
    assert transit.tokens == []


async def test_credentials_of_one_service_open_no_way_to_another(programs, encrypted, address, transit):
    data = {"sops.azure-kv": b"tenantId: t\nclientId: c\nclientSecret: s\n"}
    rows = "    azure_kv: [{vault_url: 'https://mine.vault.azure.net', name: k, version: v, enc: aaaa, created_at: "
    text = encrypted.replace("sops:\n", "sops:\n" + rows + "'2026-01-01T00:00:00Z'}]\n")
    with pytest.raises(RenderError, match="no service was asked, for it also names hc_vault"):
        await decrypt(programs, text, data)
    assert transit.tokens == []


async def test_a_vault_that_is_none_of_azure_is_not_asked(programs, encrypted, address, transit):
    data = {"sops.azure-kv": b"tenantId: t\nclientId: c\nclientSecret: s\n"}
    text = encrypted.replace("hc_vault", "azure_kv").replace("vault_address", "vault_url")
    with pytest.raises(RenderError, match=f"names a server that is none of azure_kv: {address}"):
        await decrypt(programs, text, data)


async def test_other_keys_of_the_file_do_without_the_service(programs, safe, address, transit):
    recipient, key = safe.age()
    (safe.home / ".vault-token").write_text("maker")
    text = safe.encrypt(TEXT, age=recipient, also=("--hc-vault-transit", f"{address}/v1/transit/keys/k"))
    transit.tokens.clear()
    data = {"a.agekey": key, "sops.azure-kv": b"tenantId: t\nclientId: c\nclientSecret: s\n"}
    assert (await decrypt(programs, text, data)).decode() == TEXT
    assert transit.tokens == []


@pytest.mark.parametrize("addresses", ["", ","])
async def test_a_vault_is_asked_by_name_only(tmp_path, addresses):
    keys = DecryptionKeys(services={"hc_vault": b"token"} if addresses else {}, vault_addresses=addresses[1:])
    assert Sops(tmp_path / "sops", keys, tmp_path, Bounds())._environment["SOPS_HC_VAULT_ALLOWLIST"] == "none"


async def test_credentials_are_laid_out_in_files_of_their_own(tmp_path):
    data = {
        "sops.aws-kms": b"aws_access_key_id: one\naws_secret_access_key: two\n",
        "sops.gcp-kms": b'{"type": "service_account"}',
        "sops.azure-kv": b"tenantId: t\nclientId: c\nclientSecret: s\n",
    }
    keys = decryption_keys(data, "keys")
    environment = Sops(tmp_path / "sops", keys, tmp_path, Bounds())._environment
    assert (tmp_path / "aws").read_text() == "[default]\naws_access_key_id = one\naws_secret_access_key = two\n"
    assert (tmp_path / "aws").stat().st_mode & 0o777 == 0o600
    assert environment["GOOGLE_APPLICATION_CREDENTIALS"] == str(tmp_path / "gcp.json")
    assert (environment["AZURE_TENANT_ID"], environment["AZURE_CLIENT_SECRET"]) == ("t", "s")
    (tmp_path / "new").mkdir()
    with pytest.raises(RenderError, match="no mapping"):
        Sops(tmp_path / "sops", decryption_keys({"sops.aws-kms": b"- x"}, "keys"), tmp_path / "new", Bounds())


def test_what_the_server_is_given_is_not_the_text(encrypted):
    assert base64.b64encode(TEXT.encode()).decode() not in encrypted
