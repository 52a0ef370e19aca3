"""Collection of static files when the web server starts, so that the step cannot be forgotten.

Pages refer to static files by hashes of their content, which `collectstatic` computes. Without its result every page
would fail with an error.
"""

from __future__ import annotations

import fcntl
import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

_STAMP = ".sources"


def collect() -> None:
    """Bring STATIC_ROOT up to date; takes a few milliseconds if nothing changed.

    The processes of a web server start together: one collects, the others wait for it. Files of an older version are
    kept, because its processes may still serve pages that refer to them.
    """
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    if settings.DEBUG:
        return  # served directly from the source folders
    with (root.parent / f"{root.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = _fingerprint()
        stamp = root / _STAMP
        if stamp.exists() and stamp.read_text() == wanted:
            return
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(wanted)


def _fingerprint() -> str:
    """Return a hash that changes when a source file is added, removed or edited, or the storage setting changes."""
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
