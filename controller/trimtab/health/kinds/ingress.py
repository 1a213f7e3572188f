"""Health of Ingresses: many controllers never report an address, so none is waited for. Called through the table."""

from typing import Any

from trimtab.health.conditions import status_of
from trimtab.health.status import Health, current


def assess(body: dict[str, Any]) -> Health:
    """Always Current; the message names the addresses, if its controller told any."""
    entries = (status_of(body).get("loadBalancer") or {}).get("ingress") or []
    addresses = [entry.get("ip") or entry.get("hostname") for entry in entries]
    named = ", ".join(address for address in addresses if address)
    return current(f"at {named}" if named else "")
