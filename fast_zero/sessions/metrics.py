"""The metrics of log-ins."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter

from fast_zero.core.errors import DomainError, TooManyRequests
from fast_zero.two_factor.service import OneTimeCodeRequired

LOG_INS = Counter("fast_zero_log_ins", "Log-in attempts, by result.", ["result"])


@contextmanager
def count_log_in() -> Iterator[None]:
    try:
        yield
    except OneTimeCodeRequired:
        LOG_INS.labels("code required").inc()
        raise
    except TooManyRequests:
        LOG_INS.labels("throttled").inc()
        raise
    except DomainError:
        LOG_INS.labels("refused").inc()
        raise
    LOG_INS.labels("accepted").inc()
