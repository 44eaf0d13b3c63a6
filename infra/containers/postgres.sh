#!/usr/bin/env bash
# Starts PostgreSQL in a container of the official image as its own user, whose script would begin as root, and with a cluster
# as ./orderly makes it: postgres.sh postgres -c …
set -euo pipefail

export PGDATA=${PGDATA:-/var/lib/postgresql/18/docker}
unfinished=/var/lib/postgresql/unfinished

# Killed halfway, it leaves nothing that could be taken for a cluster.
if ! [ -s "$PGDATA/PG_VERSION" ]; then
  rm -rf "$unfinished"
  # The built-in locale is the same everywhere; those of libc are not, and an index outlives an image.
  initdb --pgdata="$unfinished" --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --no-instructions
  mkdir -p "$(dirname "$PGDATA")"
  mv -T "$unfinished" "$PGDATA" # instead of an empty folder, if the image has one there
fi
tls=/run/secrets/orderly/tls # there with docker-compose.tls.yml
if [ -d "$tls" ]; then
  set -- "$@" -c ssl=on -c "ssl_cert_file=$tls/postgres.pem" -c "ssl_key_file=$tls/postgres.pem" \
    -c hba_file=/orderly/postgres/pg_hba_tls.conf
fi
exec "$@" -c unix_socket_directories=
