"""Health of Services: only those of type LoadBalancer have something to wait for. Called through the table of kinds."""

from typing import Any

from trimtab.health.conditions import spec_of, status_of
from trimtab.health.status import Health, current, in_progress


def assess(body: dict[str, Any]) -> Health:
    """Current, except for a load balancer without an address."""
    if spec_of(body).get("type") != "LoadBalancer":
        return current()
    entries = (status_of(body).get("loadBalancer") or {}).get("ingress") or []
    addresses = [entry.get("ip") or entry.get("hostname") for entry in entries]
    if not any(addresses):
        return in_progress("its load balancer has no address yet")
    return current(f"at {', '.join(address for address in addresses if address)}")
