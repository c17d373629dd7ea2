"""What the program needs before it can serve requests or run commands."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from pydantic import SecretStr

from fast_zero.core.database import embedded
from fast_zero.core.errors import StartError
from fast_zero.core.settings import Settings


@contextmanager
def exporting_traces(settings: Settings) -> Iterator[None]:
    """Export traces if an OTLP endpoint is configured, until the block ends."""
    endpoint = settings.otel_exporter_otlp_endpoint
    if not endpoint:
        yield
        return
    try:
        tracing = import_module("fast_zero.core.observability.tracing")
    except ImportError as error:
        raise StartError(
            "OTEL_EXPORTER_OTLP_ENDPOINT needs the packages of the extra `tracing`: "
            f"pip install '.[tracing]' ({error})"
        ) from None
    with tracing.exported(endpoint, with_metrics=settings.sends_metrics()):
        yield


@contextmanager
def complete_settings(settings: Settings) -> Iterator[Settings]:
    """Fill in the settings without a default, and keep the embedded database running meanwhile.

    Without DATABASE_URL the embedded PostgreSQL is started or joined, and the secret key is
    stored in its folder. With DATABASE_URL a key is required, since processes on other machines
    share it.
    """
    if settings.database_url is not None:
        settings.check_keys()
        yield settings
        return
    with embedded.running(settings.data_dir) as url:
        key = settings.secret_key or SecretStr(embedded.secret_key(settings.data_dir))
        complete = settings.model_copy(update={"database_url": url, "secret_key": key})
        complete.check_keys()
        yield complete
