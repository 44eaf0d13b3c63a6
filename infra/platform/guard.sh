#!/usr/bin/env bash
# guard PIDFILE SIGNAL TENTHS COMMAND...
#
# Runs COMMAND so that it cannot outlive its launcher. Standard input is a pipe that only the launcher holds open: when it
# ends, because the launcher closed it to stop the part or because the launcher is gone (kill -9 included), COMMAND gets
# SIGNAL and, TENTHS of a second later, KILL. When COMMAND ends by itself the guard ends with its exit code. Either way no
# process of the guard is left, not even a zombie. PIDFILE holds COMMAND's process id while it runs.
# (bash 3.2: macOS has no newer one.)
pidfile=$1 signal=$2 tenths=$3
shift 3

# Each background job gets a process group of its own: a Ctrl-C in the terminal then reaches the launcher alone,
# which stops the parts in order.
set -m
trap : HUP INT QUIT TERM
# What bash says about ended jobs is not the part's output.
exec 3>&2 2>/dev/null

"$@" </dev/null 2>&3 3>&- &
pid=$!
record() {
  echo "$pid" >"$pidfile.new" && mv -f "$pidfile.new" "$pidfile"
}
recorder=
if ! record; then # the disk is full
  {
    trap - TERM
    while sleep 1 && kill -0 "$pid" && ! record; do :; done
  } </dev/null >/dev/null 3>&- &
  recorder=$!
fi

# Waits for the end of the pipe. It works without the process above, should that be killed.
{
  trap - TERM
  while read -r _; do :; done
  trap '' TERM
  kill -s "$signal" "$pid"
  for ((tenth = 0; tenth < tenths; tenth++)); do
    kill -0 "$pid" || exit
    sleep 0.1
  done
  kill -s KILL -- "-$pid"
} <&0 >/dev/null 3>&- &
watcher=$!

# With job control "wait" would also return, again and again, for a command that is merely stopped (SIGSTOP).
set +m
# A trapped signal ends "wait" early: wait again while the command is there.
while :; do
  wait "$pid"
  code=$?
  kill -0 "$pid" || break
done
[ -z "$recorder" ] || { kill -s TERM -- "-$recorder"; wait "$recorder"; }
rm -f "$pidfile" "$pidfile.new"
# Ends it where it only reads; where it already acts it ends by itself.
kill -s TERM "$watcher"
wait "$watcher"
exit "$code"
