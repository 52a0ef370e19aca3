"""The cache of a shop without Redis: sign-in limits are shared by all processes of a machine."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache

from storefront.web import shared_cache
from storefront.web.shared_cache import SharedCache

GUESSES = """
import sys, django; from django.conf import settings
settings.configure(
    SECRET_KEY="x", ROOT_URLCONF="x", USE_TZ=True,
    CACHES={"default": {"BACKEND": "storefront.web.shared_cache.SharedCache", "LOCATION": sys.argv[1]}},
)
from django.test import RequestFactory; from allauth.core.internal import ratelimit
request = RequestFactory().post("/")
guess = lambda: ratelimit.consume(request, app="x", action="guess", config={"guess": "5/5m/key"}, key="nadia")
print(sum(bool(guess()) for _ in range(20)))
"""


@pytest.fixture
def kept(tmp_path: Path) -> SharedCache:
    return SharedCache(str(tmp_path / "limits"), {})


def test_processes_share_one_limit(tmp_path: Path) -> None:
    command = [sys.executable, "-c", GUESSES, str(tmp_path / "limits")]
    started = [
        subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True) for _process in range(4)
    ]
    assert sum(int(process.communicate(timeout=60)[0]) for process in started) == 5


def test_only_one_of_many_threads_adds(kept: SharedCache) -> None:
    with ThreadPoolExecutor(8) as threads:
        for turn in range(20):
            won = list(threads.map(lambda value, turn=turn: kept.add(f"allauth:{turn}", value, 60), range(8)))
            assert won.count(True) == 1


def test_an_active_limit_survives_hundreds_of_others(kept: SharedCache) -> None:
    """By default Django keeps 300 entries, so failed sign-ins to many accounts would reset the limits."""
    kept.set("allauth:rl:victim", [1.5], 3600)
    for number in range(1000):
        kept.set(f"allauth:rl:{number}", [1.5], 3600)
    assert kept.get("allauth:rl:victim") == [1.5]
    assert all(kept.get(f"allauth:rl:{number}") == [1.5] for number in range(1000))


def test_expired_entries_are_removed_first(kept: SharedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept._files, "_max_entries", 50)
    kept.set("allauth:rl:victim", [1.5], 3600)
    with time_machine.travel(time.time() - 7200):
        for number in range(49):
            kept._files.set(f"allauth:rl:{number}", [1.5], 60)
    kept.set("allauth:rl:another", [1.5], 3600)
    assert kept.get("allauth:rl:victim") == [1.5]


def test_only_sign_in_limits_are_shared(kept: SharedCache, tmp_path: Path) -> None:
    # Two caches of one process share memory by name, so the second one gets another name.
    other = SharedCache(str(tmp_path / "other"), {})
    other._files._dir = kept._files._dir
    kept.set("allauth:rl:x", [1.5], 60)
    kept.set("brand.look", "blue", 60)
    assert (other.get("allauth:rl:x"), other.get("brand.look", "none")) == ([1.5], "none")
    assert (other.delete("allauth:rl:x"), other.delete("allauth:rl:x")) == (True, False)
    assert kept.get("allauth:rl:x", "gone") == "gone"
    assert kept.get("brand.look") == "blue"
    kept.set("allauth:rl:y", 1, 60)
    kept.clear()
    assert (kept.get("allauth:rl:y"), kept.get("brand.look")) == (None, None)


def test_expired_entries_are_gone(kept: SharedCache) -> None:
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as clock:
        kept.set("allauth:a", 1, 60)
        clock.shift(61)
        assert kept.get("allauth:a") is None
        assert kept.add("allauth:a", 2, 60)


def test_an_unusable_folder_locks_nobody_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "limits").write_text("a file where the folder should be")
    alone = SharedCache(str(tmp_path / "limits"), {})
    with caplog.at_level(logging.WARNING, shared_cache.__name__):
        assert (alone.add("allauth:a", 1, 60), alone.add("allauth:a", 1, 60), alone.get("allauth:a")) == (
            True,
            False,
            1,
        )
    assert caplog.text.count("each process separately") == 1


def test_a_truncated_file_counts_as_missing(kept: SharedCache) -> None:
    kept.set("allauth:a", [1.0, 2.0], 60)
    (file,) = Path(kept._files._dir).glob("*.djcache")
    file.write_bytes(file.read_bytes()[:-4])
    assert kept.get("allauth:a", "none") == "none"
    kept.set("allauth:a", [3.0], 60)
    assert kept.get("allauth:a") == [3.0]


def test_a_shop_without_redis_uses_the_shared_cache(settings: Any) -> None:
    assert settings.REDIS_URL or settings.CACHES["default"]["BACKEND"].endswith("SharedCache")
    cache.set("allauth:here", 1, 60)
    assert list(Path(settings.CACHES["default"]["LOCATION"]).glob("*.djcache"))
