#!/usr/bin/env bash
# Says whether a web server of this container answers 200: answers.sh PORT PATH. The images have no curl in common.
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3
IFS=' ' read -r -t 3 _ status _ <&3 && [ "$status" = 200 ]
