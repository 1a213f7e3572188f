"""The label selector that finds everything this installation manages.

An installation ID and the buckets held flow in; the selector's text flows out. Watches and the inventory's rebuild
use it.
"""

from collections.abc import Iterable

from trimtab.core.names import BUCKET_LABEL, BUCKETS


def bucket_selector(instance: str, buckets: Iterable[int] = range(BUCKETS)) -> str:
    """`trimtab.dev/bucket in (<instance>-0,…)` for the buckets, in rising order."""
    return f"{BUCKET_LABEL} in ({','.join(f'{instance}-{bucket}' for bucket in sorted(set(buckets)))})"
