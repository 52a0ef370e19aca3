"""The providers app: upstream panels, and the beat that proves to the watchdog that the task cluster works."""

from __future__ import annotations

from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # late: django-q2 loads its models, which may not be before every app is known
        from providers.worker import watchdog  # late: see above

        watchdog.report_beats()
