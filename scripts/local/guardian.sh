# Outlives the runner by a moment: whatever the runner started and could not stop itself, because it was killed, this
# stops. It learns of each process by a line on stdin, `add PID STARTTIME SIGNAL` or `del PID`, and acts when the
# runner's end of the pipe is gone. Its one argument marks the run in the environment of all its processes.
trap '' HUP INT QUIT TERM
mark=$1
known=

while read -r verb pid start signal; do
  case $verb in
    add) known="$known $pid:$start:$signal" ;;
    del)
      kept=
      for one in $known; do
        case $one in "$pid":*) ;; *) kept="$kept $one" ;; esac
      done
      known=$kept
      ;;
  esac
done

# alive PID STARTTIME: the same process still runs, not a zombie and not another one under its number.
alive() {
  kill -0 "$1" 2>/dev/null || return 1
  [ "$2" = - ] && return 0
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  set -- "$1" "$2" ${stat##*) }
  [ "$3" != Z ] && [ "${22}" = "$2" ]
}

for one in $known; do
  pid=${one%%:*} rest=${one#*:}
  alive "$pid" "${rest%%:*}" && kill -"${rest#*:}" "$pid" 2>/dev/null
done

tries=0
while [ -n "$known" ] && [ $tries -lt 30 ]; do
  left=
  for one in $known; do
    pid=${one%%:*} rest=${one#*:}
    alive "$pid" "${rest%%:*}" && left="$left $one"
  done
  known=$left
  [ -z "$known" ] || sleep 0.1
  tries=$((tries + 1))
done

for one in $known; do
  kill -KILL "${one%%:*}" 2>/dev/null
  kill -KILL -"${one%%:*}" 2>/dev/null
done

# What was spawned in the very moment of the kill, and so was never told of.
if [ -d /proc/self ]; then
  for environ in $(grep -slz "^REGISTRAR_RUN=$mark\$" /proc/[0-9]*/environ 2>/dev/null); do
    pid=${environ#/proc/} pid=${pid%/environ}
    [ "$pid" = $$ ] || kill -KILL "$pid" 2>/dev/null
  done
fi
exit 0
