"""Tokens of GitHub Apps: one for all who ask, renewed before it ends, forgotten when refused."""

import asyncio

from trimtab.adapters.git.app_tokens import MARGIN_SECONDS, AppTokens
from trimtab.adapters.git.messages import AppToken, AppTokenAnswer
from trimtab.source.addresses import ANYWHERE, AddressPolicy
from trimtab.source.credentials import GitCredentials, GitHubApp

APP = GitCredentials(ca_pem="CA", github_app=GitHubApp("1", "2", "PEM"))


class Hub:
    """Gives out numbered tokens of an hour."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.asked: list[AppToken] = []
        self.tokens = AppTokens(self.mint, now=lambda: self.time)

    async def mint(self, request: AppToken) -> AppTokenAnswer:
        self.asked.append(request)
        await asyncio.sleep(0)
        return AppTokenAnswer(token=f"token-{len(self.asked)}", expires=self.time + 3600)


async def test_without_an_app_nothing_is_asked():
    hub = Hub()
    plain = GitCredentials("ann", "x")
    assert await hub.tokens.logged_in(plain, ANYWHERE) is plain
    assert hub.asked == []


async def test_all_who_ask_at_once_share_one():
    hub = Hub()
    found = await asyncio.gather(*(hub.tokens.logged_in(APP, ANYWHERE) for _ in range(5)))
    assert set(found) == {GitCredentials("x-access-token", "token-1", "CA")}
    assert len(hub.asked) == 1


async def test_it_is_renewed_before_it_ends():
    hub = Hub()
    await hub.tokens.logged_in(APP, ANYWHERE)
    hub.time += 3600 - MARGIN_SECONDS
    assert (await hub.tokens.logged_in(APP, ANYWHERE)).password == "token-1"
    hub.time += 1
    assert (await hub.tokens.logged_in(APP, ANYWHERE)).password == "token-2"


async def test_a_refused_one_is_forgotten():
    hub = Hub()
    await hub.tokens.logged_in(APP, ANYWHERE)
    hub.tokens.forget(APP)
    assert (await hub.tokens.logged_in(APP, ANYWHERE)).password == "token-2"


async def test_who_may_not_reach_the_api_gets_no_token_of_who_may():
    hub = Hub()
    await hub.tokens.logged_in(APP, ANYWHERE)
    await hub.tokens.logged_in(APP, AddressPolicy())
    assert [request.addresses["anywhere"] for request in hub.asked] == [True, False]


async def test_expired_ones_are_dropped():
    hub = Hub()
    await hub.tokens.logged_in(APP, ANYWHERE)
    hub.time += 4000
    await hub.tokens.logged_in(APP, AddressPolicy())
    assert len(hub.tokens._known) == 1
    assert (await hub.tokens.logged_in(APP, ANYWHERE)).password == "token-3"
