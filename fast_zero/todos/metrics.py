"""The metrics of todos."""

from prometheus_client import Counter

WRITTEN = Counter("fast_zero_todos_written", "Todos that were written.", ["operation"])
CREATED = WRITTEN.labels("create")
UPDATED = WRITTEN.labels("update")
DELETED = WRITTEN.labels("delete")
RESTORED = WRITTEN.labels("restore")
