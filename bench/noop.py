"""A Django that does nothing: the least that a request can cost."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[], DATABASES={}, USE_I18N=False
)


def nothing(request):
    return HttpResponse(b"{}", content_type="application/json")


urlpatterns = [path("api/v2", nothing)]
application = get_wsgi_application()
