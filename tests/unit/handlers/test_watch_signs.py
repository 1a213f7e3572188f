"""Which of our kinds are watched, as the probes tell it."""

from itertools import islice

import pytest
from aiohttp import ClientSession, web

from trimtab.handlers.own_kinds import Pauses, operator_settings
from trimtab.handlers.watch_signs import WatchSigns

KINDS = {"applications": "Application", "gitrepositories": "GitRepository"}


@pytest.fixture
def listed() -> list[str]:
    return []


@pytest.fixture
def signs(listed: list[str]) -> WatchSigns:
    return WatchSigns(KINDS, listed.append)


def test_all_is_well_once_each_kind_was_answered(signs: WatchSigns) -> None:
    assert "the watch of gitrepositories is not open yet" in signs.trouble()
    signs.opened("applications", 200, lists=True)
    signs.opened("gitrepositories", 200, lists=True)
    assert signs.trouble() == ""
    signs.begin("410 Gone")
    assert "the watch of applications ended: 410 Gone" in signs.trouble()


def test_a_refusal_is_told_until_a_later_answer(signs: WatchSigns) -> None:
    for plural in KINDS:
        signs.opened(plural, 200, lists=False)
    signs.opened("applications", 403, lists=True)
    assert signs.trouble() == "the watch of applications was answered with HTTP 403"
    signs.failed("applications", "cannot be opened: refused")
    assert signs.trouble() == "the watch of applications cannot be opened: refused"
    signs.opened("applications", 200, lists=False)
    assert signs.trouble() == ""


def test_only_lists_of_ours_that_came_are_announced(signs: WatchSigns, listed: list[str]) -> None:
    signs.opened("applications", 200, lists=True)
    signs.opened("applications", 200, lists=False)
    signs.opened("gitrepositories", 500, lists=True)
    signs.opened("namespaces", 200, lists=True)
    assert listed == ["Application"]


async def test_a_session_tells_of_its_watches_and_of_nothing_else(
    signs: WatchSigns, listed: list[str], unused_tcp_port: int
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=200 if "applications" in request.path else 503)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with ClientSession() as session:
        session.trace_configs.append(signs.trace(lambda function, *arguments: function(*arguments)))
        for path in ("applications?watch=true&sendInitialEvents=true", "gitrepositories?watch=true", "gitrepositories"):
            async with session.get(f"{url}/{path}"):
                pass
        await runner.cleanup()
        assert signs.trouble() == "the watch of gitrepositories was answered with HTTP 503"
        with pytest.raises(OSError, match="onnect"):
            await session.get(f"{url}/applications?watch=true")
    assert "the watch of applications cannot be opened: " in signs.trouble()
    assert listed == ["Application"]


def test_kopf_never_runs_out_of_tries_and_waits_no_longer_than_told() -> None:
    settings = operator_settings(idle_seconds=4)
    pauses = settings.networking.error_backoffs
    assert isinstance(pauses, Pauses)
    assert list(islice(pauses, 6)) == list(islice(pauses, 6)) == [0.2, 0.5, 1.0, 2.0, 5.0, 5.0]
    assert settings.watching.inactivity_timeout == 4
    assert operator_settings(idle_seconds=500).watching.inactivity_timeout < 100
