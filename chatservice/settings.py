"""Django's settings, from the environment or `.env`; the README has the table of variables.

Nothing here raises for a bad value: `environment.problems` collects what is wrong, and
`chatservice.checks` reports it.
"""

from datetime import timedelta
from pathlib import Path

from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _

from .environment import Environment
from .redis_connection import connection_options
from .secret_key import generated_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = Environment.load(BASE_DIR / ".env")

# Where it runs

DEBUG = ENVIRONMENT.boolean("DEBUG", False)
HOST = ENVIRONMENT.text("HOST", "127.0.0.1")
PORT = ENVIRONMENT.integer("PORT", 8000, minimum=0, maximum=65535)
WORKERS = ENVIRONMENT.integer("WORKERS", 1, minimum=1, maximum=250)
DATA_DIR = ENVIRONMENT.path("DATA_DIR", ".data", base=BASE_DIR)

LOCAL_HOSTS = ["localhost", ".localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = ENVIRONMENT.words("ALLOWED_HOSTS", LOCAL_HOSTS)
CSRF_TRUSTED_ORIGINS = ENVIRONMENT.origins("CSRF_TRUSTED_ORIGINS")
CORS_ALLOWED_ORIGINS = ENVIRONMENT.origins("CORS_ALLOWED_ORIGINS")

SECRET_KEY = ENVIRONMENT.text("SECRET_KEY")
if not SECRET_KEY:
    if DEBUG or set(ALLOWED_HOSTS) <= set(LOCAL_HOSTS):
        try:
            SECRET_KEY = generated_secret_key(DATA_DIR)
        except OSError as error:
            ENVIRONMENT.report(
                "E005",
                f"DATA_DIR ({DATA_DIR}) cannot be used: {error.strerror}.",
                "Set DATA_DIR to a directory that this user may write to, with space left on it.",
            )
    else:
        ENVIRONMENT.report(
            "E006",
            "SECRET_KEY must be set when DEBUG is off and ALLOWED_HOSTS names a public host.",
            "Set it to a long random text that stays the same across restarts, for example from "
            "`openssl rand -base64 48`.",
        )
    # A key of this process's own, so that the checks get to run and report. Nothing is served.
    SECRET_KEY = SECRET_KEY or get_random_secret_key()

# What it is made of

INSTALLED_APPS = [
    "daphne",
    "whitenoise.runserver_nostatic",
    "chatservice.apps.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "channels",
    "chatservice.apps.ChatServiceConfig",
    "accounts",
    "media_upload",
    "chat",
]

MIDDLEWARE = [
    "chatservice.metrics.note_route",
    "django.middleware.security.SecurityMiddleware",
    "chatservice.middleware.content_security_policy",
    "chatservice.middleware.StaticFiles",
    "chatservice.middleware.CompressedPages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.web_sessions.AuthenticationMiddleware",
    "accounts.web_sessions.staff_language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "chatservice.middleware.Refusals",
]

ROOT_URLCONF = "chatservice.urls"
ASGI_APPLICATION = "chatservice.asgi.application"
# Above `realtime.server.MAX_MESSAGE_BYTES`, which decides. `runserver` reads these two, too.
DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE = DAPHNE_WEBSOCKET_MAX_FRAME_SIZE = 3 * 1024 * 1024
APPEND_SLASH = False  # every path of ours answers with and without its final slash

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Data

DATABASE_URL = ENVIRONMENT.text("DATABASE_URL")
DATABASES = {
    "default": {
        "ENGINE": "chatservice.mongo",
        "NAME": ENVIRONMENT.text("DATABASE_NAME", "chat"),
        "CLIENT": {"host": DATABASE_URL},
        "EMBEDDED_DIR": None if DATABASE_URL else DATA_DIR / "mongodb",
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = ENVIRONMENT.text("REDIS_URL")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "chat",
        }
    }
    CHANNEL_LAYERS = {
        "default": {
            # Not channels_redis.core: that one drops messages, silently, at its capacity.
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [connection_options(REDIS_URL)], "prefix": "chat"},
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# Files

MAX_UPLOAD_MB = ENVIRONMENT.integer("MAX_UPLOAD_MB", 25, minimum=1, maximum=2048)
MAX_UPLOAD_BYTES = MAX_UPLOAD_MB * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # every other request body

MEDIA_STORAGE = ENVIRONMENT.choice("MEDIA_STORAGE", "local", ["local", "s3"])
S3_OPTIONS = {
    "bucket_name": ENVIRONMENT.text("S3_BUCKET"),
    "endpoint_url": ENVIRONMENT.text("S3_ENDPOINT_URL") or None,
    "region_name": ENVIRONMENT.text("S3_REGION") or None,
    "access_key": ENVIRONMENT.text("S3_ACCESS_KEY_ID") or None,
    "secret_key": ENVIRONMENT.text("S3_SECRET_ACCESS_KEY") or None,
    "addressing_style": ENVIRONMENT.choice(
        "S3_ADDRESSING_STYLE", "auto", ["auto", "path", "virtual"]
    ),
    "signature_version": "s3v4",
    "default_acl": None,
    "file_overwrite": False,
    "querystring_auth": True,
    "querystring_expire": 300,
}
if MEDIA_STORAGE == "s3" and not S3_OPTIONS["bucket_name"]:
    ENVIRONMENT.report(
        "E007", "MEDIA_STORAGE is s3 and S3_BUCKET is not set.", "Name the bucket in S3_BUCKET."
    )

# Where pages may load files from, apart from this service: it redirects to the bucket.
MEDIA_ORIGINS = []
if MEDIA_STORAGE == "s3":
    MEDIA_ORIGINS = [str(S3_OPTIONS["endpoint_url"] or "https://*.amazonaws.com")]

STORAGES = {
    "default": (
        {"BACKEND": "media_upload.storage.S3Storage", "OPTIONS": S3_OPTIONS}
        if MEDIA_STORAGE == "s3"
        else {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": DATA_DIR / "uploads",
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    ),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    # What the pages' scripts import: chatservice/pages.py has the files and their names.
    ("vendor/combobox-nav", BASE_DIR / "node_modules/@github/combobox-nav/dist"),
    ("vendor/emoji-words/fa", BASE_DIR / "node_modules/cldr-annotations-full/annotations/fa"),
    ("vendor/gemoji", BASE_DIR / "node_modules/gemoji"),
    ("vendor/markdown-it", BASE_DIR / "node_modules/markdown-it/dist"),
    ("vendor/socket.io-client", BASE_DIR / "node_modules/socket.io-client/dist"),
]

# People

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.AccountBackend"]
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "accounts.passwords.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account:log-in"

ALGORITHM = ENVIRONMENT.choice("ALGORITHM", "HS256", ["HS256", "HS384", "HS512"])
ACCESS_TOKEN_EXPIRE_MINUTES = ENVIRONMENT.integer(
    "ACCESS_TOKEN_EXPIRE_MINUTES", 30, minimum=1, maximum=60 * 24 * 30
)
SIMPLE_JWT = {
    "ALGORITHM": ALGORITHM,
    "SIGNING_KEY": SECRET_KEY,
    "USER_ID_FIELD": "id",
    "USER_ID_CLAIM": "uid",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=ACCESS_TOKEN_EXPIRE_MINUTES),
    "REFRESH_TOKEN_LIFETIME": max(
        timedelta(days=30), 2 * timedelta(minutes=ACCESS_TOKEN_EXPIRE_MINUTES)
    ),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "UPDATE_LAST_LOGIN": False,
}
THROTTLE = ENVIRONMENT.boolean("THROTTLE", True)

# Who may read `/metrics`: nobody without it.
METRICS_TOKEN = ENVIRONMENT.text("METRICS_TOKEN")
if METRICS_TOKEN and len(METRICS_TOKEN) < 16:
    ENVIRONMENT.report(
        "E009",
        "METRICS_TOKEN is too short: it could be guessed.",
        "Set it to 16 or more random characters, for example from `openssl rand -hex 24`.",
    )
    METRICS_TOKEN = ""

# Seconds between Engine.IO's pings, and those in which a client must answer one.
PING_INTERVAL = ENVIRONMENT.integer("PING_INTERVAL", 25, minimum=1, maximum=300)
PING_TIMEOUT = ENVIRONMENT.integer("PING_TIMEOUT", 20, minimum=1, maximum=300)

# `library` leaves broadcasts to python-socketio: slower, should the short way ever be in the way.
FANOUT = ENVIRONMENT.choice("FANOUT", "direct", ["direct", "library"])

# The API

# Hot requests without Django's cycle (`chatservice.fast_lane`); `off` leaves all of them to Django.
FAST_LANE = ENVIRONMENT.boolean("FAST_LANE", True)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.WebSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["chatservice.limits.ApiThrottle"],
    "DEFAULT_PARSER_CLASSES": [
        "chatservice.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "chatservice.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": [
        "chatservice.renderers.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "chatservice.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Chat service",
    "DESCRIPTION": "Rooms, private chats, messages and files, over HTTP. "
    "Live events travel over Socket.IO at `/socket.io/`.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
}

# Language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fa", _("Persian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Browsers

# Cookies are for HTTPS only as soon as every origin that the service is known by is an HTTPS one.
# It is then behind a proxy, whose word on the original scheme is taken.
BEHIND_HTTPS = bool(CSRF_TRUSTED_ORIGINS) and all(
    origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = BEHIND_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if BEHIND_HTTPS else 0
SESSION_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "chatservice.errors.csrf_failure"

# Logging goes to standard error. Nothing here logs a header, a body or a query string: they carry
# passwords, tokens and Engine.IO session ids. A database that is down is one line and no traceback.

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {
        "outages": {"()": "chatservice.outages.ShortenOutages"},
        "session_ids": {"()": "chatservice.redaction.HideSessionIds"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["outages", "session_ids"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
        # Answered with 400. Anybody can ask for another host, each time for a traceback.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.request": {"level": "ERROR"},
        # It would log a traceback for each second of an outage; `realtime.backplane` says it once.
        "channels_redis": {"level": "CRITICAL"},
    },
}
