"""Journeys use the same panels and customers as the tests of the panel side."""

from tests.providers.conftest import no_wake, quick_calls, start_panel

__all__ = ["no_wake", "quick_calls", "start_panel"]
