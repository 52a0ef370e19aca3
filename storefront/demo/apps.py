"""The Django application of the demo."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "storefront.demo"
    label = "demo"

    def ready(self) -> None:
        from storefront.demo import checks  # noqa: F401  # imported here: checks register themselves once apps are loaded
