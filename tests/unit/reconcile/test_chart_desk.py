"""Who fetches what charts depend on, and what is refused before anybody is asked."""

import pytest
from tests.fakes.controller import namespace
from tests.fakes.downloads import FakeTree
from tests.fakes.sea import Sea

from trimtab.api.helm_repository import HelmRepository
from trimtab.core.errors import Problem, SourceError
from trimtab.reconcile.access import Accesses
from trimtab.reconcile.chart_desk import MOST, ChartDesk
from trimtab.reconcile.chart_sources import ChartSources
from trimtab.reconcile.ports.downloads import ChartOrder, ChartWanted
from trimtab.reconcile.ports.rendering import SourceTree
from trimtab.reconcile.referred_secrets import ReferredSecrets

URL = "https://charts.example/stable"


class Server:
    """Notes what it was asked for."""

    def __init__(self, trouble: SourceError | None = None) -> None:
        self.asked: list[str] = []
        self.trouble = trouble

    async def fetch(self, order: ChartOrder) -> SourceTree:
        self.asked.append(order.repository)
        if self.trouble is not None:
            raise self.trouble
        return FakeTree("chart", order.version, {})


class Harbour:
    """A desk, the repositories declared beside the Application, and both ways out."""

    def __init__(self, *declared: HelmRepository) -> None:
        sea = Sea()
        sea.cluster.other_applies(namespace("shop"))
        self.declared, self.undeclared = Server(), Server()
        accesses = Accesses(ReferredSecrets(sea.objects))
        self.desk = ChartDesk(ChartSources(lambda _: declared, accesses), self.declared, self.undeclared)

    async def get(self, *wanted: ChartWanted) -> list[SourceTree | SourceError]:
        return list(await self.desk.get("shop", "web", wanted))


def repository(**spec: object) -> HelmRepository:
    metadata = {"name": "stable", "namespace": "shop"}
    return HelmRepository.parse({"metadata": metadata, "spec": {"url": URL, **spec}})


async def test_what_nobody_declared_goes_the_way_of_what_files_name() -> None:
    harbour = Harbour(repository())
    await harbour.get(ChartWanted(URL, "lib", "1.0.0"), ChartWanted("http://10.0.0.1/charts", "lib", "1.0.0"))
    assert harbour.declared.asked == [URL]
    assert harbour.undeclared.asked == ["http://10.0.0.1/charts"]


@pytest.mark.parametrize("declared", [(), (repository(),)])
async def test_a_verified_source_brings_in_no_chart_that_nobody_vouches_for(declared: tuple[HelmRepository]) -> None:
    harbour = Harbour(*declared)
    (found,) = await harbour.get(ChartWanted(URL, "lib", "1.0.0", verified=True))
    assert isinstance(found, SourceError)
    assert found.reason == "VerificationFailed"
    assert "charts/" in str(found)
    assert harbour.declared.asked == harbour.undeclared.asked == []


async def test_more_charts_than_anybody_needs_are_not_asked_for() -> None:
    harbour = Harbour()
    few = [ChartWanted(URL, f"lib{number}", "1.0.0") for number in range(MOST)]
    assert not any(isinstance(each, SourceError) for each in await harbour.get(*few))
    harbour.undeclared.asked.clear()
    many = await harbour.get(*few, ChartWanted(URL, "lib", "1.0.0"))
    assert {each.reason for each in many if isinstance(each, SourceError)} == {"TooManyCharts"}
    assert len(many) == MOST + 1
    assert harbour.undeclared.asked == []


async def test_a_refused_login_says_what_to_declare() -> None:
    harbour = Harbour()
    harbour.undeclared.trouble = SourceError(Problem("401", reason="AuthenticationFailed"))
    (found,) = await harbour.get(ChartWanted(URL, "lib", "1.0.0"))
    assert "declare a HelmRepository with this URL" in str(found)
