#!/bin/sh
# `fast-zero serve` finds its database migrated. Whoever says `--no-migrate` has seen to that, as Fly's
# release command has; any other command runs as it was given.
set -eu

case " $* " in
*" --no-migrate "*) ;;
" fast-zero serve "*)
    # In the background, because a shell hands on no signal while it waits in the foreground.
    fast-zero migrate &
    trap 'kill "$!"; wait "$!"; exit 0' INT TERM
    wait "$!"
    trap - INT TERM
    set -- "$@" --no-migrate
    ;;
esac

exec "$@"
