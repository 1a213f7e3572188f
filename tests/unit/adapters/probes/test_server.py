"""What the kubelet is told, over real HTTP on loopback."""

import aiohttp
import pytest

from trimtab.adapters.probes.server import probes_server


class Answers:
    """The two questions, answered as a test says."""

    def __init__(self) -> None:
        self.live = self.ready = ""


async def ask(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        return response.status, await response.text()


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_yes_is_ok(path: str) -> None:
    answers = Answers()
    async with probes_server(live=lambda: answers.live, ready=lambda: answers.ready, host="127.0.0.1", port=0) as port:
        assert await ask(port, path) == (200, "ok\n")


async def test_no_says_why_and_each_question_is_its_own() -> None:
    answers = Answers()
    async with probes_server(live=lambda: answers.live, ready=lambda: answers.ready, host="127.0.0.1", port=0) as port:
        answers.live = "a watch has shown no sign of life for 500 s"
        assert await ask(port, "/livez") == (503, "a watch has shown no sign of life for 500 s\n")
        assert await ask(port, "/readyz") == (200, "ok\n")
        answers.live, answers.ready = "", "our kinds are not watched yet"
        assert await ask(port, "/livez") == (200, "ok\n")
        assert await ask(port, "/readyz") == (503, "our kinds are not watched yet\n")
        assert (await ask(port, "/"))[0] == 404


async def test_it_ends_with_its_block() -> None:
    async with probes_server(live=str, ready=str, host="127.0.0.1", port=0) as port:
        pass
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(port, "/livez")


async def test_a_taken_address_is_an_error_at_once() -> None:
    async with probes_server(live=str, ready=str, host="127.0.0.1", port=0) as port:
        with pytest.raises(OSError, match="in use"):
            async with probes_server(live=str, ready=str, host="127.0.0.1", port=port):
                pytest.fail("two servers on one address")
