#!/usr/bin/env bash
# Starts java in a container of our images: java.sh OPTIONS-FILE… -- ARGUMENTS… Flags in JDK_JAVA_OPTIONS come after those of
# the files, so that they win; java itself would put them first.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/read-secrets.sh"

flags=()
while [ "$1" != -- ]; do
  flags+=("@$1")
  shift
done
shift
own=${JDK_JAVA_OPTIONS:-}
unset JDK_JAVA_OPTIONS
case "$own ${JAVA_TOOL_OPTIONS:-}" in
  *-XX:+Use*GC*) flags+=(-XX:-UseSerialGC) ;; # a second collector is an error
esac
# As a file, because java splits and unquotes those by the rules of JDK_JAVA_OPTIONS.
exec java "${flags[@]}" @/dev/fd/3 "$@" 3<<<"$own"
