# A training that is killed or stopped goes on from its checkpoint, and ends with the same bytes.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

draw_classes pictures 12 ann bob
options=(--stack 'conv2d:4:kernel=3:patches=1000, pool2d:2, dense:6, dense:4' -b 4 -j 1 --fine-tune 20)
long=("${options[@]}" --epochs 100000)
short=("${options[@]}" --epochs 50)
options+=(--epochs 40)

expect 0 train pictures -o whole.stackae "${options[@]}"
missing whole.stackae.ckpt

# Killed again and again, at moments of all kinds.
kills=0
for delay in 0.02 0.05 0.03 0.08 0.11 0.05 0.14 0.2 0.09 0.3; do
    last="train --resume, killed after $delay s"
    { timeout -s KILL "$delay" "$program" train pictures -o pieces.stackae "${options[@]}" --resume \
        --checkpoint-every 0 >out 2>err </dev/null; } 2>/dev/null && break
    kills=$((kills + 1))
done
[ "$kills" -gt 2 ] || fail "killed $kills times only"
expect 0 train pictures -o pieces.stackae "${options[@]}" --resume
cmp -s whole.stackae pieces.stackae || fail "the model is another one"
missing pieces.stackae.ckpt

# A model that is finished stays as it is.
expect 0 train pictures -o pieces.stackae "${options[@]}" --resume
has err "pieces.stackae is finished, of pictures of these names: nothing to go on with"
expect 2 train pictures -o pieces.stackae "${short[@]}" --resume
has err "pieces.stackae is finished, and of another training: epochs: 50 found, 40 in the model"
expect 2 train pictures -o /dev/null "${options[@]}" --resume
has err "--resume needs a file as the output"
expect 2 train pictures -o fresh.stackae "${options[@]}" --log fresh.stackae.ckpt
cmp -s whole.stackae pieces.stackae || fail "the model has changed"
expect 0 train pictures -o fresh.stackae "${options[@]}" --resume
has err "there is no fresh.stackae.ckpt: training begins at the beginning"

# One that was interrupted says how to go on; nothing is begun anew over it.
"$program" train pictures -o stopped.stackae "${long[@]}" --checkpoint-every 0.1s >out 2>err </dev/null &
process=$!
last="train, interrupted"
until grep -qF "layer 3, dense epoch" err; do
    kill -0 $process 2>/dev/null || fail "it ended too early"
    sleep 0.05
done
until [ -e stopped.stackae.ckpt ]; do
    kill -0 $process 2>/dev/null || fail "it ended before there was a checkpoint"
    sleep 0.05
done
cp err first.err
expect 1 train pictures -o stopped.stackae "${long[@]}" --resume
has err "stopped.stackae.ckpt: another training that is under way has it"
cp first.err err
kill -TERM $process
wait $process
[ $? -eq 130 ] || fail "exit code of an interrupted training"
has err "--resume goes on with stopped.stackae.ckpt"
exists stopped.stackae.ckpt
cp stopped.stackae.ckpt before.ckpt
expect 2 train pictures -o stopped.stackae "${long[@]}"
has err "stopped.stackae.ckpt holds a training that has come to layer 3, dense"
expect 1 train pictures -o stopped.stackae "${short[@]}" --resume
has err "stopped.stackae.ckpt: the checkpoint is of another training: epochs: 50 found, 100000 in the checkpoint"
draw pictures/ann/0.pgm 999
expect 1 train pictures -o stopped.stackae "${long[@]}" --resume
has err "the checkpoint is of other pictures: other values found, those in the checkpoint"
rm pictures/ann/0.pgm
expect 1 train pictures -o stopped.stackae "${long[@]}" --resume
has err "pictures: others by name or label found"
cmp -s stopped.stackae.ckpt before.ckpt || fail "a run that was refused changed the checkpoint"

expect 0 info stopped.stackae.ckpt
has out "finished     2 of 4 layers"
has out "under way    layer 3, dense, stage"
expect 0 info --json stopped.stackae.ckpt
has out '"kind":"checkpoint"'
head -c 2000 before.ckpt >stopped.stackae.ckpt
expect 2 train pictures -o stopped.stackae "${long[@]}" --resume
has err "stopped.stackae.ckpt: a file of that name is there and is no whole checkpoint"

# The dry run says how large a checkpoint is, and writes none.
expect 0 train pictures -o dry.stackae "${options[@]}" --dry-run
has out "checkpoint "
missing dry.stackae.ckpt
