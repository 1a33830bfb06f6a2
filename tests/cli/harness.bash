# Sourced by the scripts beside it: SCRIPT PROGRAM SAMPLE_IMAGES. Runs in a folder of its own that goes at the end.
set -uo pipefail
program=$1
samples=$2
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

# Says what was wrong, with what the program last printed, and ends the test.
fail() {
    printf 'FAILED: %s\n  after: stackae %s\n--- stdout\n' "$1" "${last:-}"
    head -c 4000 out 2>/dev/null
    printf -- '--- stderr\n'
    head -c 4000 err 2>/dev/null
    exit 1
}

# Runs the program: stdout to ./out, stderr to ./err; the exit code must be the first argument.
expect() {
    local wanted=$1 code
    shift
    last=$*
    "$program" "$@" >out 2>err </dev/null
    code=$?
    [ "$code" -eq "$wanted" ] || fail "exit code $code, expected $wanted"
}

# Runs the program, interrupts it as soon as its first checkpoint, the first argument, is there, and looks at what is said
# of it: interrupted OUTPUT.ckpt/SEGMENT ARGUMENT...
interrupted() {
    local segment=$1 process code
    shift
    last="$*, interrupted"
    "$program" "$@" >out 2>err </dev/null &
    process=$!
    until [ -e "$segment" ]; do
        kill -0 $process 2>/dev/null || fail "it ended before it could be interrupted"
    done
    kill -TERM $process
    wait $process
    code=$?
    [ "$code" -eq 130 ] || fail "exit code $code of an interrupted run, expected 130"
    has err "--resume goes on with ${segment%/*}"
    missing "$(basename "${segment%/*}" .ckpt)"
}

# ./out or ./err is exactly the text given.
is() {
    [ "$(cat "$1")" = "$2" ] || fail "$1 is not exactly: $2"
}

# ./out, ./err or any file has a line with the text given, as it is.
has() {
    grep -qF -- "$2" "$1" || fail "$1 has no: $2"
}

has_not() {
    ! grep -qF -- "$2" "$1" || fail "$1 has: $2"
}

empty() {
    [ ! -s "$1" ] || fail "$1 is not empty"
}

lines() {
    local found
    found=$(wc -l <"$1")
    [ "$found" -eq "$2" ] || fail "$1 has $found lines, expected $2"
}

exists() {
    [ -e "$1" ] || fail "$1 is missing"
}

missing() {
    [ ! -e "$1" ] || fail "$1 should not be there"
}

# A gray picture of 8 × 8 pixels: draw FILE SEED.
draw() {
    local i
    {
        printf 'P2\n8 8\n255\n'
        for ((i = 0; i < 64; ++i)); do
            printf '%d ' $(((i * $2 * 7 + $2 * 31) % 256))
        done
        printf '\n'
    } >"$1"
}

# PICTURES below DIR/CLASS for each class named: draw_classes DIR PICTURES CLASS…
draw_classes() {
    local folder=$1 count=$2 class i seed=1
    shift 2
    for class in "$@"; do
        mkdir -p "$folder/$class"
        for ((i = 0; i < count; ++i)); do
            draw "$folder/$class/$i.pgm" $((seed++))
        done
    done
}

# A model of two layers on 8 × 8 pixels, in a moment: small_model FILE [INPUT] [option…]
small_model() {
    local output=$1 input=${2:-pictures}
    shift "$(($# < 2 ? $# : 2))"
    expect 0 train "$input" -o "$output" --layers 6,4 --epochs 1 -b 8 -j 1 --quiet "$@"
}
