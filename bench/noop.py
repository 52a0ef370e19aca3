"""Views without any work, of Django and of Django REST framework, which show the minimum cost of a request."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[], DATABASES={}, USE_I18N=False,
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None},
    # As in the shop: do not log that a request waits for a free thread.
    LOGGING={"version": 1, "disable_existing_loggers": False, "loggers": {"waitress.queue": {"level": "ERROR"}}},
)  # fmt: skip

from rest_framework.negotiation import BaseContentNegotiation  # noqa: E402  # needs the settings
from rest_framework.renderers import BaseRenderer  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


def noop(request):
    return HttpResponse(b"{}", content_type="application/json")


class Renderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return data


class Negotiation(BaseContentNegotiation):
    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type


class NoopView(APIView):
    authentication_classes = permission_classes = throttle_classes = parser_classes = ()
    renderer_classes = (Renderer,)
    content_negotiation_class = Negotiation

    def get(self, request):
        return Response(b"{}")


urlpatterns = [path("api/v2", noop), path("drf", NoopView.as_view())]
application = get_wsgi_application()
