"""The WSGI entry point of every web server."""

import os

import django
from django.core.wsgi import get_wsgi_application

from storefront.web import static_files

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storefront.settings")
django.setup()
# Before the application is made: its middleware reads which files there are.
static_files.collect()
application = get_wsgi_application()
