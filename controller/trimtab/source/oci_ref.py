"""Which tag a ref of an OCIRepository stands for, out of all that a registry lists.

Tags, a range and a filter flow in, the tag flows out. Filters are user-made regular expressions: RE2, whose syntax
Flux's are of, too, matches in time linear to the text.
"""

from collections.abc import Iterable

import re2

from trimtab.core.errors import Problem, SourceError
from trimtab.source.versions import Range, newest

_MAX_PROGRAM_BYTES = 1024 * 1024


def choose_tag(tags: Iterable[str], semver: str, semver_filter: str = "") -> str:
    """The tag of the highest version within a range. Raises SourceError (InvalidRef, RefNotFound)."""
    try:
        within = Range.parse(semver)
    except ValueError as error:
        raise SourceError(Problem(str(error), reason="InvalidRef", remedy="correct spec.ref.semver")) from None
    found = newest(within, _filtered(tags, semver_filter) if semver_filter else tags)
    if found is None:
        message = f"no tag is a version within {semver[:80]!a}"
        remedy = "correct spec.ref.semver or semverFilter; pre-releases are taken only where the range names one"
        raise SourceError(Problem(message, reason="RefNotFound", remedy=remedy, retry=True))
    return found


def _filtered(tags: Iterable[str], expression: str) -> list[str]:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_PROGRAM_BYTES
    try:
        pattern = re2.compile(expression, options)
    except re2.error:
        message = f"ref.semverFilter {expression[:80]!a} is no regular expression"
        remedy = "write it in the syntax of RE2, which knows no look-around and no back-references"
        raise SourceError(Problem(message, reason="InvalidRef", remedy=remedy)) from None
    return [tag for tag in tags if pattern.search(tag)]
