#!/bin/sh
# `fast-zero serve` finds its database migrated; any other command runs as it was given.
set -eu

if [ "${1-} ${2-}" = "fast-zero serve" ]; then
    # In the background, because a shell hands on no signal while it waits in the foreground.
    fast-zero migrate &
    trap 'kill "$!"; wait "$!"; exit 0' INT TERM
    wait "$!"
    trap - INT TERM
fi

exec "$@"
