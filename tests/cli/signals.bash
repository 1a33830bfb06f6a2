# Ends that a user or the system brings about: SIGINT, SIGTERM, a closed terminal.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

draw_classes pictures 6 ann bob
small_model model.stackae pictures

# Starts the program in the background, SIGHUP as a terminal leaves it: its process in $process.
start() {
    last=$*
    env --default-signal=HUP "$program" "$@" >out 2>err </dev/null &
    process=$!
}

# The program has ended with the exit code given.
ended() {
    wait $process
    local code=$?
    [ "$code" -eq "$1" ] || fail "exit code $code, expected $1"
}

# Until a file has so many lines with a text, or the program has ended: wait_for FILE TEXT LINES
wait_for() {
    until [ -e "$1" ] && [ "$(grep -cF -- "$2" "$1")" -ge "$3" ]; do
        kill -0 $process 2>/dev/null || fail "it ended before $1 had $3 lines with $2"
        sleep 0.05
    done
}

# Until it is the program that runs, and it looks after SIGTERM (15) itself.
wait_until_caught() {
    until [ "/proc/$process/exe" -ef "$program" ] && [ $((0x$(sed -n 's/^SigCgt:\t//p' /proc/$process/status) & (1 << 14))) -ne 0 ]; do
        kill -0 $process 2>/dev/null || fail "it ended too early"
    done
}

nothing_but() {
    [ "$(LC_ALL=C ls -A)" = "$(printf '%s\n' "$@" | LC_ALL=C sort)" ] || fail "left behind: $(ls -A | tr '\n' ' ')"
}

endless() {
    start train pictures -o stopped.stackae --layers 6,4 --epochs 1,1000000 -b 4 -j 1 --log log.jsonl
    wait_for log.jsonl '"stage":"layer 2, dense"' 1
}

# No handler runs on the thread that trains: its frame would overwrite what oneDNN's kernels work on.
endless
[ $((0x$(sed -n 's/^SigBlk:\t//p' /proc/$process/status) & 0x4003)) -eq $((0x4003)) ] || fail "signals reach the thread that trains"
kill -TERM $process
ended 130
rm -f stopped.stackae stopped.stackae.ckpt log.jsonl

# A terminal that is closed keeps what was learnt, also where the signal comes twice, from the system and the shell.
endless
kill -STOP $process
kill -HUP $process
kill -CONT $process
kill -HUP $process 2>/dev/null
ended 130
has err "interrupted; kept 2 of 2 layers in stopped.stackae"
has err "--resume goes on with stopped.stackae.ckpt"
expect 0 extract pictures/ann/0.pgm -m stopped.stackae
rm -f stopped.stackae stopped.stackae.ckpt log.jsonl

# With nohup, training goes on when the terminal is closed.
last="nohup train"
(trap '' HUP && exec "$program" train pictures -o stopped.stackae --layers 6,4 --epochs 1,1000000 -b 4 -j 1 \
    --log log.jsonl >out 2>err </dev/null) &
process=$!
wait_for log.jsonl '"stage":"layer 2, dense"' 1
kill -HUP $process
epochs=$(wc -l <log.jsonl)
wait_for log.jsonl '"epoch"' $((epochs + 20))
kill -TERM $process
ended 130
exists stopped.stackae
rm -f stopped.stackae stopped.stackae.ckpt log.jsonl

# Whoever insists is obeyed: the second signal ends at once, and keeps nothing.
ends_at_the_second() {
    endless
    kill -STOP $process
    kill -INT $process
    kill -TERM $process
    kill -CONT $process
    ended 130
    has err "stackae: interrupted"
    has_not err "kept"
    missing stopped.stackae
    rm -f stopped.stackae.ckpt log.jsonl
}
# (The thread sanitizer hands a signal on when it finds the time: not while a file is being opened.)
prompt=yes
! grep -q __tsan_init "$program" || prompt=no
[ $prompt = no ] || ends_at_the_second

# An output that waits for whoever reads it waits no longer than it is asked to.
mkfifo pipe
for command in "extract pictures -m model.stackae --format csv -o pipe" \
    "extract pictures -m model.stackae -o codes.csv --manifest pipe" \
    "train pictures -o other.stackae --layers 6 --log pipe"; do
    [ $prompt = yes ] || [[ $command != train* ]] || continue
    # shellcheck disable=SC2086 # a command and its options
    start $command
    wait_until_caught
    sleep 0.2
    kill -TERM $process
    ended 130
done
missing codes.csv
cat pipe >read &
expect 0 extract pictures -m model.stackae --format csv -o pipe
wait
lines read 13
rm pipe read

# Nobody watches any more: progress that cannot be written ends nothing.
last="train … 2>/dev/full"
"$program" train pictures -o unseen.stackae --layers 6,4 --epochs 2 -b 8 -j 1 2>/dev/full >out </dev/null ||
    fail "training ended with its terminal"
exists unseen.stackae
rm -f unseen.stackae

# Every command ends with 130 and leaves nothing half written.
mkdir left && cd left || exit 1
inputs=()
for _ in $(seq 40); do
    inputs+=("$samples")
done
for signal in INT TERM HUP; do
    start evaluate "$samples/train" --splits 10000 --manifest manifest.csv
    wait_until_caught
    kill -$signal $process
    ended 130
    empty out
    for command in "extract -o codes.npy" "reconstruct -o drawn.png" "enroll -o people.gallery"; do
        # shellcheck disable=SC2086 # a command and its option
        start $command "${inputs[@]}" --manifest manifest.csv
        wait_until_caught
        kill -$signal $process
        ended 130
        has err "stackae: interrupted"
    done
    nothing_but err out
done
