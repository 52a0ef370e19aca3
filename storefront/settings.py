"""Every setting of Vitrine, from the environment or .env; .env.example explains them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import environ
from csp.constants import NONE, SELF
from django.conf import global_settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from storefront import bootstrap

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
# Only `manage.py run` starts the demo, by the environment that it gives its programs. .env describes the real shop,
# whose database and mail server the demo must not touch.
DEMO = bootstrap.is_demo()
if not DEMO:
    env.read_env(BASE_DIR / ".env")

VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))

# --------------------------------------------------------------------------------------------- mode and secrets
# Production unless told otherwise: error pages that show code and settings are for the demo and for development.
DEBUG = env.bool("DEBUG", DEMO)


def _secret(name: str, make: str) -> str:
    """A secret from the environment, or the one that was generated on the first start and is kept in VAR_DIR."""
    return str(env.str(name, "")) or bootstrap.kept(VAR_DIR / name.lower(), make)


SECRET_KEY = _secret("SECRET_KEY", "secret")
# Newest first; older keys stay readable, so a key is changed by putting the new one in front. Then
# `manage.py rotate_encryption_keys` re-encrypts what is stored, and the older key can go.
ENCRYPTION_KEYS = [key.strip() for key in _secret("ENCRYPTION_KEYS", "fernet").split(",") if key.strip()]

# Payments with play money. Nothing but the demo can switch them on; their webhooks are signed as real ones are.
DEMO_GATEWAY = DEMO
DEMO_GATEWAY_SECRET = bootstrap.kept(VAR_DIR / "demo_gateway_secret", "secret") if DEMO_GATEWAY else ""

# Where the shop is, for links in emails; no slash at the end. The hosts and the use of HTTPS follow from it.
SHOP_URL = env.str("SHOP_URL", "").rstrip("/") or bootstrap.shop_url(env.list("ALLOWED_HOSTS", default=[]))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if DEBUG else bootstrap.hosts(SHOP_URL))
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=bootstrap.origins(SHOP_URL))

# --------------------------------------------------------------------------------------------- applications
INSTALLED_APPS = [
    "storefront.backoffice.apps.BackofficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "csp",
    "rest_framework",
    "django_filters",
    "django_q",
    "orders",
    "providers",
    "storefront.accounts",
    "storefront.brand.apps.BrandConfig",
    "storefront.currencies.apps.CurrenciesConfig",
    "storefront.shop",
    "storefront.api.sandbox",
    "storefront.api.rest.apps.RestConfig",
    "storefront.api.adminapi.apps.AdminApiConfig",
    "storefront.support",
    "storefront.webhooks",
    "storefront.payments",
    "storefront.promotions.apps.PromotionsConfig",
    "storefront.mail.apps.MailConfig",
    "storefront.accounting.apps.AccountingConfig",
    "storefront.demo",
]

MIDDLEWARE = [
    "storefront.api.middleware.api_middleware",
    # Outside of everything that can fail: error pages have the content policy as well.
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # With a random length, so that what a page weighs tells nothing of its secrets.
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "storefront.accounts.middleware.account_middleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "storefront.web.maintenance.maintenance_middleware",
    "allauth.account.middleware.AccountMiddleware",
    "storefront.promotions.referral_links.referral_middleware",
]

ROOT_URLCONF = "storefront.urls"
WSGI_APPLICATION = "storefront.wsgi.application"
# The panel API is served at /api/v2 and /api/v2/ alike; a redirect would make every client lose its POST body.
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "storefront.shop.context.shop",
                "storefront.support.site_notices.support",
            ],
        },
    },
]

# --------------------------------------------------------------------------------------------- databases and cache
SQLITE_OPTIONS: dict[str, Any] = {
    # IMMEDIATE: a transaction that will write takes its lock at once, so nobody meets "database is locked" half-way.
    # FULL: a claim that was committed before a call is still there after a power cut.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}


def _database() -> dict[str, Any]:
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = env.db_url_config(env.str("DATABASE_URL", "") or f"sqlite:///{VAR_DIR / 'db.sqlite3'}")
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = SQLITE_OPTIONS
    elif config["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured("DATABASE_URL must name SQLite or PostgreSQL: sqlite:///path or postgres://...")
    elif env.bool("PREPARED_STATEMENTS", True):
        # What is asked again is planned once for each connection; a pooler between us and the database may forbid it.
        config["OPTIONS"] = {**config.get("OPTIONS", {}), "server_side_binding": True, "prepare_threshold": 3}
    # Connections are kept, but not by psycopg's pool: its sockets do not survive the forks of the task cluster.
    return {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, **config}


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", "")
REDIS_CACHE = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
CACHES = {
    # In the memory of each process, but for the log-in limits: those hold over all processes of the machine.
    "default": REDIS_CACHE
    if REDIS_URL
    else {"BACKEND": "storefront.web.shared_cache.SharedCache", "LOCATION": str(VAR_DIR / "limits")},
    # Counts calls, over all processes: those of this machine, or with Redis those of all machines.
    "counters": REDIS_CACHE
    if REDIS_URL
    else {"BACKEND": "storefront.web.counters.CounterCache", "LOCATION": str(VAR_DIR / "counters")},
}

# --------------------------------------------------------------------------------------------- email
# Without a mail server nothing is sent: emails wait in the outbox. The demo writes them to files. They are never
# written to a log, which more people read than may reset a password.
EMAIL_URL = env.str("EMAIL_URL", "") or (f"filemail:///{quote(str(VAR_DIR / 'mail'))}" if DEBUG else "")
EMAIL_CONFIG = bootstrap.email_config(EMAIL_URL, env.email_url_config)
if EMAIL_CONFIG["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
    EMAIL_CONFIG["EMAIL_BACKEND"] = "storefront.mail.smtp.EmailBackend"
vars().update(EMAIL_CONFIG)
# Seconds for each step of a talk with the mail server.
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", 10)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "shop@localhost")

# --------------------------------------------------------------------------------------------- people
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "storefront.accounts.passwords.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "shop:catalog"
LOGOUT_REDIRECT_URL = "shop:catalog"
ACCOUNT_ADAPTER = "storefront.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# Whether an account opens only after its address was confirmed. Then sign-up answers the same for a known address and a
# new one, and its owner gets an e-mail. Without it, sign-up waits for nobody: for shops that cannot send e-mail yet.
CONFIRM_SIGN_UPS = env.bool("CONFIRM_SIGN_UPS", not DEBUG and EMAIL_CONFIG["EMAIL_BACKEND"] != bootstrap.NO_MAIL_SERVER)
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if CONFIRM_SIGN_UPS else "optional"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
# An account has one address; another one takes its place when the link that was sent there is opened.
ACCOUNT_CHANGE_EMAIL = True
# Nobody gets an e-mail because a stranger wrote their address into the form of a forgotten password.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
# The link proves the owner; a second factor is still asked for. What else has access is shown right after it.
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_FORMS = {
    "signup": "storefront.accounts.sign_up_and_reset.SignUpForm",
    "add_email": "storefront.accounts.sign_up_and_reset.ChangeEmailForm",
    "reset_password": "storefront.accounts.sign_up_and_reset.ResetPasswordForm",
    "reset_password_from_key": "storefront.accounts.sign_up_and_reset.ResetPasswordKeyForm",
}
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = True
# How often, for how long, and counted by what; over all processes, see CACHES.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    # storefront/accounts/sign_in_limits.py says what each of the three counts.
    "login_failed": "10/m/ip,5/5m/key,20/h/key",
    "login_failed_account": "100/h/key",
    "login_failed_device": "10/5m/key,30/h/key",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/m/key,20/d/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
    "confirm_email": "1/3m/key",
}
MFA_ADAPTER = "storefront.accounts.second_factor.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "storefront.accounts.second_factor.AuthenticateForm",
    "reauthenticate": "storefront.accounts.second_factor.ReauthenticateForm",
    "authenticate_webauthn": "storefront.accounts.second_factor.PasskeyForm",
    "login_webauthn": "storefront.accounts.second_factor.PasskeySignInForm",
    "reauthenticate_webauthn": "storefront.accounts.second_factor.PasskeyReauthenticateForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RATE_LIMITS = {"webauthn_login": "10/m/ip"}
# One step of 30 seconds to either side: clocks of phones are off.
MFA_TOTP_TOLERANCE = 1
# Passkeys need https; a browser makes an exception for localhost.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SHOP_URL.startswith("https://")

# Seconds after which a browser is signed out: without a request, and however much it was used.
CUSTOMER_SESSION_LIMITS = {
    "idle": env.int("SESSION_IDLE_DAYS", 14) * 86_400,
    "absolute": env.int("SESSION_MAX_DAYS", 90) * 86_400,
}
STAFF_SESSION_LIMITS = {
    "idle": env.int("STAFF_SESSION_IDLE_HOURS", 8) * 3_600,
    "absolute": env.int("STAFF_SESSION_MAX_HOURS", 24) * 3_600,
}
SESSION_COOKIE_AGE = CUSTOMER_SESSION_LIMITS["idle"]

# --------------------------------------------------------------------------------------------- the shop
SHOP_NAME = env.str("SHOP_NAME", "Vitrine")
# One currency for every wallet and price. It cannot be changed once money has been booked (a system check says so).
STORE_CURRENCY = env.str("STORE_CURRENCY", "USD").upper()
# `orders` may not import `providers` or `storefront`. It calls them through these dotted paths, checked at start.
# Called with a queued Order, so that it is placed now rather than at the next tick.
ORDERS_WAKE = "providers.tasks.wake"
# Returns what an order would cost us, so that nothing is sold below cost.
ORDERS_COST_FLOOR = "providers.placing.cost_floor.cost_of"
# Called with a list of ShopEvent in the transaction of the change, for emails and webhooks.
ORDERS_EVENT_LISTENERS = [
    "storefront.webhooks.outbox.record",
    "storefront.mail.notifications.record",
]
# Called by the ledger audit; each yields one sentence for everything in its tables that does not add up.
ORDERS_AUDITS = [
    "providers.audit.findings",
    "storefront.payments.audit.findings",
    "storefront.promotions.audit.findings",
]
# How many tickets of one customer may be open at once.
SUPPORT_OPEN_TICKETS = env.int("SUPPORT_OPEN_TICKETS", 10)
# Called with the Message when staff answers a customer, in the same transaction. Empty: no notification.
SUPPORT_ANSWER_LISTENER = "storefront.mail.ticket_answers.keep"
# Called as listener(payment, *, amount: Decimal) when ``amount`` of a payment is credited, in the same transaction. A
# payment that arrives in parts is credited in parts.
PAYMENT_CREDIT_LISTENERS = [
    "storefront.promotions.listeners.payment_credited",
    "storefront.mail.receipts.keep",
    "storefront.shop.planned_orders.payment_credited",
]
# Called as listener(payment, *, purpose: str) when a payment starts, in the transaction that stores it; ``purpose`` is
# what the page that led to "Add funds" passed on, such as the key of an order to place when the money arrives.
PAYMENT_START_LISTENERS = ["storefront.shop.planned_orders.payment_started"]
# Called with a PlannedOrder that could not be placed after its payment had arrived, in the same transaction.
SHOP_PLAN_LISTENER = "storefront.mail.planned_orders.keep"
# Called as listener(payment, *, amount: Decimal) when a refund or chargeback of a credited payment is booked, in the
# same transaction; ``amount`` is the part of the credited amount that is reversed now, in the store currency, and
# negative when a reversal is undone: a dispute was won, or a refund failed.
PAYMENT_REVERSAL_LISTENERS = ["storefront.promotions.listeners.payment_reversed"]
# Called as check(user, code, *, amount: Decimal) before a payment starts; returns why the coupon cannot be used, or "".
# Empty: coupons are ignored.
PAYMENT_COUPON_CHECK = "storefront.promotions.coupons.check"
# Returns (key, label) of the payment methods to which a promotion can be limited.
PROMOTIONS_PAYMENT_METHODS = "storefront.payments.payment_form.method_names"
# Called with a RateNotice (storefront/currencies/updates.py) when staff should look at exchange rates, in the
# transaction that it is about.
CURRENCY_NOTICE_LISTENERS = ["storefront.mail.rate_notices.keep"]
# Called as listener(payment, *, reason: ReviewReason, amount: Decimal) when staff should learn of a dispute, a reversal
# or a refund with an unknown outcome, in the same transaction.
PAYMENT_NOTICE_LISTENERS = ["storefront.mail.payment_notices.keep"]
# Addresses that replace all API hosts of a gateway, by its name. Only for tests and the demo: payments made there
# credit real balances.
PAYMENT_GATEWAY_URLS: dict[str, str] = {}
# Called with each email that allauth wants to send: a confirmation, a password reset, a change of the account.
ACCOUNTS_EMAIL_HANDLER = "storefront.mail.account_security.enqueue"
# Called as listener(user, *, request) when a customer signs up, in the transaction that opens the account.
ACCOUNTS_SIGN_UP_LISTENERS = ["storefront.promotions.listeners.signed_up"]
# Called as listener(user) when a customer confirms an address and had none that was confirmed, in the same transaction.
ACCOUNTS_CONFIRMATION_LISTENERS = ["storefront.promotions.listeners.email_confirmed"]
# What acts for a customer without signing in, such as API keys: it is revoked or reviewed after a password reset.
ACCOUNTS_ACCESS_SOURCES = ["storefront.accounts.access.api_keys", "storefront.webhooks.access.webhooks"]
# Called with the path of an API and an HTTP status; returns the answer to a request that the web server cannot read.
API_ERROR_ANSWER = "storefront.api.error_handlers.answer"
# Panels and sources of exchange rates on this machine or in private ranges are refused unless this allows them.
ALLOW_PRIVATE_PANELS = env.bool("ALLOW_PRIVATE_PANELS", DEBUG)
# The same for the addresses that customers give for callbacks; where it is false they must begin with https as well.
ALLOW_PRIVATE_WEBHOOKS = env.bool("ALLOW_PRIVATE_WEBHOOKS", DEBUG)
# How many adds are under way at once at one provider.
SUBMIT_PARALLEL = env.int("SUBMIT_PARALLEL", 32)
# Seconds after a claim within which its request must have begun; later nothing is sent. A lease is this much longer
# than the longest call.
LEASE_GRACE = env.float("LEASE_GRACE", 30.0)
# Seconds between two looks at an order that was placed a moment ago; the interval stretches with its age.
SYNC_INTERVAL = env.int("SYNC_INTERVAL", 60)
# How many days ahead an order may be told to start; 0 sells no later start.
SCHEDULE_MAX_DAYS = env.int("SCHEDULE_MAX_DAYS", 30)
# Without a request id, the same request of the same customer within so many seconds buys once.
IDEMPOTENCY_SECONDS = env.int("IDEMPOTENCY_SECONDS", 60)
# Amounts that customers can add with one click.
PAYMENT_PRESETS = env.list("PAYMENT_PRESETS", default=["10", "25", "50", "100"])
# Percent put on top of a provider's cost when its price list is published and no other markup is given.
DEFAULT_MARKUP = env.str("DEFAULT_MARKUP", "30")

# --------------------------------------------------------------------------------------------- tasks
Q_CLUSTER: dict[str, Any] = {
    "name": "vitrine",
    "workers": env.int("WORKERS", 4),
    # One in memory per worker: a task that waits there longer than `retry` would run twice.
    "queue_limit": env.int("WORKERS", 4),
    "bulk": 1,
    "poll": 0.5,
    "timeout": 60,
    "retry": 180,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "recycle": 500,
    "max_rss": 300_000,
    "save_limit": 0,
    "guard_cycle": 0.5,
    "sync": env.bool("TASKS_SYNC", False),
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

# --------------------------------------------------------------------------------------------- API
# Calls a minute that a key may make, and that may come from one address; 0: as many as they like.
API_CALLS_PER_MINUTE = env.int("API_CALLS_PER_MINUTE", 600)
API_ADDRESS_CALLS_PER_MINUTE = env.int("API_ADDRESS_CALLS_PER_MINUTE", 6000)
# Calls a second that a staff key may make to the Admin API; 0: as many as it likes.
ADMIN_API_CALLS_PER_SECOND = env.int("ADMIN_API_CALLS_PER_SECOND", 5)
# Origins whose pages may read answers of the panel API in a browser, such as https://status.example; *: any page.
API_CORS_ORIGINS = env.list("API_CORS_ORIGINS", default=[])
# Keys of the sandbox: the play money of each, in the store currency, and how long an order or a refill takes there.
SANDBOX_BALANCE = env.str("SANDBOX_BALANCE", "1000")
SANDBOX_SECONDS = env.int("SANDBOX_SECONDS", 120)
# Minutes after which an order that a program pulled and never reported about is handed out again. 0: never.
PULL_LEASE_MINUTES = max(env.int("PULL_LEASE_MINUTES", 1440), 0)
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}

# --------------------------------------------------------------------------------------------- language and time
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", _("English")),
    ("ru", _("Russian")),
    ("tr", _("Turkish")),
    ("ar", _("Arabic")),
]
# What a visitor chose in the foot of a page.
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

# --------------------------------------------------------------------------------------------- static files
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
# What people hand in. Every upload is cut where private_files refuses it, so that none fills the disk.
PRIVATE_DIR = Path(env.str("PRIVATE_DIR", str(VAR_DIR / "private")))
FILE_UPLOAD_HANDLERS = ["storefront.web.private_files.CutUpload", *global_settings.FILE_UPLOAD_HANDLERS]
DATA_UPLOAD_MAX_NUMBER_FILES = 10

# --------------------------------------------------------------------------------------------- safety
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SECURE_SSL = env.bool("HTTPS", SHOP_URL.startswith("https://"))
SECURE_SSL_REDIRECT = SECURE_SSL
# The APIs answer over plain http as well: a redirect loses the body of every POST.
SECURE_REDIRECT_EXEMPT = [r"^api/", r"^adminapi/"]
# Whether the last entry of X-Forwarded-For, and X-Forwarded-Proto, are a proxy's of ours and can be believed.
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
# The header in which that proxy states the visitor's country, for payment methods shown in some countries only.
COUNTRY_HEADER = env.str("COUNTRY_HEADER", "")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 31_536_000 if SECURE_SSL else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_SSL
# The list of browsers that never ask by plain HTTP: it takes months to leave, so nobody gets in by default.
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", False)
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SESSION_COOKIE_SECURE = SECURE_SSL
CSRF_COOKIE_SECURE = SECURE_SSL
LANGUAGE_COOKIE_SECURE = SECURE_SSL
SESSION_COOKIE_HTTPONLY = True
# Browsers take a cookie whose name begins with __Host- only over HTTPS, and only for this very host.
_COOKIE_PREFIX = "__Host-" if SECURE_SSL else ""
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}csrftoken"
LANGUAGE_COOKIE_NAME = f"{_COOKIE_PREFIX}django_language"
DEVICE_COOKIE_NAME = f"{_COOKIE_PREFIX}device"
REFERRAL_COOKIE_NAME = f"{_COOKIE_PREFIX}ref"
MESSAGES_COOKIE_NAME = f"{_COOKIE_PREFIX}messages"
MESSAGE_STORAGE = "storefront.message_storage.MessageStorage"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"links": {"()": "storefront.web.log_redaction.RedactLinks"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["links"],
            "stream": sys.stderr,
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    # A tick every few seconds is no news, nor is a request that waits a moment for a free thread.
    "loggers": {
        "django-q": {"level": env.str("TASKS_LOG_LEVEL", "WARNING")},
        "waitress.queue": {"level": "ERROR"},
    },
}
