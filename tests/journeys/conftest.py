"""Fixtures of the journeys: the panels and customers of the provider tests."""

from tests.providers.conftest import no_wake, quick_calls, start_panel

__all__ = ["no_wake", "quick_calls", "start_panel"]
