# Training: what it says, what it leaves behind, and how it ends early.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

draw_classes pictures 6 ann bob

# Refused before any work: the folder is missing.
expect 1 train pictures -o nowhere/model.stackae
has err "nowhere/model.stackae: cannot be written: there is no folder nowhere"
has_not err "epoch"
expect 2 train pictures -o pictures
has err "would replace the input"
expect 1 train nothing -o model.stackae
has err "nothing"
mkdir hollow
expect 1 train hollow -o model.stackae
missing model.stackae

# A dry run writes nothing.
expect 0 train pictures -o dry.stackae --layers 6,4 --epochs 3 --fine-tune 2 --dry-run
missing dry.stackae
has out "stack        dense:6, dense:4:activation=linear"
has out "parameters   $((64 * 6 * 2 + 6 + 64 + 6 * 4 * 2 + 4 + 6))"
has out "memory       "
has out "fine-tuning"
missing models

# A run: how pictures are preprocessed and why, a line an epoch, a log line an epoch and one for the outcome.
expect 0 train pictures --layers 6,4 --epochs 2,3 --fine-tune 1 -b 4 --validation 0.25 --log log.jsonl
empty out
has err "pictures: 12 pictures, with labels"
has err "preprocessing: gray (all pictures looked at are gray), 8 x 8 pixels (the pictures' median, at most 64): 64 values"
has err "layer 1, dense: 8 x 8 x 1 -> 6 values, 2 epochs"
[ "$(grep -c '^layer 1, dense epoch .*loss .*validation .*mean .*dead ' err)" -eq 2 ] || fail "epochs of layer 1"
[ "$(grep -c '^layer 2, dense epoch .*mean ' err)" -eq 3 ] || fail "epochs of layer 2"
[ "$(grep -c '^fine-tuning epoch ' err)" -eq 1 ] || fail "epochs of fine-tuning"
has err "wrote models/pictures.stackae: 2 layers, "
exists models/pictures.stackae
has_not err $'\r' # no bar where nobody watches
# One for the layers' accuracies too; how many checkpoints are worth it depends on the time that things take.
[ "$(grep -vc '"event":"checkpoint"' log.jsonl)" -eq 8 ] || fail "lines of the log"
[ "$(grep -c '"event":"epoch"' log.jsonl)" -eq 6 ] || fail "epochs in the log"
tail -n 1 log.jsonl | grep -q '"event":"done"' || fail "the log's last line"
expect 0 info models/pictures.stackae --json
has out '"interrupted":false'
has out '"class_names":["ann","bob"]'
has out "dense:4:activation=linear:epochs=3"

# The same run gives the same model.
small_model one.stackae pictures --seed 7
small_model two.stackae pictures --seed 7
small_model three.stackae pictures --seed 8
identity() { "$program" info "$1" | grep '^identity'; }
[ "$(identity one.stackae)" = "$(identity two.stackae)" ] || fail "the same seed, another model"
[ "$(identity one.stackae)" != "$(identity three.stackae)" ] || fail "another seed, the same model"

# Divergence ends with advice and spares the model that is there.
cp one.stackae kept.stackae
expect 1 train pictures -o kept.stackae --layers 6 --activations linear --output-activation linear \
    --loss squared_error --epochs 200 -b 4 --optimizer sgd --lr 1000 --schedule constant --retries 0 \
    --log log.jsonl
has err "stackae: "
cmp -s one.stackae kept.stackae || fail "a diverged run replaced the model"
tail -n 1 log.jsonl | grep -q '"event":"diverged"' || fail "the log's last line after divergence"

# Unless there are further tries: then another rate is taken, which is said, and stays in the model.
expect 0 train pictures -o rescued.stackae --layers 6 --activations relu --output-activation linear \
    --loss squared_error --epochs 5 -b 4 --optimizer sgd --lr 30 --schedule constant --retries 5 --log log.jsonl
has err "warning: layer 1, dense: the loss ran away at a learning rate of 30; tried again at 3"
grep -q '"remark":"the loss ran away at a learning rate of 30; tried again at 3"' log.jsonl || fail "the log's remark"
expect 0 info rescued.stackae
has out "layer 1, dense, epoch 1: the loss ran away at a learning rate of 30; tried again at 3"

# Ctrl-C keeps what was learnt: exit 130, and the model can be used. Also by SIGTERM.
for signal in INT TERM; do
    last="train … & kill -$signal"
    "$program" train pictures -o stopped.stackae --layers 6,4 --epochs 1,1000000 -b 4 --log log.jsonl \
        >out 2>err </dev/null &
    process=$!
    for _ in $(seq 600); do
        grep -q '"stage":"layer 2, dense"' log.jsonl 2>/dev/null && break
        sleep 0.1
    done
    kill -$signal $process
    wait $process
    code=$?
    [ "$code" -eq 130 ] || fail "exit code $code after SIG$signal, expected 130"
    empty out
    has err "interrupted; kept 2 of 2 layers in stopped.stackae"
    tail -n 1 log.jsonl | grep -q '"event":"interrupted"' || fail "the log's last line after SIG$signal"
    expect 0 extract pictures/ann/0.pgm -m stopped.stackae
    lines out 2
    expect 0 info stopped.stackae
    has out "training was interrupted"
    rm -f stopped.stackae stopped.stackae.ckpt log.jsonl
done
# Before the first epoch has ended there is nothing to keep.
"$program" train "$samples/train" -o stopped.stackae --layers 2000,2000 -b 1 >out 2>err </dev/null &
process=$!
for _ in $(seq 600); do
    grep -q '^layer 1, dense: ' err && break
    sleep 0.05
done
kill -INT $process
wait $process
code=$?
[ "$code" -eq 130 ] || fail "exit code $code, expected 130"
has err "interrupted; --resume goes on with stopped.stackae.ckpt"
missing stopped.stackae

# A finished model is not replaced by what an interrupted run kept.
cp one.stackae finished.stackae
rm -f log.jsonl
"$program" train pictures -o finished.stackae --layers 4 --epochs 1000000 -b 4 --log log.jsonl >out 2>err </dev/null &
process=$!
for _ in $(seq 600); do
    grep -q '"stage":"layer 1, dense"' log.jsonl 2>/dev/null && break
    sleep 0.1
done
kill -INT $process
wait $process
[ $? -eq 130 ] || fail "the exit code, expected 130"
has err "in finished.partial.stackae; the finished model finished.stackae is as it was"
cmp -s one.stackae finished.stackae || fail "the finished model was replaced"
exists finished.partial.stackae
rm finished.stackae.ckpt

# What will be replaced is said before; a name that nobody chose replaces no model of other pictures.
mkdir other && cp -r pictures other/pictures && mv other/pictures/ann other/pictures/eve
small=(--layers 6,4 --epochs 1 -b 8 -j 1)
expect 2 train other/pictures "${small[@]}"
has err "models/pictures.stackae is there (trained on 12 pictures of 2 classes, dense:6"
has err ", and this is other/pictures: name another file"
expect 0 info models/pictures.stackae
has out "classes      ann, bob"
expect 0 train "$PWD/pictures" "${small[@]}"
has err "models/pictures.stackae is there (trained on 12 pictures of 2 classes, dense:6"
has err " and will be replaced"
expect 0 train other/pictures -o models/pictures.stackae "${small[@]}"
has err " and will be replaced"
expect 0 info models/pictures.stackae
has out "classes      bob, eve"

# The model is safe before a side file can fail.
expect 1 train pictures -o safe.stackae "${small[@]}" --manifest /dev/full --log log.jsonl
has err "No space left on device; the model is in safe.stackae"
expect 0 info safe.stackae
expect 0 train pictures -o safe.stackae "${small[@]}" --log /dev/full
has err "the log cannot be written any more"

# Where its own file cannot be written, it is kept elsewhere.
here=$(pwd -P)
expect 1 train pictures -o /dev/full "${small[@]}"
has err "the model is in $here/full.kept.stackae instead"
expect 0 info full.kept.stackae
mkdir out.d && rm -f log.jsonl
"$program" train pictures -o out.d/model.stackae --layers 6,4 --epochs 1,1000000 -b 4 --log log.jsonl >out 2>err </dev/null &
process=$!
for _ in $(seq 600); do
    grep -q '"stage":"layer 2, dense"' log.jsonl 2>/dev/null && break
    sleep 0.1
done
mv out.d gone
kill -TERM $process
wait $process
[ $? -eq 1 ] || fail "the exit code, expected 1"
has err "out.d/model.stackae: "
has err "move it with: mv '$here/model.kept.stackae' 'out.d/model.stackae'"
has err "interrupted; kept 2 of 2 layers in $here/model.kept.stackae"
expect 0 extract pictures/ann/0.pgm -m model.kept.stackae

# Divergence of a higher layer leaves those below it.
diverging=(--layers 6,4 --activations linear --output-activation linear --loss squared_error --epochs 0,200 -b 4
    --optimizer sgd --lr 1000 --schedule constant --retries 0)
expect 1 train pictures -o below.stackae "${diverging[@]}" --log log.jsonl --manifest manifest.csv
has err "diverged: kept 1 of 2 layers in below.stackae"
has err "stackae: layer 2, dense, epoch "
tail -n 1 log.jsonl | grep -q '"event":"diverged".*kept 1 of 2 layers' || fail "the log's last line after divergence"
lines manifest.csv 13
expect 0 extract pictures/ann/0.pgm -m below.stackae
cp one.stackae finished.stackae
expect 1 train pictures -o finished.stackae "${diverging[@]}"
has err "diverged: kept 1 of 2 layers in finished.partial.stackae; the finished model finished.stackae is as it was"
cmp -s one.stackae finished.stackae || fail "a diverged run replaced the model"

# An old log stays until there is a line to replace it with.
printf 'old\n' >log.jsonl
"$program" train "$samples/train" -o killed.stackae --layers 2000,2000 -b 1 --log log.jsonl >out 2>err </dev/null &
process=$!
for _ in $(seq 600); do
    grep -q '^layer 1, dense: ' err && break
    sleep 0.05
done
kill -KILL $process
wait $process 2>/dev/null
has err "log.jsonl is there and will be replaced by the log of this run"
is log.jsonl old

# Pictures that cannot be told apart, and layers that may copy, are no success.
mkdir -p same/a same/b
for name in a/0 a/1 b/0 b/1; do
    draw same/$name.pgm 3
done
expect 0 train same -o same.stackae "${small[@]}"
has err "warning: all 4 pictures have the same values: nothing can be learnt that tells pictures apart"
has_not err "no better than the mean"
mkdir only
draw only/0.pgm 3
expect 0 train only -o only.stackae --layers 8,2 --epochs 2 --fine-tune 3 --fine-tune-from-pca --output-activation linear
has_not err "the loss rose"
expect 0 train pictures -o wide.stackae --layers 200,4 --epochs 1 --no-comparison
has err "warning: layer 1 has 200 units for 64 values, which may be copied and nothing learnt"

# A stack that cannot be taken back says so before anything is printed, and by its layer.
expect 0 train pictures -o norm.stackae --stack 'contrast_norm, pca:3' --no-comparison
expect 0 info norm.stackae
has out "rebuilds     nothing: layer 1, contrast_norm, cannot be inverted"
expect 1 reconstruct pictures -m norm.stackae
empty out
has err "norm.stackae: layer 1, contrast_norm, cannot be inverted"
expect 0 evaluate pictures -m norm.stackae --json
has out '"sse_per_image":null,"sse_per_image_deviation":null'

# What few pictures cut short is told before training, as it will be.
expect 0 train pictures --dry-run --stack 'pca:40, dense:2'
has err "layer 1, pca: 11 values, not 40 values: no more can be learnt from these pictures"
has out "layer 1, pca"
