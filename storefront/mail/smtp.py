"""Django's SMTP backend, with a last moment for the letter itself: see ``providers.worker.leases``.

Greeting, log-in, sender and recipient change nothing at the mail server. The letter is taken with its content, so the
content is what must not be sent too late.
"""

from __future__ import annotations

import smtplib
from typing import Any

from django.core.mail.backends.smtp import EmailBackend as DjangoBackend

from providers.worker.clock import Deadline, DeadlinePassed


class _Lease:
    """Raises DeadlinePassed instead of sending ``DATA``, or the content after it, once ``send_by`` has passed."""

    send_by: Deadline | None = None
    _is_in_data = False

    def data(self, msg: Any) -> Any:
        self._is_in_data = True
        try:
            return super().data(msg)  # type: ignore[misc]  # smtplib's, see below
        except DeadlinePassed:
            # A server that waits for content would take a polite QUIT for it. Without its end no letter is taken.
            super().close()  # type: ignore[misc]
            raise
        finally:
            self._is_in_data = False

    def send(self, s: Any) -> None:
        if self._is_in_data and self.send_by is not None:
            self.send_by.check()
        super().send(s)  # type: ignore[misc]


class _SMTP(_Lease, smtplib.SMTP):
    pass


class _SMTPS(_Lease, smtplib.SMTP_SSL):
    pass


class EmailBackend(DjangoBackend):
    """``send_by`` is the last moment for the content of its letters."""

    def __init__(self, *args: Any, send_by: Deadline | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.send_by = send_by

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _SMTPS if self.use_ssl else _SMTP

    def open(self) -> bool | None:
        is_new = super().open()
        if isinstance(self.connection, _Lease):
            self.connection.send_by = self.send_by
        return is_new
