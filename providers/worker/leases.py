"""Leases: how long a claimed row belongs to this process, and until when its request may be sent.

A lease has two end times, for two parties:

- ``until``, on the database's clock, is stored in the row. After it, other processes may expire the row, decide about
  it, or send it again.
- ``send_by``, on this machine's boot-time clock, is checked by the sender immediately before the first byte. It is
  earlier than the end of the lease by the duration of the longest call, so that a call that was started has ended
  when other processes may act on the row. It is measured from before the claim, so a slow claim cannot make it late.

``begin`` reads the boot-time clock first and the database second. A process that is stopped between the two, during
the claim or after it finds that ``send_by`` has passed when it continues.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection

from providers.worker.clock import Deadline

_NOW = {
    # SQLite truncates its clock to milliseconds. One is added so that a row written just before, with microseconds,
    # does not appear to be from the future.
    "sqlite": "SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW', '+0.001 seconds')",
    "postgresql": "SELECT STATEMENT_TIMESTAMP()",
}


def database_now() -> datetime:
    """Return the time of the database's clock, which is the same for every machine, to the millisecond or better."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW[connection.vendor])
        (value,) = cursor.fetchone()
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Lease:
    """The end times of one claim. ``until`` is stored in the claimed rows and identifies the claim."""

    #: The time of the database when the lease began.
    begun_at: datetime
    until: datetime
    send_by: Deadline

    @classmethod
    def begin(cls, *, longest_call: float, grace: float | None = None) -> Lease:
        """Start a lease; call it before the transaction that claims the rows.

        Args:
            longest_call: Seconds from the first byte that the call may take at most; the sender has to end it then.
            grace: Seconds from now within which the first byte has to go out; ``settings.LEASE_GRACE`` if not given.
        """
        grace = settings.LEASE_GRACE if grace is None else grace
        send_by = Deadline.after(grace)
        now = database_now()
        return cls(begun_at=now, until=now + timedelta(seconds=longest_call + grace), send_by=send_by)
