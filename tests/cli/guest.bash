# What the program takes of a machine that it shares.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

# Threads that wait for others spin briefly, unless the user has said how they wait.
spins_briefly() {
    unset OMP_WAIT_POLICY GOMP_SPINCOUNT KMP_BLOCKTIME
    export OMP_DISPLAY_ENV=verbose
    expect 0 --version
    has err "GOMP_SPINCOUNT = '1000'"
    GOMP_SPINCOUNT=5 expect 0 --version
    has err "GOMP_SPINCOUNT = '5'"
    OMP_WAIT_POLICY=active expect 0 --version
    has_not err "GOMP_SPINCOUNT = '1000'"
    has err "OMP_WAIT_POLICY = 'ACTIVE'"
    OMP_WAIT_POLICY=passive expect 0 --version
    has err "GOMP_SPINCOUNT = '0'"

    # Neither an empty environment nor an odd name of the program hinders that; arguments come through.
    env -i OMP_DISPLAY_ENV=verbose "$program" info --presets >out 2>err || fail "an empty environment"
    has err "GOMP_SPINCOUNT = '1000'"
    has out "hinton2006"
    (exec -a 'a name' env -i X=1 OMP_DISPLAY_ENV=verbose "$program" no 'such command') >out 2>err
    [ $? -eq 2 ] || fail "the exit code in an empty environment"
    has err "there is no command 'no'"
    unset OMP_DISPLAY_ENV
}
# (In the thread sanitizer's build no loop of ours is OpenMP's.)
grep -q __tsan_init "$program" || spins_briefly

# A command within an address space of so many KiB: limited KIB CODE ARGUMENT…
limited() {
    (
        ulimit -v "$1"
        shift
        expect "$@"
    ) || exit 1
}

# A plan is reckoned by shapes alone: what would not fit is refused before any of it is there. (A sanitizer reserves
# more addresses than the limit leaves, so that the program cannot begin.)
draw_classes pictures 6 ann bob
plain=yes
grep -qE '__(a|t)san_init' "$program" && plain=
[ -z "$plain" ] || for stack in "--convolutions 1000000@5" "--convolutions 100000@2:pool=1,100000@2:grid=1" "--layers 1000000,1000000" \
    "--layers 900000 --img-size 4096" "--layers 200000,200000,200000,9 --tied --fine-tune 3"; do
    # shellcheck disable=SC2086
    limited 1200000 1 train pictures $stack --dry-run
    has out "iB needed of 585.9 MiB allowed (half of what this process may take)"
    has out "time         -"
    has err "training is refused: "
    # shellcheck disable=SC2086
    limited 1200000 1 train pictures $stack -o refused.stackae
    has err "iB to work with the layers of this stack found, 585.9 MiB expected at most"
    missing refused.stackae
done
expect 0 train pictures --layers 6,4 --dry-run --memory 64M
has out "needed of 64.0 MiB allowed"
has_not out "half of"
expect 1 train pictures --layers 6,4 -o refused.stackae --memory 10K
has err "expected at most"
missing refused.stackae

# Little memory changes nothing but what is held at a time.
small_model model.stackae
expect 0 train pictures -o little.stackae --layers 6,4 --epochs 1 -b 8 -j 1 --quiet --memory 2M
identity() { "$program" info "$1" | grep '^identity'; }
[ "$(identity model.stackae)" = "$(identity little.stackae)" ] || fail "--memory changed the model"
expect 0 extract pictures -m model.stackae -o all.csv
expect 0 extract pictures -m model.stackae -o few.csv --memory 1M
cmp -s all.csv few.csv || fail "--memory changed the features"

# Every other command refuses what it knows to be too much, by both numbers.
expect 0 enroll pictures -m model.stackae -o people.gallery
for command in "extract pictures" "reconstruct pictures -o out.png" "info model.stackae --filters out.png --layer 2" \
    "enroll pictures -o other.gallery" "recognize pictures -g people.gallery" "evaluate pictures"; do
    model=(-m model.stackae)
    [[ $command == info* ]] && model=()
    # shellcheck disable=SC2086
    expect 1 $command "${model[@]}" --memory 100
    has err " needed "
    has err "100 bytes allowed"
done
missing out.png
missing other.gallery
expect 2 extract pictures -m model.stackae --memory 0
has err "is not an amount of memory"
