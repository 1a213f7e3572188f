"""The controller's process imports no client library but the one it uses; every other process imports as ever."""

import subprocess
import sys

LEAN = """
import sys
from trimtab.handlers.lean_imports import import_lean
import_lean()
import_lean()
import trimtab.handlers.process
from kubernetes.aio.client import Configuration, rest
from kubernetes.aio.config import kube_config, load_incluster_config
assert rest.RESTClientObject and Configuration().verify_ssl
heavy = {"requests", "oauthlib", "websocket", "pykube", "kubernetes.client", "kubernetes.dynamic"} & sys.modules.keys()
assert not heavy, heavy
"""
LATE = """
import kopf
import kubernetes.client
from trimtab.handlers.lean_imports import import_lean
import_lean()
assert sys.modules["kubernetes.client"] is kubernetes.client
assert kubernetes.client.V1ObjectMeta(name="x").name == "x"
"""


def check(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import sys\n{script}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_neither_kopf_nor_kubernetes_brings_another_client_along():
    check(LEAN)


def test_what_is_imported_already_stays_whole():
    check(LATE)
