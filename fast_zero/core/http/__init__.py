"""What every route has in common: problem details, ETags, idempotency, OpenAPI, health."""
