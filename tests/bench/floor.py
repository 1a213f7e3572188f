"""The floor: the same objects by bare concurrent server-side apply, nothing watched, nothing remembered.

Run as `python -m tests.bench.floor KUBECONFIG BODIES`, a process of its own. Namespaces go first, everything else with
32 requests in flight through the HTTP stack that the controller uses; the seconds from the first request to the last
answer flow out on stdout. Imports and reading are not counted: the controller, too, is up when its clock starts.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Final

import aiohttp
import orjson
from tests.bench.workload import Body, path_of

from trimtab.adapters.kube.access import open_access

IN_FLIGHT: Final = 32
_QUERY: Final = "fieldManager=floor&force=true&fieldValidation=Ignore"
_HEADERS: Final = {"Content-Type": "application/apply-patch+yaml", "Accept": "application/json"}


async def apply_all(kubeconfig: str, bodies: list[Body]) -> float:
    """Apply them all; the seconds that it took. Raises ClientResponseError where the server refuses one."""
    access = await open_access(kubeconfig=kubeconfig, agent="bench-floor")
    async with access.open_session() as session:
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def apply(body: Body) -> None:
            async with slots:
                await _apply(session, f"{access.host}/{path_of(body)}?{_QUERY}", body)

        started = time.perf_counter()
        await asyncio.gather(*(apply(body) for body in bodies if body["kind"] == "Namespace"))
        await asyncio.gather(*(apply(body) for body in bodies if body["kind"] != "Namespace"))
        return time.perf_counter() - started


async def _apply(session: aiohttp.ClientSession, url: str, body: Body) -> None:
    async with session.patch(url, data=orjson.dumps(body), headers=_HEADERS) as response:
        raw = await response.read()
        if response.status >= 300:
            raise aiohttp.ClientResponseError(
                response.request_info, (), status=response.status, message=raw[:300].decode(errors="replace")
            )
        orjson.loads(raw)


if __name__ == "__main__":
    used = time.process_time()
    taken = asyncio.run(apply_all(sys.argv[1], orjson.loads(Path(sys.argv[2]).read_bytes())))
    print(taken, time.process_time() - used)
