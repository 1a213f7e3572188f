"""The campaign: mutation after mutation, and after each one the question whether it was told and met as it should be.

A lab at rest, its targets and a seed flow in; a `Tally` flows out, with every complaint in words.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.campaign.lab import Lab
from tests.campaign.mutations import Kind, Mutation, mutate
from tests.campaign.owned import ABSENT, Finding, as_declared, findings, ours
from tests.campaign.stage import Target

from trimtab.localcluster.client import ApiFailure

SEED: Final = 20261
"""Of the campaign that is run where nobody asks for another."""
BOUND_SECONDS: Final = 15.0
"""For a repair, its status and its metrics; what it took is measured."""
REST_EVERY: Final = 20
_DRAWS: Final = 40
_DETECTED: Final = "trimtab_drift_detected_total"
_CORRECTED: Final = "trimtab_drift_corrected_total"


@dataclass
class Tally:
    """What came of a campaign. Times in seconds; `complaints` is empty where all went well."""

    seed: int
    mutations: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    kinds: set[str] = field(default_factory=set)
    refused: int = 0
    repairs: list[float] = field(default_factory=list)
    reports: list[float] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    requests: Counter[str] = field(default_factory=Counter)
    most_applies: int = 0
    rests: int = 0
    objects: int = 0
    complaints: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All mutations."""
        return sum(self.mutations.values())


class Campaign:
    """Call `run` once."""

    def __init__(self, lab: Lab, targets: list[Target], seed: int, *, tell: Callable[[str], None]) -> None:
        self._lab = lab
        self._targets = targets
        self._chance = Random(seed)
        self._tell = tell
        self._start = {target.path: self._lab.live(target.path) for target in targets}
        self._additions: dict[str, list[Mutation]] = {}
        self._given_up: set[str] = set()
        self._counts = {target.application: self._counted(target.application) for target in targets}
        self.tally = Tally(seed, objects=len(targets))

    def run(self, rounds: int) -> Tally:
        """So many mutations, one at a time, with a rest now and then."""
        lab, tally = self._lab, self.tally
        lab.requests()
        while tally.total < rounds:
            self._round()
            if tally.total % REST_EVERY == 0 or tally.total == rounds:
                self._rest()
        self._sweep()
        return tally

    # --- one mutation

    def _round(self) -> None:
        target = self._pick()
        before = self._lab.live(target.path)
        if before is None:
            self._complain(target, None, "the object is not there")
            return
        drawn = self._draw(target, before)
        if drawn is None:
            return
        mutation, expected = drawn
        number = self.tally.total + 1
        self.tally.mutations[mutation.kind] += 1
        self.tally.kinds.add(target.kind)
        self._tell(f"{number:4} {mutation.kind}: {target.shown_as} {mutation.what}")
        self._note(target, mutation, expected)
        started = time.monotonic()
        if target.reports:
            self._reported(target, mutation, expected, before, started)
        else:
            self._corrected(target, mutation, expected, before, started)

    def _pick(self) -> Target:
        """Any Application, any kind of object of it, any object of the kind: what is rare gets its turn."""
        there = [target for target in self._targets if target.path not in self._given_up]
        application = self._chance.choice(sorted({target.application for target in there}))
        there = [target for target in there if target.application == application]
        kind = self._chance.choice(sorted({target.kind for target in there}))
        return self._chance.choice([target for target in there if target.kind == kind])

    def _draw(self, target: Target, before: dict[str, Any]) -> tuple[Mutation, list[Finding]] | None:
        """Change the object; draws again where the server refuses. What has to be told comes second."""
        for _ in range(_DRAWS):
            mutation = mutate(before, target.path, self._chance)
            if mutation is None:
                continue
            try:
                answer = self._lab.client.request(
                    mutation.method, mutation.path, mutation.body, media_type=mutation.media_type
                )
            except ApiFailure:
                self.tally.refused += 1
                continue
            return mutation, _expected(mutation, before, answer)
        return None

    def _note(self, target: Target, mutation: Mutation, expected: list[Finding]) -> None:
        if not expected:
            self.tally.harmless[mutation.kind] += 1
        for finding in expected:
            whole = finding.live is ABSENT and isinstance(finding.declared, dict)
            self.tally.fields["whole objects" if not finding.text else "list items" if whole else "fields"] += 1
        if mutation.added and not expected:
            self._additions.setdefault(target.path, []).append(mutation)
        elif any(finding.live is ABSENT or isinstance(finding.declared, dict | list) for finding in expected):
            # What stood inside goes with it, whoever put it there.
            self._additions.pop(target.path, None)

    def _corrected(
        self, target: Target, mutation: Mutation, expected: list[Finding], before: dict[str, Any], started: float
    ) -> None:
        if not self._until(lambda: as_declared(before, self._lab.live(target.path))):
            self._complain(target, mutation, f"is not as declared: {_left(before, self._lab.live(target.path))}")
            self._given_up.add(target.path)
            return
        if expected:
            seconds = time.monotonic() - started
            self.tally.repairs.append(seconds)
            self.tally.slowest = max(
                self.tally.slowest, (seconds, f"{mutation.kind} {target.shown_as} {mutation.what}")
            )
            if seconds > 1:
                self._tell(f"     ! {seconds:.1f} s for {mutation.kind} {target.shown_as} {mutation.what}")
        detected, corrected = self._counts[target.application]
        wanted = detected + len(expected), corrected + len(expected)
        if not self._until(lambda: self._counted(target.application) == wanted):
            now = self._counted(target.application)
            told = [(each["field"], each["actor"]) for each in self._lab.drift(target.application)[:5]]
            self._complain(target, mutation, f"counted {now}, not {wanted}; changed: {_names(expected)}; told: {told}")
        elif not self._until(lambda: not self._untold(target, expected, self._newest(target, len(expected)))):
            newest = self._newest(target, len(expected))
            self._complain(target, mutation, self._untold(target, expected, newest))
        self._counts[target.application] = self._counted(target.application)

    def _newest(self, target: Target, count: int) -> list[dict[str, Any]]:
        items = self._lab.drift(target.application)
        return sorted(items, key=lambda each: each.get("corrected", ""), reverse=True)[: max(count, 0)] if count else []

    def _reported(
        self, target: Target, mutation: Mutation, expected: list[Finding], before: dict[str, Any], started: float
    ) -> None:
        lab = self._lab
        if not self._until(lambda: not self._untold(target, expected, lab.standing(target.application))):
            self._complain(target, mutation, self._untold(target, expected, lab.standing(target.application)))
        elif expected:
            self.tally.reports.append(time.monotonic() - started)
        self._put_back(target, before)
        if not self._until(lambda: not lab.standing(target.application)):
            told = [(each["object"], each["field"], each["live"]) for each in lab.standing(target.application)[:5]]
            self._complain(target, mutation, f"still told though it was put back: {told}")
            self._given_up.add(target.path)
        self._counts[target.application] = self._counted(target.application)

    def _put_back(self, target: Target, before: dict[str, Any]) -> None:
        """What somebody does who saved the object before."""
        body = json.loads(json.dumps(before))
        for name in ("resourceVersion", "managedFields"):
            body["metadata"].pop(name, None)
        if self._lab.live(target.path) is None:
            body["metadata"].pop("uid", None)
            self._lab.client.request("POST", target.path.rpartition("/")[0], body)
        else:
            self._lab.client.request("PUT", f"{target.path}?fieldManager=hand", body)
        self._additions.pop(target.path, None)

    def _untold(self, target: Target, expected: list[Finding], items: list[dict[str, Any]]) -> str:
        """What is wrong with what status tells, nothing where it is right."""
        told = {item["field"]: item for item in items}
        wanted = {finding.text: finding for finding in expected}
        if told.keys() != wanted.keys() or len(items) != len(expected):
            return f"told {sorted(told)}, changed {sorted(wanted)}"
        for text, finding in wanted.items():
            item = told[text]
            if item["object"] != target.shown_as:
                return f"told of {item['object']}"
            if item["actor"] != finding.actor:
                return f"{text}: told by {item['actor']}, was by {finding.actor}"
            wrong = _wrong_value(target, text, item, finding)
            if wrong:
                return wrong
        return ""

    # --- rest

    def _rest(self) -> None:
        """Nothing is asked for any more, nothing more was told, and what nobody declared stands."""
        try:
            self._lab_requests()
            self._lab.wait_quiet(seconds=1.0, timeout_seconds=90)
            self.tally.rests += 1
        except AssertionError as error:
            self.tally.complaints.append(f"no rest: {error}")
        for application, counted in self._counts.items():
            if self._counted(application) != counted:
                self.tally.complaints.append(f"{application}: told of drift at rest")
                self._counts[application] = self._counted(application)
        for path, mutations in self._additions.items():
            live = self._lab.live(path)
            gone = [each.what for each in mutations if live is None or not _stands(live, each)]
            if gone:
                self.tally.complaints.append(f"{path}: nobody declared {gone}, and it is gone")
        self._additions.clear()

    def _lab_requests(self) -> None:
        asked = self._lab.requests()
        applies: Counter[str] = Counter()
        for request in asked:
            self.tally.requests[f"{request.verb} {request.code}"] += 1
            if request.verb in ("patch", "apply") and "trimtab.dev" not in request.resource:
                applies[f"{request.resource} {request.namespace}/{request.name}"] += 1
        self.tally.most_applies = max(self.tally.most_applies, *applies.values(), 0)

    def _sweep(self) -> None:
        """Every object of every Application is as it was declared from the beginning."""
        for target in self._targets:
            before = self._start[target.path]
            assert before is not None
            if target.path not in self._given_up and not as_declared(before, self._lab.live(target.path)):
                self._complain(target, None, f"at the end: {_left(before, self._lab.live(target.path))}")
        for application in self._counts:
            drifted = self._lab.metric("trimtab_drifted_objects", application=application)
            if drifted:
                self.tally.complaints.append(f"{application}: {drifted:.0f} objects drift at the end")

    # --- small things

    def _counted(self, application: str) -> tuple[float, float]:
        lab = self._lab
        return lab.metric(_DETECTED, application=application), lab.metric(_CORRECTED, application=application)

    def _until(self, check: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + BOUND_SECONDS
        while not check():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def _complain(self, target: Target, mutation: Mutation | None, words: str) -> None:
        what = f"{mutation.kind} {mutation.what}: " if mutation else ""
        complaint = f"mutation {self.tally.total} of seed {self.tally.seed}, {target.shown_as}: {what}{words}"
        self.tally.complaints.append(complaint)
        self._tell(f"     ! {complaint}")


def _expected(mutation: Mutation, before: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Finding]:
    match mutation.kind:
        case Kind.DELETE:
            return findings(before, None)
        case Kind.SCALE:
            declared = ours(before).get("spec.replicas")
            live = mutation.body["spec"]["replicas"]
            return [Finding("spec.replicas", declared.value, live, "scaler")] if declared else []
    return findings(before, answer)


def _names(expected: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.text, finding.actor) for finding in expected]


def _wrong_value(target: Target, text: str, item: dict[str, Any], finding: Finding) -> str:
    """Values are compared where status shows them whole and openly."""
    for side, value in (("declared", finding.declared), ("live", finding.live)):
        shown = item[side]
        if value is ABSENT or value is None:
            if shown not in ("", "null"):
                return f"{text}: {side} is told as {shown}, was nothing"
        elif target.kind == "Secret" or "…" in shown or (isinstance(value, dict) and side == "declared"):
            continue
        elif json.loads(shown) != value:
            return f"{text}: {side} is told as {shown}, was {json.dumps(value)}"
    return ""


def _left(before: Mapping[str, Any], now: Mapping[str, Any] | None) -> str:
    if now is None:
        return "it is gone"
    if now["metadata"].get("deletionTimestamp"):
        return "it is being deleted"
    held = ours(now)
    lost = [text for text in ours(before) if text not in held]
    return f"differs in {_names(findings(before, now))[:5]}, lost {lost[:5]}"


def _stands(live: Mapping[str, Any], mutation: Mutation) -> bool:
    here: Any = live
    for step in mutation.added[:-1]:
        here = here[step]
    last, value = mutation.added[-1], mutation.body[-1]["value"]
    return value["name"] in {each.get("name") for each in here} if last == "-" else here.get(last) == value
