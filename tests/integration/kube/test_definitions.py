"""Definitions of custom resources go as fast as they came, whether or not anybody has used their kind."""

import asyncio
import json

import aiohttp

from trimtab.adapters.kube.connection import Connection, Request, encode_query
from trimtab.adapters.kube.lines import LineBuffer
from trimtab.adapters.kube.objects import KubeObjects
from trimtab.core.observed import Live
from trimtab.core.refs import ObjectRef

GROUP = "going.example.com"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def definition(number: int) -> dict:
    kind = f"Widget{number}"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": f"{kind.lower()}s"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
            ],
        },
    }


async def established(objects: KubeObjects, ref: ObjectRef) -> Live:
    while True:
        live = await objects.get(ref, "v1")
        assert isinstance(live, Live)
        conditions = live.body["status"].get("conditions") or ()
        if any(each["type"] == "Established" and each["status"] == "True" for each in conditions):
            return live
        await asyncio.sleep(0.05)


async def test_the_server_finds_the_instances_of_a_new_definition_at_its_first_look(
    objects: KubeObjects, connection: Connection
) -> None:
    """A look that is refused may be the last one for five minutes: nobody has listed these kinds before they go."""
    bodies = [definition(number) for number in range(6)]
    refs = [ObjectRef.of(body) for body in bodies]
    await asyncio.gather(*(objects.apply(body) for body in bodies))
    lives = await asyncio.gather(*(established(objects, ref) for ref in refs))
    since = max((live.resource_version for live in lives), key=int)

    query = encode_query({"watch": "true", "resourceVersion": since})
    async with connection.stream(Request("GET", DEFINITIONS, query), idle_seconds=60) as events:
        deletions = (objects.delete(ref, "v1", uid=live.uid) for ref, live in zip(refs, lives, strict=True))
        await asyncio.gather(*deletions)
        async with asyncio.timeout(60):
            said = await reasons_until_gone(events, {ref.name for ref in refs})

    assert said == {"InstanceDeletionPending", "InstanceDeletionInProgress"}


async def reasons_until_gone(events: aiohttp.StreamReader, names: set[str]) -> set[str]:
    """Each reason that the Terminating condition of one of them had until the last was gone."""
    said: set[str] = set()
    lines = LineBuffer()
    while names:
        for line in lines.feed(await events.readany()):
            event = json.loads(line)
            body = event["object"]
            if body["metadata"]["name"] in names:
                conditions = body["status"].get("conditions") or ()
                said |= {each["reason"] for each in conditions if each["type"] == "Terminating"}
            if event["type"] == "DELETED":
                names = names - {body["metadata"]["name"]}
    return said
