# Stacks with convolutional layers, from the plan to what their units look for.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

for digit in 0 1 4 7; do
    mkdir -p digits/$digit
    cp "$samples/train/$digit/00"?.png "$samples/train/$digit/01"?.png digits/$digit/
done
stack=(--preset conv --convolutions 12@5:pool=2:activation_rate=0.25,16@3:grid=2:max --code-size 6 --nystroem 0 --patches 4000)

# Without options, the pictures settle the stack.
expect 0 train digits --dry-run
has err "auto: 80 pictures of 28 x 28 pixels, about "
has err " of 15:00 min allowed"
has out "stack        conv2d:64:kernel=7:activation_rate=0.3, pool2d:2, conv2d:128:kernel=3:activation_rate=0.3, pool2d:grid=3:window=triangular, power_norm, pca:32:"
has out "preset       auto"
grep -q '^extraction   [0-9,]* pictures a second' out || fail "the speed of extraction"
expect 2 train digits --preset auto --epochs 3
has err "--preset auto chooses the stack; --epochs is for another preset"
expect 2 train digits --budget 5m --preset conv
has err "--budget is for --preset auto; --preset conv settles the stack"

# What it will cost, before anything is trained.
expect 0 train digits "${stack[@]}" --dry-run
has out "stack        conv2d:12:activation_rate=0.25:patches=4000, pool2d:2, conv2d:16:kernel=3:patches=4000, pool2d:grid=2:mode=maximum, power_norm, pca:6:eigen_power=-0.25:std_shrinkage=0.3, l2_norm"
grep -q '^  layer 1, conv2d .*28 x 28 x 1 .*24 x 24 x 12 ' out || fail "the plan of layer 1"
grep -q '^  layer 3, conv2d .*12 x 12 x 12 .*10 x 10 x 16 ' out || fail "the plan of layer 3"
grep -q '^  layer 6, pca .*2 x 2 x 16 .*6 values ' out || fail "the plan of the code"
grep -q '^  reconstruction .*6 values .*28 x 28 x 1 .*5,488 ' out || fail "the plan of the head"
planned=$(sed -n 's/^parameters *//p' out)
expect 1 train digits --preset conv --convolutions 12@5,16@13 --dry-run
has err "layer 3: conv2d: an input of 12 x 12 x 12 found, at least 13 x 13 positions expected"

expect 0 train digits -o conv.stackae "${stack[@]}" --validation 0.25 -j 1 --log log.jsonl
empty out
has err "stack: conv2d:12:activation_rate=0.25:patches=4000, pool2d:2, "
has err "layer 1, conv2d: 28 x 28 x 1 -> 24 x 24 x 12"
has err "layer 1, conv2d rebuilds its input:  loss "
has err "layer 3, conv2d: 12 x 12 x 12 -> 10 x 10 x 16"
has err "layer 6, pca: 2 x 2 x 16 -> 6 values"
has err "reconstruction: 6 values -> 28 x 28 x 1"
has err "wrote conv.stackae: 7 layers, $planned parameters"
has_not err "is not used"

# Which layer's codes tell the classes apart, on the pictures held out; the labels touch nothing else.
has err "which layer: accuracy of the 5 nearest neighbours on 20 labelled pictures held out, among 60 others"
for layer in "2 .*1728" "5 .*64" "7 .*6"; do
    grep -q "^  $layer .*[0-9] % .*[0-9] %$" err || fail "the accuracy of layer ${layer%% *}"
done
recommended=$(sed -n 's/^layer \([257]\) (kNN .* on 20 pictures held out) — recommended: --layer \1.*/\1/p' err)
[ -n "$recommended" ] || fail "no layer is recommended"
accuracy=$(sed -n 's/^layer [257] (kNN \([0-9]*\)\..*/\1/p' err)
[ "$accuracy" -ge 80 ] || fail "an accuracy of $accuracy % on digits, 80 at least expected"
grep -q "\"event\":\"outputs\".*\"recommended\":$recommended" log.jsonl || fail "the layers in the log"
expect 0 info conv.stackae
has out "recommended: --layer $recommended"
expect 0 info conv.stackae --json
has out "\"recommended_depth\":$recommended"
has out '"accuracies":[{"'
identity() { "$program" info "$1" | grep '^identity'; }
mkdir unlabelled
for digit in 0 1 4 7; do
    for picture in digits/$digit/*; do
        cp $picture unlabelled/$digit-${picture##*/}
    done
done
expect 0 train unlabelled -o unlabelled.stackae "${stack[@]}" --validation 0.25 -j 1
has_not err "nearest neighbours on"
[ "$(identity conv.stackae)" = "$(identity unlabelled.stackae)" ] || fail "labels changed the weights"
expect 0 info unlabelled.stackae --json
has out '"accuracies":[]'
has out '"recommended_depth":null'
# A picture that cannot be read shifts nobody's label.
cp digits/0/000.png whole.png
printf 'no picture' >digits/0/000.png
expect 3 train digits -o skipping.stackae "${stack[@]}" --validation 0.25 -j 1
has err "on 19 labelled pictures held out, among 60 others"
accuracy=$(sed -n 's/^layer [257] (kNN \([0-9]*\)\..*/\1/p' err)
[ "$accuracy" -ge 75 ] || fail "an accuracy of $accuracy % with a picture skipped, 75 at least expected"
mv whole.png digits/0/000.png
expect 0 train digits -o all.stackae "${stack[@]}" --validation 0 -j 1
has_not err "nearest neighbours on"

# What is in it.
expect 0 info conv.stackae
has out "a model of 7 layers, checksum ok"
has out "outputs      embedding: layer 7, 6 values"
has out "rebuilds     from layer 6 by ridge_decoder:28:width=28"
has out "trained on   80 pictures, "
grep -q '^  1 .*28 x 28 x 1 .*24 x 24 x 12 .*  conv2d:12:activation_rate=0.25:' out || fail "the first layer"
grep -q '^  4 .*10 x 10 x 16 .*2 x 2 x 16 .*  pool2d:grid=2:mode=maximum$' out || fail "the second pooling"
grep -q '^  6 .*2 x 2 x 16 .*6 values .*  pca:6:' out || fail "the code"
grep -q '^  layer 1, conv2d .*[0-9]' out || fail "the training of the first layer"
expect 0 info conv.stackae --json
for key in '"input":[28,28,1]' '"output":[24,24,12]' '"activation_rate":0.25' '"type":"l2_norm"' \
    '"outputs":[{"code_size":6,"depth":7,"name":"embedding"}]' '"depth":7'; do
    has out "$key"
done

# A stack that ends in an l2_norm gives codes of length 1; others are scaled where that is asked for.
unit_length() { # of all rows of ./out: prints yes or no
    awk -F, 'NR > 1 { s = 0; for (i = 3; i <= NF; ++i) s += $i * $i; if (s < 0.9999 || s > 1.0001) bad = 1 }
        END { print bad ? "no" : "yes" }' out
}
for wanted in "yes " "yes --layer embedding" "yes --normalize none" "no --layer 6" "yes --layer 6 --normalize l2"; do
    expect 0 extract digits -m conv.stackae ${wanted#* }
    [ "$(unit_length)" = "${wanted%% *}" ] || fail "codes of length 1 by '${wanted#* }': expected ${wanted%% *}"
done
small_model plain.stackae digits
expect 0 extract digits -m plain.stackae
[ "$(unit_length)" = no ] || fail "a stack without an l2_norm had its codes scaled"
expect 0 enroll digits -m conv.stackae -o scaled.gallery --false-accept 0.2 --normalize l2
expect 0 enroll digits -m conv.stackae -o raw.gallery --false-accept 0.2
expect 0 info scaled.gallery
has out "scaled to length 1"
expect 0 info raw.gallery
has_not out "scaled to length 1"
for gallery in scaled raw; do # pictures are added as those that are there were
    expect 0 enroll digits/0/000.png --name 0 --append -o $gallery.gallery
done
expect 0 info raw.gallery
has_not out "scaled to length 1"
for gallery in scaled raw; do # a picture is at no distance from itself, so both are compared alike
    expect 0 recognize digits/1/000.png -g $gallery.gallery
    awk -F, 'NR == 2 { exit !($2 == "1" && $3 < 0.001) }' out || fail "a picture of the gallery is not itself"
done
# Evaluation compares codes likewise; what is rebuilt is rebuilt from the codes as they are.
figures() { expect 0 evaluate digits -m conv.stackae --splits 2 --json "$@"; }
figures
cp out plain.json
has out '"l2_normalize":false'
figures --normalize none
cmp -s out plain.json || fail "evaluate scales codes that nobody asked to be scaled"
figures --normalize l2
has out '"l2_normalize":true'
error_of() { grep -o '"reconstruction":{[^}]*}' "$1"; }
[ "$(error_of out)" = "$(error_of plain.json)" ] || fail "reconstruction depends on --normalize"

# What its units look for: of patches, of what is decoded, of pictures.
for layer in 1 2 6; do
    expect 0 info conv.stackae --filters filters.png --layer $layer
    [ "$(head -c 4 filters.png | tail -c 3)" = PNG ] || fail "filters.png is no PNG"
    mv filters.png decoded$layer.png
    expect 0 info conv.stackae --filters filters.png --layer $layer --pictures digits
    has err "units of layer $layer in filters.png"
    cmp -s filters.png decoded$layer.png && fail "the pictures made no difference"
done
expect 0 info conv.stackae --filters filters.png
has err "drew 12 of 12 units of layer 1"
cmp -s filters.png decoded1.png || fail "layer 1 is the default"
expect 0 info conv.stackae --filters filters.png --layer embedding
has err "drew 6 of 6 units of layer 7"
expect 2 info conv.stackae --filters filters.png --layer 8
has err "embedding, or 1 to 7 layers expected"
expect 2 info conv.stackae --layer 1
has err "--layer needs --filters"
expect 2 info conv.stackae --pictures digits
expect 2 info conv.stackae --filters digits/0/000.png --pictures digits
printf 'no picture' >digits/0/broken.png
expect 3 info conv.stackae --filters filters.png --pictures digits
has err "broken.png"
rm digits/0/broken.png

# The comparison of layers can be left out, and what a stack in closed form does not use is told.
expect 0 train digits -o plain.stackae "${stack[@]}" --no-power-norm --no-comparison --lr 0.1 --epochs 3
has err "warning: --lr is not used: nothing is learnt by gradients"
has err "warning: --epochs is not used"
has_not err "nearest neighbours on"
expect 0 info plain.stackae
has_not out "power_norm"
has_not out "nearest neighbours on"
expect 0 info conv.stackae
has out "  power_norm"
exit 0
