"""The condition SourceVerified: whether what a source was found at last is signed as its spec asks.

What a look came to and the last status flow in, what to say flows out; the statuses of sources are made with it.
"""

from trimtab.api.git_repository import SOURCE_VERIFIED
from trimtab.api.model import Status
from trimtab.core.errors import Problem
from trimtab.report.conditions import Said, false, true


def source_verified(old: Status, *, message: str = "", refused: Problem | None = None) -> tuple[Said, ...]:
    """`message` says who signed, `refused` why it does not count; with neither, what was said last stays.

    So it tells of the newest revision that was looked at: a fetch that failed does not change it.
    """
    if message:
        return (true(SOURCE_VERIFIED, "Succeeded", message),)
    if refused:
        return (false(SOURCE_VERIFIED, refused.reason, str(refused)),)
    before = old.condition(SOURCE_VERIFIED)
    return (Said(SOURCE_VERIFIED, before.status, before.reason, before.message),) if before else ()
