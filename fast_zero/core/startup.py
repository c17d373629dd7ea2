"""What must be there before anything can be served."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from pydantic import SecretStr

from fast_zero.core.database import embedded
from fast_zero.core.errors import StartError
from fast_zero.core.settings import Settings


@contextmanager
def traced(settings: Settings) -> Iterator[None]:
    """Send traces where the settings say so, until the block ends."""
    endpoint = settings.otel_exporter_otlp_endpoint
    if not endpoint:
        yield
        return
    try:
        tracing = import_module("fast_zero.core.observability.tracing")
    except ImportError as error:
        raise StartError(
            "OTEL_EXPORTER_OTLP_ENDPOINT needs what the extra `tracing` installs: "
            f"pip install '.[tracing]' ({error})"
        ) from None
    with tracing.exported(endpoint, with_metrics=settings.sends_metrics()):
        yield


@contextmanager
def completed(settings: Settings) -> Iterator[Settings]:
    """Fill in what has no default, and hold the embedded database while it is in use.

    Without a DATABASE_URL the embedded PostgreSQL is started or joined, and its folder keeps
    the key. With one, the key must be given: processes on other machines share it.
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
