"""The providers app: upstream panels, and the beat that proves to the watchdog that the task cluster works."""

from __future__ import annotations

from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from providers.worker import watchdog  # imported here: it needs django-q2's models

        watchdog.report_beats()
