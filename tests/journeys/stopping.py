"""A process that stops itself (SIGSTOP) after it has claimed work and before the first byte is sent.

    python -m tests.journeys.stopping CALLS COMMAND [ARGUMENT ...]

It stops when CALLS connections are made and nothing was sent over any of them; 0: never. COMMAND is one of manage.py,
or the dotted path of a function without arguments. CLOCK_SKEW in the environment moves the clock of this process, not
the database's.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import django
import time_machine
from django.core.management import call_command
from django.utils.module_loading import import_string


class Stop:
    """Stops the whole process, once, when ``calls`` threads have come here at the same time."""

    #: Seconds for which a thread waits for the others. A pass begins with few calls and waits for their answers.
    PATIENCE = 0.4

    def __init__(self, calls: int) -> None:
        self.calls, self.waiting = calls, 0
        self.changed = threading.Condition()
        self.is_over = calls == 0

    def __call__(self) -> None:
        with self.changed:
            if self.is_over:
                return
            self.waiting += 1
            if self.waiting < self.calls:
                self.changed.wait_for(lambda: self.is_over, timeout=self.PATIENCE)
            else:
                time.sleep(0.1)  # the main thread comes to rest: it holds no lock of the database
                # To this thread: sent to the process, it takes effect when some other thread gets its turn on a busy
                # machine, and this one would let all calls go before that.
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
                self.is_over = True
                self.changed.notify_all()
            self.waiting -= 1


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storefront.settings")
    skew = float(os.environ.get("CLOCK_SKEW", "0"))
    if skew:
        time_machine.travel(datetime.now(UTC) + timedelta(seconds=skew)).start()
    django.setup()
    from providers.http import wire
    from storefront.mail import smtp

    stop = Stop(int(sys.argv[1]))
    connect, open_mail = wire.connect, smtp.EmailBackend.open

    def connect_and_stop(*args: Any) -> Any:
        sock = connect(*args)
        stop()
        return sock

    def open_and_stop(backend: smtp.EmailBackend) -> bool | None:
        is_new = open_mail(backend)
        stop()
        return is_new

    wire.connect = connect_and_stop
    smtp.EmailBackend.open = open_and_stop  # type: ignore[method-assign]
    command, *arguments = sys.argv[2:]
    if "." in command:
        print(dict(import_string(command)()))
    else:
        call_command(command, *arguments)


if __name__ == "__main__":
    main()
