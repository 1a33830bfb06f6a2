# An encoding that is killed or stopped goes on from its checkpoint: no row twice, none missing, the same bytes.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

draw_classes pictures 150 ann bob eve
small_model model.stackae pictures
small_model other.stackae pictures --seed 3
echo "no picture" >pictures/bob/17.pgm
extract=(extract pictures nowhere -m model.stackae -b 5)
enroll=(enroll pictures -m model.stackae -b 5)

# Runs a command with --resume until it comes to its end, killed at moments of all kinds: until_done FILE COMMAND…
until_done() {
    local file=$1 kills=0 moment delay
    shift
    for ((moment = 20; moment < 60000; moment += moment / 4)); do
        delay=$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))
        last="$* --resume, killed after $delay s"
        { timeout -s KILL "$delay" "$program" "$@" --resume --checkpoint-every 0 >out 2>err </dev/null; } 2>/dev/null
        [ $? -eq 137 ] || break
        kills=$((kills + 1))
    done
    [ "$kills" -gt 1 ] || fail "killed $kills times only"
    "$program" "$@" --resume >out 2>err </dev/null
    missing "$file.ckpt"
}

expect 3 "${extract[@]}" -o whole.csv --manifest whole.manifest
missing whole.csv.ckpt
until_done pieces.csv "${extract[@]}" -o pieces.csv --manifest pieces.manifest
cmp -s whole.csv pieces.csv || fail "the table is another one"
cmp -s whole.manifest pieces.manifest || fail "the manifest is another one"
expect 3 "${enroll[@]}" -o whole.gallery
until_done pieces.gallery "${enroll[@]}" -o pieces.gallery
cmp -s whole.gallery pieces.gallery || fail "the gallery is another one"
expect 0 enroll --rebuild whole.gallery -m other.stackae -o rebuilt.gallery
until_done pieces.gallery enroll --rebuild pieces.gallery -m other.stackae -b 5
cmp -s rebuilt.gallery pieces.gallery || fail "the gallery that was rebuilt is another one"

# One that is interrupted says how to go on; nothing is begun anew over it.
inputs=()
for _ in $(seq 60); do
    inputs+=(pictures)
done
interrupted stopped.csv.ckpt/000000000000.codes extract "${inputs[@]}" -m model.stackae -b 1 -o stopped.csv --checkpoint-every 0 --resume
expect 0 info stopped.csv.ckpt
has out "pictures     the first "
has out " rows of 4 values"
expect 2 extract "${inputs[@]}" -m model.stackae -o stopped.csv
has err "stopped.csv.ckpt holds codes of a run that was stopped"
printf 'user,item\np,a\np,b\nq,b\nq,c\nr,a\n' >shop.csv
expect 0 train shop.csv --stack edlae -o shop.stackae -q
for resume in '' --resume; do
    expect 2 recommend -m shop.stackae --all -o stopped.csv $resume
    has err "stopped.csv.ckpt holds codes of a run that was stopped, recommendations expected"
    exists stopped.csv.ckpt/000000000000.codes
done
expect 1 extract "${inputs[@]}" -m model.stackae -o stopped.csv --resume --layer 1
has err "stopped.csv.ckpt: the checkpoint is of another run: layer: 1 found, 2 in the checkpoint"

# What is asked for must be possible.
expect 2 "${extract[@]}" --resume
has err "--resume needs a file as the output"
expect 2 "${extract[@]}" --resume -o /dev/null --format csv
expect 3 "${extract[@]}" --resume -o fresh.csv
has err "there is no fresh.csv.ckpt: the run begins at the beginning"
cmp -s whole.csv fresh.csv || fail "the table is another one"
touch held.csv.ckpt
expect 2 "${extract[@]}" -o held.csv
has err "held.csv.ckpt: a file of that name is there and is no checkpoint"
rm held.csv.ckpt
mkdir held.csv.ckpt
touch held.csv.ckpt/.DS_Store
expect 3 "${extract[@]}" -o held.csv --checkpoint-every 0
has err "the folder held.csv.ckpt stays: other files are in it"
has_not err warning
