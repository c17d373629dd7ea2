# Three stages: the locked dependencies, the project's own wheel, and the image that has
# nothing but these two on a plain Python. Code that changes leaves the dependencies cached.
ARG PYTHON_IMAGE=python:3.14-slim


FROM ${PYTHON_IMAGE} AS dependencies

ENV POETRY_NO_INTERACTION=1 \
    POETRY_VIRTUALENVS_IN_PROJECT=true \
    POETRY_VIRTUALENVS_OPTIONS_NO_PIP=true

# The plugin is one that pyproject.toml requires; without it Poetry would fetch it each time.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install poetry==2.5.1 poetry-plugin-export==1.10.1

WORKDIR /app
COPY pyproject.toml poetry.lock ./
RUN --mount=type=cache,target=/root/.cache/pypoetry \
    poetry install --only main --extras tracing --no-root \
    && python -m compileall -q --invalidation-mode unchecked-hash .venv/lib


FROM dependencies AS project

# /project mirrors /app/.venv and holds only what the wheel of fast_zero puts there.
COPY README.md LICENSE ./
COPY migrations/ migrations/
COPY fast_zero/ fast_zero/
RUN poetry build --format wheel \
    && pip --python .venv/bin/python install --no-cache-dir --no-compile --no-deps --prefix /project dist/*.whl \
    && python -m compileall -q --invalidation-mode unchecked-hash -s /project -p /app/.venv /project


FROM ${PYTHON_IMAGE}

ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="fast_zero" \
      org.opencontainers.image.description="A self-hostable, asynchronous todo manager whose product is its API." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/tmp/fast_zero

# Nothing is installed into a running container, so it needs no pip.
RUN python -m pip uninstall --yes --quiet --root-user-action ignore pip \
    && useradd --uid 10001 --user-group --no-log-init --no-create-home --home-dir /app --shell /usr/sbin/nologin fast_zero

WORKDIR /app
COPY --from=dependencies /app/.venv .venv/
COPY --from=project /project .venv/
COPY entrypoint.sh ./

# A first run, as root: it proves the installation, and leaves the bytecode of the standard
# library's modules that are in use, which the container's own user could not write.
RUN fast-zero openapi > /dev/null

USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --start-interval=1s \
    CMD ["python", "-ISc", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('HEAD', '/livez'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["/app/entrypoint.sh"]
CMD ["fast-zero", "serve"]
