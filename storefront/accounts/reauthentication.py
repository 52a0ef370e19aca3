"""Views that need the password again, unless it was given in the last minutes: the library's decorator, typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from allauth.account.decorators import reauthentication_required

P = ParamSpec("P")
R = TypeVar("R")


def password_required(view: Callable[P, R]) -> Callable[P, R]:
    """Ask for the password before ``view``, and then send what was filled in once more."""
    return cast("Callable[P, R]", reauthentication_required(view))


def password_required_to_post(view: Callable[P, R]) -> Callable[P, R]:
    """As ``password_required``, but everybody who is signed in may look at the page."""
    return cast("Callable[P, R]", reauthentication_required(view, allow_get=True))
