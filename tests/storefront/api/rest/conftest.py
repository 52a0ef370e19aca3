"""Fixtures of the REST API's tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.storefront.api.rest.program import Program, program


@pytest.fixture
def caller(db: Any) -> Program:
    """A customer's program with a key, and 100 in the wallet."""
    return program("100")


@pytest.fixture
def other(db: Any) -> Program:
    """The program of another customer."""
    return program("100")
