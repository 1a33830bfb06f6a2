# Nystroem features over a code: a layer of their own for linear classifiers; all else goes on with the code.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

for digit in 0 1 4 7; do
    mkdir -p digits/$digit
    cp "$samples/train/$digit/00"?.png "$samples/train/$digit/01"?.png digits/$digit/
done
stack=(--preset conv --convolutions 12@5:pool=2:activation_rate=0.25,16@3:grid=2 --code-size 6 --patches 4000)

expect 0 train digits "${stack[@]}" --nystroem 40 --dry-run
has out "pca:6:eigen_power=-0.25:std_shrinkage=0.3, l2_norm, nystroem:40"
grep -q '^  layer 8, nystroem .*6 values .*40 values ' out || fail "the plan of layer 8"
planned=$(sed -n 's/^parameters *//p' out)
expect 0 train digits -o nystroem.stackae "${stack[@]}" --nystroem 40 --validation 0.25 -j 1
has err "layer 8, nystroem: 6 values -> 40 values"
has err "wrote nystroem.stackae: 8 layers, $planned parameters"
accuracy=$(sed -n 's/^  8 .* 40 *\([0-9]*\)\.. %.*/\1/p' err)
[ "$accuracy" -ge 70 ] || fail "an accuracy of $accuracy % by layer 8, 70 at least expected"
expect 0 train digits -o plain.stackae "${stack[@]}" --nystroem 0 --validation 0.25 -j 1

expect 0 info nystroem.stackae
has out "a model of 8 layers, checksum ok"
grep -q 'nystroem:40' out || fail "the landmarks"
expect 0 info nystroem.stackae --json
has out '"n_landmarks":40'
has out '{"code_size":40,"depth":8,"name":"wide"}'
expect 0 info nystroem.stackae --filters filters.png --layer wide
has err "drew 40 of 40 units of layer 8"
mv filters.png decoded.png
expect 0 info nystroem.stackae --filters filters.png --layer wide --pictures digits
has err "drew 40 of 40 units of layer 8"
cmp -s filters.png decoded.png && fail "the pictures made no difference"

# Without a layer named, it is the code, the same as in a stack without them.
expect 0 extract digits -m plain.stackae
mv out plain.csv
expect 0 extract digits -m nystroem.stackae
cmp -s out plain.csv || fail "landmarks changed the code"
expect 0 extract digits -m nystroem.stackae --layer wide
[ "$(head -n 1 out | tr -cd , | wc -c)" -ge 40 ] || fail "40 values a picture"
expect 2 extract digits -m nystroem.stackae --layer 9
has err "\"9\" found, embedding, wide, or 1 to 8 layers expected"
expect 0 reconstruct digits/0/000.png -m nystroem.stackae -o rebuilt.png
expect 0 enroll digits -m nystroem.stackae -o code.gallery
expect 0 info code.gallery
has out "codes        layer 7, 6 values"
expect 0 enroll digits -m nystroem.stackae -o wide.gallery --layer wide
expect 0 recognize digits/1/000.png -g wide.gallery
awk -F, 'NR == 2 { exit !($2 == "1") }' out || fail "a digit of the gallery is not itself"
expect 0 evaluate digits -m nystroem.stackae --splits 2 --classifier linear --layer wide --json
accuracy=$(sed -n 's/.*"linear":{"accuracy":\(0\.[0-9]\|1\).*/\1/p' out)
case $accuracy in 0.[89] | 1) ;; *) fail "linear accuracy $accuracy on digits, 0.8 at least expected" ;; esac

# Without an output named, neighbours are by the first, the embedding, and the linear classifier by the last.
linear() { grep -o '"linear":{[^}]*}' out; }
neighbours() { grep -o '"knn":{[^}]*}' out; }
of_wide=$(linear)
[[ $of_wide == *'"code_size":40'* ]] || fail "a linear classifier of 40 values"
expect 0 evaluate digits -m nystroem.stackae --splits 2 --classifier linear --layer embedding --json
of_code=$(neighbours)
[[ $(linear) == *'"code_size":6'* ]] || fail "a linear classifier of 6 values"
expect 0 evaluate digits -m nystroem.stackae --splits 2 --classifier linear --json
[ "$(linear | sed 's/,"output":"wide"//')" = "${of_wide/,\"output\":\"\"/}" ] || fail "a linear classifier of another output than the last"
[ "$(neighbours)" = "$of_code" ] || fail "neighbours by something else than the code"
expect 0 evaluate digits "$samples/recognize" -m nystroem.stackae --mirror --classifier linear --layer wide --json
of_wide=$(linear)
expect 0 evaluate digits "$samples/recognize" -m nystroem.stackae --mirror --classifier linear --json
[ "$(linear | sed 's/,"output":"wide"//')" = "${of_wide/,\"output\":\"\"/}" ] || fail "two sets, mirrored"
expect 1 evaluate digits -m nystroem.stackae --classifier linear --memory 6K
has err "with codes of 6 and 40 (wide), 6.0 KiB allowed"
expect 0 evaluate digits -m nystroem.stackae --splits 2 --classifier linear
has out "accuracy of a linear classifier of wide, 40 values"

bare=(--preset conv --convolutions 12@5:pool=2:activation_rate=0.25,16@3:grid=2 --code-size 0 --patches 4000)
expect 0 train digits "${bare[@]}" --dry-run
has out "conv2d:16:kernel=3:patches=4000, pool2d:grid=2
"
expect 0 train digits "${bare[@]}" --nystroem 40 --dry-run
has out "pool2d:grid=2, nystroem:40
"
exit 0
