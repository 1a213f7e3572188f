"""Remote bases from another repository to a cluster: allowed, followed, compared, and told where they are broken."""

import json
from typing import Any

from tests.fixtures.cluster import wait_for
from tests.fixtures.controller import Trimtab
from tests.fixtures.lab import Lab

from trimtab.adapters.git.bare_repository import BareRepository

BASE = {
    "web/kustomization.yaml": "resources: [config.yaml]\n",
    "web/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {from: base, kept: 'yes'}\n",
}


def data(lab: Lab) -> dict[str, str]:
    found: dict[str, str] = lab.kubectl.get("configmap", "prod-web", "-n", lab.namespace)["data"]
    return found


def test_a_base_is_refused_until_it_is_allowed_then_followed_and_compared(lab: Lab) -> None:
    base = BareRepository.create(lab.folder / "repositories" / "base.git")
    base.commit(BASE, "Begin")
    url = f"{lab.server.url}/base.git"
    overlay = {"prod/kustomization.yaml": f"namePrefix: prod-\nresources:\n- {url}//web?ref=main\n"}
    fleet = lab.repository("fleet", overlay)
    lab.application("shop", "fleet", "prod")

    told = lab.wait_condition("shop", "Ready", "False")
    assert f"add {url} to spec.remoteBases of GitRepository fleet" in told["message"]
    error = lab.status("shop")["errors"][0]
    assert (error["file"], error["line"]) == ("prod/kustomization.yaml", 3)

    spec = {"url": f"{lab.server.url}/fleet.git", "interval": "10m", "remoteBases": [lab.server.url]}
    lab.declare("GitRepository", "fleet", spec)
    lab.wait_applied("shop", fleet.sha())
    assert data(lab) == {"from": "base", "kept": "yes"}
    assert lab.status("shop")["remoteBases"] == [{"url": f"{url}?ref=main", "revision": f"main@sha1:{base.sha()}"}]
    trimtab = Trimtab(lab.cluster, lab.namespace)
    trimtab("diff", "shop")

    # The base moves; a process that was not there meanwhile knows what it declared before.
    lab.controller.stop()
    base.commit({"web/config.yaml": BASE["web/config.yaml"].replace(", kept: 'yes'", "")})
    assert "kept" in trimtab("diff", "shop", code=1)
    lab.controller.start()
    wait_for(lambda: data(lab) == {"from": "base"}, timeout_seconds=60)
    lab.wait_condition("shop", "Ready")

    lab.kubectl("patch", "configmap", "prod-web", "-n", lab.namespace, "-p", json.dumps({"data": {"from": "me"}}))
    wait_for(lambda: data(lab) == {"from": "base"}, timeout_seconds=60)

    broke = base.commit({"web/config.yaml": "kind: ConfigMap\nmetadata: {name: web\n"}, "Break it")
    lab.poke("shop", "tapp")
    name = f"{url}@main@sha1:{broke}//web/config.yaml"

    def told_by_whom() -> dict[str, Any]:
        return next((each for each in lab.status("shop").get("errors", []) if each.get("commit")), {})

    error = wait_for(told_by_whom, timeout_seconds=60)
    assert (error["file"], error["commit"], error["author"]) == (name, broke, base.author)
    assert data(lab) == {"from": "base"}, "nothing is deleted because something could not be read"
