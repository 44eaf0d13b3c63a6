#!/usr/bin/env bash
# Asks a web server of this container, prints the body of its answer, and says whether that was 200: answers.sh PORT PATH. The
# images have no curl in common.
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3
IFS=' ' read -r -t 3 _ status _ <&3
while IFS= read -r -t 3 line <&3 && [ "$line" != $'\r' ]; do :; done
timeout 3 cat <&3
[ "$status" = 200 ]
