"""Typed versions of the library's decorator for views that need the password, unless it was entered recently."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from allauth.account.decorators import reauthentication_required

P = ParamSpec("P")
R = TypeVar("R")


def password_required(view: Callable[P, R]) -> Callable[P, R]:
    """Ask for the password before ``view``, then submit the form's data again."""
    return cast("Callable[P, R]", reauthentication_required(view))


def password_required_to_post(view: Callable[P, R]) -> Callable[P, R]:
    """Ask for the password on POST only; everybody who is signed in may view the page."""
    return cast("Callable[P, R]", reauthentication_required(view, allow_get=True))
