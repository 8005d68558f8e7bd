"""Every setting, read through one Env. `.env.example` lists the variables with a line each."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from voicepipeline import local_files, logs
from voicepipeline.configuration import (
    LOG_FORMATS,
    LOG_LEVELS,
    one_of,
    postgresql_database,
    provider_address,
    provider_key,
    site_address,
    whole_number,
    yes_or_no,
)
from voicepipeline.supervisor.embedded import EmbeddedPostgres

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))

# --- Where this installation keeps its own files ---------------------------------------------------------------
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
DATABASE_URL = env.str("DATABASE_URL", default="")
EMBEDDED_DATABASE = not DATABASE_URL

# --- Secrets ---------------------------------------------------------------------------------------------------
DEBUG = yes_or_no("DEBUG", env.str("DEBUG", default="no"))
SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
if not SECRET_KEY and EMBEDDED_DATABASE:
    SECRET_KEY = local_files.read_or_create_secret(VAR_DIR / "secret_key")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. With DATABASE_URL set it has no default: put a random string of 50 characters "
        "or more into the environment or into .env."
    )

# --- Web -------------------------------------------------------------------------------------------------------
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
_site = site_address(SITE_URL)
HTTPS = _site.scheme == "https"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[_site.hostname, "localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [SITE_URL]
ADMIN_PATH = env.str("ADMIN_PATH", default="admin").strip("/")
# How many reverse proxies of ours stand in front; with 0 nothing that a client sends in X-Forwarded-* is believed.
PROXY_COUNT = whole_number("PROXY_COUNT", env.str("PROXY_COUNT", default="0"), 0, 10)
ROOT_URLCONF = "voicepipeline.urls"
WSGI_APPLICATION = "voicepipeline.wsgi.application"

SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
if PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "voicepipeline.views.csrf_failure"
# Alpine, which unfold ships, evaluates expressions; unfold writes its colours into a style element.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- Applications ----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "voicepipeline.apps.BackOfficeAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    # For the API's docs, which come from our own host that way.
    "ninja",
    # Before django_q, whose qcluster command it replaces.
    "voicepipeline",
    "django_q",
    "retry",
    "metrics",
]

MIDDLEWARE = [
    "voicepipeline.middleware.RequestIdMiddleware",
    "voicepipeline.api.middleware.ApiAnswersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "voicepipeline.middleware.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

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
                "voicepipeline.admin.shell.surroundings",
            ],
        },
    },
]

# --- Database --------------------------------------------------------------------------------------------------
if EMBEDDED_DATABASE:
    _database = EmbeddedPostgres.for_var_dir(VAR_DIR).django_settings()
else:
    _database = postgresql_database(DATABASE_URL)
DATABASES = {
    "default": {
        **_database,
        # A connection costs more than most of what we do over it: workers and web threads keep theirs.
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**_database.get("OPTIONS", {}), "connect_timeout": 10},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "shared_cache",
    },
    # django-q writes its own statistics twice a second; nobody reads them, clusters report in by rows of ours.
    "django_q": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}

# --- People ----------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "voicepipeline.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = "admin:index"
# Locking the pair: an attacker elsewhere cannot lock a colleague out by guessing at their name.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_CLIENT_IP_CALLABLE = "voicepipeline.middleware.client_address"
AXES_LOCKOUT_CALLABLE = "voicepipeline.views.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False

# --- Time and language -----------------------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-ie"
USE_I18N = True

# --- Files -----------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
MEDIA_ROOT = VAR_DIR / "media"
FILE_UPLOAD_HANDLERS = ["voicepipeline.intake.uploading.BoundedUpload"]
DATA_UPLOAD_MAX_NUMBER_FILES = 20
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Processes -------------------------------------------------------------------------------------------------
WEB_HOST = env.str("WEB_HOST", default="127.0.0.1")
WEB_WORKERS = whole_number("WEB_WORKERS", env.str("WEB_WORKERS", default="2"), 1, 64)
WEB_THREADS = whole_number("WEB_THREADS", env.str("WEB_THREADS", default="8"), 1, 64)
# Of the polls of open overviews, those that come within this time share what one of them has found.
OVERVIEW_SHARED_SECONDS = 1
# How long such a thread waits for what a program sends to the API: in all, for the next byte, and before it is slow.
API_UPLOAD_SECONDS = whole_number("API_UPLOAD_SECONDS", env.str("API_UPLOAD_SECONDS", default="300"), 1, 3600)
API_SILENT_SECONDS = whole_number("API_SILENT_SECONDS", env.str("API_SILENT_SECONDS", default="30"), 1, 300)
API_SLOW_SECONDS = whole_number("API_SLOW_SECONDS", env.str("API_SLOW_SECONDS", default="10"), 1, 300)
# Each keeps a database connection, and the embedded server has 300 in all.
MAX_WORKERS = 200
WORKERS = whole_number("WORKERS", env.str("WORKERS", default="32"), 1, MAX_WORKERS)
# A job that runs longer is stopped; calls to the AI provider end well before.
JOB_TIMEOUT_SECONDS = whole_number("JOB_TIMEOUT_SECONDS", env.str("JOB_TIMEOUT_SECONDS", default="180"), 10, 3600)
Q_CLUSTER = {
    "name": "voicepipeline",
    "label": "Queue",
    "orm": "default",
    "cache": "django_q",
    "workers": WORKERS,
    "timeout": JOB_TIMEOUT_SECONDS,
    # A task taken from the table may wait behind a full local queue before it starts; only after that is it lost.
    "retry": JOB_TIMEOUT_SECONDS * (1 + -(-(WORKERS + 1) // WORKERS)) + 60,
    "queue_limit": WORKERS,
    "bulk": 1,
    "poll": 0.05,
    "save_limit": -1,
    "ack_failures": True,
    "max_attempts": 1,
    "catch_up": False,
    "recycle": 500,
}

# --- AI provider -----------------------------------------------------------------------------------------------
OPENAI_API_KEY = provider_key(env.str("OPENAI_API_KEY", default=""))
AI_SIMULATED = not OPENAI_API_KEY
OPENAI_BASE_URL = provider_address(env.str("OPENAI_BASE_URL", default=""), simulated=AI_SIMULATED)
AI_TRANSCRIPTION_MODEL = env.str("AI_TRANSCRIPTION_MODEL", default="gpt-transcribe")
AI_CLAIMS_MODEL = env.str("AI_CLAIMS_MODEL", default="gpt-6-luna")
# What a model understands, by model, where it is not what is known of it: voicepipeline/ai/endpoint.py has the names.
AI_CAPABILITIES = env.json("AI_CAPABILITIES", default={})
# A call ends before its job does; an answer that cannot be used is asked for twice within one job.
_LONGEST_TRANSCRIPTION = JOB_TIMEOUT_SECONDS * 8 // 10
_LONGEST_CHAT = JOB_TIMEOUT_SECONDS * 4 // 10
AI_CONNECT_TIMEOUT_SECONDS = whole_number(
    "AI_CONNECT_TIMEOUT_SECONDS", env.str("AI_CONNECT_TIMEOUT_SECONDS", default="5"), 1, 60
)
AI_TRANSCRIPTION_TIMEOUT_SECONDS = whole_number(
    "AI_TRANSCRIPTION_TIMEOUT_SECONDS",
    env.str("AI_TRANSCRIPTION_TIMEOUT_SECONDS", default=str(min(120, _LONGEST_TRANSCRIPTION))),
    1,
    _LONGEST_TRANSCRIPTION,
)
AI_CHAT_TIMEOUT_SECONDS = whole_number(
    "AI_CHAT_TIMEOUT_SECONDS", env.str("AI_CHAT_TIMEOUT_SECONDS", default=str(min(60, _LONGEST_CHAT))), 1, _LONGEST_CHAT
)

# --- Stages ----------------------------------------------------------------------------------------------------
# Every interval and limit of the stage engine can be changed here by name, durations in seconds; the names and
# their defaults stand in voicepipeline/engine/limits.py.
ENGINE = env.json("ENGINE", default={})
# The code of each stage: a module with load, work, store and remove. One that is named here takes the place of ours.
STAGE_CODE = {
    "transcription": "voicepipeline.stages.transcription",
    "claims_extraction": "voicepipeline.stages.claims",
    "entity_resolution": "voicepipeline.stages.resolution",
    "draft_generation": "voicepipeline.stages.drafts",
    **env.json("STAGE_CODE", default={}),
}

# --- Metrics ---------------------------------------------------------------------------------------------------
# How long events and history are kept, by name, durations in seconds; names and defaults: metrics/limits.py.
METRICS = env.json("METRICS", default={})
# Who scrapes /metrics shows this; without one the address does not exist.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

# --- Retries ---------------------------------------------------------------------------------------------------
# How much may be retried, by name, durations in seconds; names and defaults: retry/limits.py.
RETRY = env.json("RETRY", default={})

# --- Logs ------------------------------------------------------------------------------------------------------
LOG_LEVEL = one_of("LOG_LEVEL", env.str("LOG_LEVEL", default="INFO"), LOG_LEVELS)
LOG_FORMAT = one_of("LOG_FORMAT", env.str("LOG_FORMAT", default="json"), LOG_FORMATS)
LOGGING_CONFIG = None
logs.configure(level=LOG_LEVEL, style=LOG_FORMAT)

# --- Admin shell -----------------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "Voice pipeline",
    "SITE_HEADER": "Voice pipeline",
    "SITE_SUBHEADER": "Back office",
    "SITE_SYMBOL": "graphic_eq",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "voicepipeline.admin.shell.favicon"}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": ["voicepipeline.admin.shell.stylesheet"],
    "SCRIPTS": ["voicepipeline.admin.shell.script"],
    # Indigo keeps clear of the green, orange and red that say how a voice note fares. 500 is text on dark pages.
    "COLORS": {
        "primary": {
            "50": "oklch(96.2% .018 272.3)",
            "100": "oklch(93% .034 272.8)",
            "200": "oklch(87% .065 274)",
            "300": "oklch(78.5% .115 274.7)",
            "400": "oklch(73% .15 276)",
            "500": "oklch(69% .17 276.9)",
            "600": "oklch(48% .23 277)",
            "700": "oklch(42% .22 277)",
            "800": "oklch(38% .18 277.4)",
            "900": "oklch(34% .14 278.7)",
            "950": "oklch(25.7% .09 281.3)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "command_search": False,
        "show_all_applications": False,
        "navigation": "voicepipeline.admin.shell.sidebar",
    },
}
