#!/usr/bin/env bash
# Asks a web server of this container, prints the body of its answer, and says whether that was 200:
# answers.sh PORT PATH [USER PASSWORD-FILE]. The images have no curl in common.
login=
if [ $# = 4 ]; then
  login="Authorization: Basic $(printf '%s:%s' "$3" "$(<"$4")" | base64 -w0)"$'\r\n'
fi
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.0\r\n%s\r\n' "$2" "$login" >&3
IFS=' ' read -r -t 3 _ status _ <&3
while IFS= read -r -t 3 line <&3 && [ "$line" != $'\r' ]; do :; done
timeout 3 cat <&3
[ "$status" = 200 ]
