"""Leases: until when a claimed row belongs to this process, and until when its first byte may go out.

A lease has two ends, because two parties need it:

- ``until``, by the clock of the database, is stored in the row. Once it has passed, others may judge the row: expire
  it, decide it, send it again.
- ``send_by``, by the boot-time clock of this machine, is checked by whoever sends, immediately before the first byte.
  It lies one longest call before the end of the lease, so that a call that was begun has ended when others judge the
  row. It is measured from before the claim, so that no delay of the claim can make it late.

``begin`` reads the boot-time clock first and the database second. A process that is stopped anywhere between the two,
in the claim or after it finds ``send_by`` passed when it goes on, whatever others have decided about the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection

from providers.worker.clock import Deadline

_NOW = {
    # SQLite cuts its clock to milliseconds. One is added, so that a row written just before, with a time in
    # microseconds, is not taken for one of the future.
    "sqlite": "SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW', '+0.001 seconds')",
    "postgresql": "SELECT STATEMENT_TIMESTAMP()",
}


def database_now() -> datetime:
    """Return the time of the database's clock, to the millisecond or better: every machine reads the same one."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW[connection.vendor])
        (value,) = cursor.fetchone()
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Lease:
    """One claim's time. ``until`` goes into the claimed rows and tells this claim from every other one."""

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
