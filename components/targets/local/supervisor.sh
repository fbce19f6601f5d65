#!/bin/sh
# Keeps one server running: starts it, notes its output and its ends in the log, and starts it again with back-off
# until it is told to stop (SIGTERM), which it passes on to the server as the stop signal.
#
# Usage: supervisor.sh RUN LOG SIGNAL
#   RUN     folder with the executables `start`, which becomes the server, and `prepare`, which runs before each start.
#           Receives supervisor.pid, server.pid (only while the server runs) and exits (a status a line).
#   LOG     file that receives the output of both; of more than 10 MiB it becomes LOG.1, in place of the one before
#   SIGNAL  the server's stop signal, without SIG
#
# The distribution of work: this script only keeps the server running; the provider finds and ends what a stopped
# server leaves behind (see processes.ts).

run=$1
log=$2
signal=$3
child=
stopping=
interrupted=
largest_log=10485760
log_interval=3
longest_delay=30
settled_after=60

say() {
  printf '%s supervisor: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >>"$log"
}

stop() {
  stopping=yes
  interrupted=yes
  [ -z "$child" ] || kill -s "$signal" "$child" 2>/dev/null
}
trap stop TERM INT HUP

# Waits for $child to end and sets status. A signal interrupts `wait`, so that the trap can run: wait again.
await_child() {
  [ -z "$stopping" ] || kill -s "$signal" "$child" 2>/dev/null
  while :; do
    interrupted=
    wait "$child"
    status=$?
    [ -n "$interrupted" ] || break
  done
  child=
}

# Copies the log aside and empties it, while the server goes on writing to it: to append is to write where the end is.
# What is written during the copy is copied as well; only what comes in the moment between that and the emptying is lost.
rotate() {
  [ -f "$log" ] || return 0
  [ "$(wc -c <"$log")" -gt "$largest_log" ] || return 0
  cp "$log" "$log.1"
  tail -c "+$(($(wc -c <"$log.1") + 1))" "$log" >>"$log.1"
  : >"$log"
}

# Looks after the log for as long as this script runs.
watch_log() {
  nap=
  trap '[ -z "$nap" ] || kill "$nap" 2>/dev/null; exit' TERM
  while kill -0 "$$" 2>/dev/null; do
    rotate
    sleep "$log_interval" &
    nap=$!
    wait "$nap"
  done
}

echo "$$" >"$run/supervisor.pid"
watch_log >>"$log" 2>&1 </dev/null &
watcher=$!
delay=1
while [ -x "$run/start" ]; do
  status=0
  if [ -x "$run/prepare" ]; then
    "$run/prepare" >>"$log" 2>&1 </dev/null &
    child=$!
    await_child
    [ "$status" -eq 0 ] || what="the preparation"
  fi
  begun=$(date +%s)
  if [ "$status" -eq 0 ] && [ -z "$stopping" ]; then
    what="the server"
    "$run/start" >>"$log" 2>&1 </dev/null &
    child=$!
    echo "$child" >"$run/server.pid"
    await_child
    rm -f "$run/server.pid"
  fi
  if [ -n "$stopping" ]; then
    say "stopped"
    break
  fi
  [ $(($(date +%s) - begun)) -lt "$settled_after" ] || delay=1
  say "$what ended with status $status; it starts again in $delay s"
  [ ! -d "$run" ] || echo "$status" >>"$run/exits"
  sleep "$delay" &
  child=$!
  signal_of_server=$signal
  signal=TERM
  await_child
  signal=$signal_of_server
  [ -z "$stopping" ] || break
  delay=$((delay * 2))
  [ "$delay" -le "$longest_delay" ] || delay=$longest_delay
done
kill "$watcher" 2>/dev/null
rm -f "$run/supervisor.pid"
