"""Django's SMTP backend with a deadline for sending the content; see ``providers.worker.leases``.

The greeting, signing in, the sender and the recipient change nothing at the mail server. The server accepts an email
with its content, so it is the content that must not be sent too late.
"""

from __future__ import annotations

import smtplib
from typing import Any

from django.core.mail.backends.smtp import EmailBackend as DjangoBackend

from providers.worker.clock import Deadline, DeadlinePassed


class _Lease:
    """Raise DeadlinePassed instead of sending ``DATA``, or the content after it, once ``send_by`` has passed."""

    send_by: Deadline | None = None
    _is_in_data = False

    def data(self, msg: Any) -> Any:
        self._is_in_data = True
        try:
            return super().data(msg)  # type: ignore[misc]  # resolves to smtplib.SMTP, see below
        except DeadlinePassed:
            # Close the connection without QUIT: a server that waits for content would read QUIT as content. Without the
            # end of the content the server accepts no email.
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
    """SMTP backend whose content may be sent until ``send_by``."""

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
