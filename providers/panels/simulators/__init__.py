"""Pretend panels on real sockets, one for each dialect, for the demo and the tests.

Written from the panels' own documents alone; nothing of the project may be imported here, nor Django.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from providers.panels.simulators.orders import Service
from providers.panels.simulators.panel import Panel
from providers.panels.simulators.smpanelim import Smpanelim
from providers.panels.simulators.tmsmm import Tmsmm
from providers.panels.simulators.toplistbot import Toplistbot
from providers.panels.simulators.tzsmmpay import Tzsmmpay
from providers.panels.simulators.v2 import V2

__all__ = ["SIMULATORS", "Panel", "Service", "start"]

SIMULATORS: dict[str, type[Panel]] = {
    "v2": V2,
    "smpanelim": Smpanelim,
    "tmsmm": Tmsmm,
    "tzsmmpay": Tzsmmpay,
    "toplistbot": Toplistbot,
}


def start(
    dialect: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    key: str = "simulator-key",
    live: bool = False,
    latency: float = 0.0,
    balance: Decimal | str | int | None = None,
    services: Iterable[Service] | None = None,
    memory: Path | None = None,
    **options: Any,
) -> Panel:
    """Start a pretend panel in a daemon thread; port 0 takes any free one.

    With ``memory``, a file, it goes on where it stopped the last time. ``latency`` is the seconds each answer takes.
    ``options`` are ``currency``, ``pace`` (how many times faster than the clock a live panel moves) and those of one
    panel alone, such as ``malformed_multi`` of tmsmm.
    """
    panel = SIMULATORS[dialect](key=key, live=live, latency=latency, balance=balance, services=services, **options)
    if memory is not None:
        panel.book.remember(memory)
    return panel.start(host, port)
