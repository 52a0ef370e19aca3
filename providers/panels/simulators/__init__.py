"""Panel simulators on real sockets, one for each dialect, for the demo and the tests.

They are written from the panels' own documents alone, so they import neither the project nor Django.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from providers.panels.simulators.orders import PanelService
from providers.panels.simulators.panel import Panel
from providers.panels.simulators.smpanelim import Smpanelim
from providers.panels.simulators.tmsmm import Tmsmm
from providers.panels.simulators.toplistbot import Toplistbot
from providers.panels.simulators.tzsmmpay import Tzsmmpay
from providers.panels.simulators.v2 import V2

__all__ = ["SIMULATORS", "Panel", "PanelService", "start"]

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
    services: Iterable[PanelService] | None = None,
    memory: Path | None = None,
    **options: Any,
) -> Panel:
    """Start a panel simulator in a daemon thread.

    Args:
        port: 0 for any free port.
        memory: A file from which the simulator restores its state, and in which it saves it.
        latency: Seconds that each answer takes.
        options: ``currency``, ``speed`` (how many times faster than the clock a live panel moves), and options of one
            simulator, such as ``malformed_multi`` of tmsmm.
    """
    panel = SIMULATORS[dialect](key=key, live=live, latency=latency, balance=balance, services=services, **options)
    if memory is not None:
        panel.book.remember(memory)
    return panel.start(host, port)
