"""All settings of the program, read once from the environment and a `.env` file."""

import re
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from fast_zero.core import addresses, secret_files
from fast_zero.core.errors import StartError

SECRET_KEY_BYTES = 32  # RFC 7518, section 3.2: at least as long as the hash of HS256
DRIVER = "postgresql+psycopg"
VAPID_KEY = re.compile(r"[A-Za-z0-9_-]{43}=?")  # 32 bytes in base64url
SMTP_SCHEMES = {"smtp", "smtp+starttls", "smtps"}
SCHEMES = {"postgres", "postgresql", DRIVER}


def parse_database_url(value: object) -> URL:
    if isinstance(value, URL):
        return value
    try:
        url = make_url(str(value))
    except (ArgumentError, ValueError):  # its text quotes what stands where the port should
        message = "it is not a URL; write postgresql://user:password@host:5432/name"
        raise ValueError(message) from None
    if url.drivername not in SCHEMES:
        message = f"its scheme is {url.drivername}://, and only postgresql:// is supported"
        raise ValueError(message)
    return url.set(drivername=DRIVER)


def check_smtp_url(value: SecretStr) -> SecretStr:
    try:
        url = urlsplit(value.get_secret_value())
        usable = url.scheme in SMTP_SCHEMES and url.hostname and url.port != 0
    except ValueError:  # its text quotes what stands where the port should
        usable = False
    if not usable or url.path not in {"", "/"} or url.query or url.fragment:
        message = "write smtp://, smtp+starttls:// or smtps://, then user:password@host:587"
        raise ValueError(message)
    return value


def check_sender(value: str) -> str:
    _, address = parseaddr(value)
    name, _, domain = address.rpartition("@")
    if not (name and domain and value.isprintable()):
        message = "write an address, or a name and an address: fast_zero <todo@example.com>"
        raise ValueError(message)
    return value


def check_vapid_key(value: SecretStr) -> SecretStr:
    if not VAPID_KEY.fullmatch(value.get_secret_value()):
        message = (
            "write 32 bytes in base64url; make them with: "
            'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
        raise ValueError(message)
    return value


def check_url(value: str) -> str:
    if not value:
        return value
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment:
        message = "write http:// or https://, then the host, and a path if there is one"
        raise ValueError(message)
    return value.rstrip("/")


def parse_limit(value: object) -> object:
    return None if value == "off" else value


def refuse_zero(value: int | None) -> int | None:
    if value == 0:
        message = "0 would refuse everything; write off for no limit"
        raise ValueError(message)
    return value


OFF = BeforeValidator(parse_limit)
"""Parses `off` as `None`, which means no limit. 0 is a limit that allows nothing."""
NOT_ZERO = AfterValidator(refuse_zero)

PasswordQueue = Annotated[int | None, Field(ge=0, le=10_000), NOT_ZERO, OFF]

DatabaseUrl = Annotated[URL, BeforeValidator(parse_database_url)]


class Settings(BaseSettings):
    """Times are in seconds unless the name says otherwise. `.env.example` lists every variable."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # the value may be a secret
        arbitrary_types_allowed=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # replaced by `secret_files`
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        from_files = InitSettingsSource(settings_cls, secret_files.read_all())
        return init_settings, env_settings, from_files, dotenv_settings

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    log_level: Literal["critical", "error", "warning", "info", "debug"] = "info"
    log_format: Literal["auto", "text", "json"] = "auto"
    metrics_port: int = Field(default=0, ge=0, le=65535)
    otel_exporter_otlp_endpoint: Annotated[str, AfterValidator(check_url)] = ""
    otel_metrics_exporter: Literal["otlp", "none"] = "otlp"
    shutdown_grace: int = Field(default=10, ge=1, le=3600)
    forwarded_allow_ips: str = ""
    allowed_hosts: str = "*"
    cors_allow_origins: str = ""
    max_body_bytes: int = Field(default=1_048_576, ge=1024)
    max_import_bytes: int = Field(default=20 * 1_048_576, ge=1024, le=100 * 1_048_576)
    request_timeout: float = Field(default=8, gt=0, le=3600)
    request_head_timeout: float = Field(default=20, gt=0, le=3600)
    request_body_min_rate: int = Field(default=500, ge=0)
    response_read_timeout: float = Field(default=60, gt=0, le=3600)
    run_jobs: bool = True
    web: bool = True

    data_dir: Path = Path("data")
    database_url: DatabaseUrl | None = None
    database_direct_url: DatabaseUrl | None = None
    database_read_url: DatabaseUrl | None = None
    database_password: SecretStr | None = None
    database_wait: float = Field(default=30, ge=0, le=3600)
    database_pool_size: int = Field(default=10, ge=1, le=1000)
    database_pool_wait: float = Field(default=5, gt=0, le=60)
    database_statement_timeout: float = Field(default=5, gt=0, le=3600)
    database_lock_timeout: float = Field(default=2, gt=0, le=3600)
    database_idle_transaction_timeout: float = Field(default=10, gt=0, le=3600)

    secret_key: SecretStr | None = None
    secret_key_previous: SecretStr | None = None
    access_token_minutes: int = Field(default=15, ge=1, le=60)
    refresh_token_days: int = Field(default=30, ge=1, le=365)
    password_min_length: int = Field(default=8, ge=8, le=256)
    registration: Literal["open", "invite", "closed"] = "open"
    public_profiles: bool = True
    trash_days: int = Field(default=30, ge=1, le=3650)
    changes_days: int = Field(default=90, ge=1, le=3650)

    smtp_url: Annotated[SecretStr, AfterValidator(check_smtp_url)] | None = None
    mail_from: Annotated[str, AfterValidator(check_sender)] = "fast_zero <fast_zero@localhost>"
    public_url: Annotated[str, AfterValidator(check_url)] = ""

    vapid_private_key: Annotated[SecretStr, AfterValidator(check_vapid_key)] | None = None
    push_private_networks: bool = False

    login_failures: Annotated[int | None, Field(ge=0, le=1000), OFF] = 5
    login_failures_per_address: Annotated[int | None, Field(ge=0, le=100_000), OFF] = 50
    login_longest_wait: int = Field(default=900, ge=1, le=86_400)
    password_queue: PasswordQueue = 50
    password_queue_per_user: PasswordQueue = 4
    password_queue_per_address: PasswordQueue = 20
    registrations_per_hour: Annotated[int | None, Field(ge=0, le=100_000), OFF] = 60
    letters_per_hour: Annotated[int | None, Field(ge=0, le=100_000), OFF] = 5
    letters_per_hour_per_address: Annotated[int | None, Field(ge=0, le=100_000), OFF] = 60
    personal_tokens_per_user: Annotated[int | None, Field(ge=0, le=10_000), OFF] = 100
    requests_per_minute: Annotated[int | None, Field(ge=0, le=1_000_000), NOT_ZERO, OFF] = 1200

    def base_url(self) -> str:
        """Return the URL of the server: PUBLIC_URL, or else the address it listens on."""
        return self.public_url or addresses.local_url(self.host, self.port)

    def sends_metrics(self) -> bool:
        """Return whether metrics are exported to the OpenTelemetry collector, like traces."""
        return bool(self.otel_exporter_otlp_endpoint) and self.otel_metrics_exporter == "otlp"

    def database_address(self) -> URL:
        """Return the URL of the database, which may be the embedded one once it runs."""
        if self.database_url is None:
            raise StartError("DATABASE_URL is not set.")
        return self.with_password(self.database_url)

    def direct_address(self) -> URL:
        """Return the URL for what needs a direct connection: LISTEN, migrations, jobs."""
        if self.database_direct_url is None:
            return self.database_address()
        return self.with_password(self.database_direct_url)

    def read_address(self) -> URL | None:
        """Return the URL of the standby that serves reads, if one is configured."""
        return self.database_read_url and self.with_password(self.database_read_url)

    def with_password(self, url: URL) -> URL:
        if self.database_password is None or url.password is not None:
            return url
        return url.set(password=self.database_password.get_secret_value())

    def signing_keys(self) -> tuple[str, ...]:
        """Return the keys whose tokens are accepted. The first one signs new tokens."""
        keys = (self.secret_key, self.secret_key_previous)
        return tuple(key.get_secret_value() for key in keys if key)

    def check_keys(self) -> None:
        """Raise StartError if a key is missing or too short."""
        given = {"SECRET_KEY": self.secret_key}
        if self.secret_key_previous:
            given["SECRET_KEY_PREVIOUS"] = self.secret_key_previous
        for name, key in given.items():
            if key is None or len(key.get_secret_value().encode()) < SECRET_KEY_BYTES:
                problem = f"is shorter than {SECRET_KEY_BYTES} bytes" if key else "is not set"
                raise StartError(
                    f"{name} {problem}. Make one with: "
                    'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
                )


def load_settings() -> Settings:
    """Read the settings. Raises StartError, with a message for each invalid one."""
    try:
        return Settings()
    except ValidationError as error:
        messages = [
            f"{str(item['loc'][0]).upper()}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_url=False, include_input=False)
        ]
        raise StartError("Invalid settings. " + "; ".join(messages) + ".") from None
