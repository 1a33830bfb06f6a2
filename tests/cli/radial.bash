# Radial units over a code: a layer of their own for linear classifiers; all else goes on with the code.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

for digit in 0 1 4 7; do
    mkdir -p digits/$digit
    cp "$samples/train/$digit/00"?.png "$samples/train/$digit/01"?.png digits/$digit/
done
stack=(--preset conv --convolutions 12@5:pool=2:share=0.25,16@3:grid=2 --code-size 6 --patches 4000)

expect 0 train digits "${stack[@]}" --radial 40 --dry-run
has out "stack        28x28x1 -> 12x12x12 -> 2x2x16 -> 6 -> 40"
grep -q '^  layer 4, radial units .*6 .*40 ' out || fail "the plan of layer 4"
planned=$(sed -n 's/^parameters *//p' out)
expect 0 train digits -o radial.stackae "${stack[@]}" --radial 40 --validation 0.25 -j 1
has err "layer 4/4: 6 -> 40 radial units at most"
has err "wrote radial.stackae: 28x28x1 -> 12x12x12 -> 2x2x16 -> 6 -> 40, $planned parameters"
accuracy=$(sed -n 's/^  4 .* 40 *\([0-9]*\)\.. %.*/\1/p' err)
[ "$accuracy" -ge 70 ] || fail "an accuracy of $accuracy % by layer 4, 70 at least expected"
expect 0 train digits -o plain.stackae "${stack[@]}" --radial 0 --validation 0.25 -j 1

expect 0 info radial.stackae
has out "a model of 4 layers, checksum ok"
has out "code         6 values, scaled to length 1 unless --normalize says otherwise"
grep -q '^  4 .*6 .*40 .*40 at a time .*1$' out || fail "the radial units"
expect 0 info radial.stackae --json
has out '"radial":{"block":40,'
has out '"depth":4'
expect 0 info radial.stackae --filters filters.png --layer 4
has err "drew 40 of 40 units of layer 4"
mv filters.png decoded.png
expect 0 info radial.stackae --filters filters.png --layer 4 --pictures digits
has err "drew 40 of 40 units of layer 4"
cmp -s filters.png decoded.png && fail "the pictures made no difference"

# Without a layer named, it is the code, the same as in a stack without them.
expect 0 extract digits -m plain.stackae
mv out plain.csv
expect 0 extract digits -m radial.stackae
cmp -s out plain.csv || fail "radial units changed the code"
expect 0 extract digits -m radial.stackae --layer 4
[ "$(head -n 1 out | tr -cd , | wc -c)" -ge 40 ] || fail "40 values a picture"
expect 2 extract digits -m radial.stackae --layer 5
has err "--layer 5: the model has layers 1 to 4"
expect 0 reconstruct digits/0/000.png -m radial.stackae -o rebuilt.png
expect 0 enroll digits -m radial.stackae -o code.gallery
expect 0 info code.gallery
has out "codes        layer 3, 6 values"
expect 0 enroll digits -m radial.stackae -o wide.gallery --layer 4
expect 0 recognize digits/1/000.png -g wide.gallery
awk -F, 'NR == 2 { exit !($2 == "1") }' out || fail "a digit of the gallery is not itself"
expect 0 evaluate digits -m radial.stackae --splits 2 --classifier linear --layer 4 --json
accuracy=$(sed -n 's/.*"linear":{"accuracy":\(0\.[0-9]\|1\).*/\1/p' out)
case $accuracy in 0.[89] | 1) ;; *) fail "linear accuracy $accuracy on digits, 0.8 at least expected" ;; esac

# Without a layer named, neighbours are by the code and the linear classifier by the radial units.
linear() { grep -o '"linear":{[^}]*}' out; }
neighbours() { grep -o '"knn":{[^}]*}' out; }
of_radial=$(linear)
[[ $of_radial == *'"code_size":40'* ]] || fail "a linear classifier of 40 values"
expect 0 evaluate digits -m radial.stackae --splits 2 --classifier linear --layer 3 --json
of_code=$(neighbours)
[[ $(linear) == *'"code_size":6'* ]] || fail "a linear classifier of 6 values"
expect 0 evaluate digits -m radial.stackae --splits 2 --classifier linear --json
[ "$(linear | sed 's/,"of_radial":true//')" = "${of_radial/,\"of_radial\":false/}" ] || fail "a linear classifier of other features than the radial units"
[ "$(neighbours)" = "$of_code" ] || fail "neighbours by something else than the code"
expect 0 evaluate digits "$samples/recognize" -m radial.stackae --mirror --classifier linear --layer 4 --json
of_radial=$(linear)
expect 0 evaluate digits "$samples/recognize" -m radial.stackae --mirror --classifier linear --json
[ "$(linear | sed 's/,"of_radial":true//')" = "${of_radial/,\"of_radial\":false/}" ] || fail "two sets, mirrored"
expect 1 evaluate digits -m radial.stackae --classifier linear --memory 6K
has err "and 40 radial units, 6.0 KiB allowed"
expect 0 evaluate digits -m radial.stackae --splits 2 --classifier linear
has out "accuracy of a linear classifier of the 40 radial units"

bare=(--preset conv --convolutions 12@5:pool=2:share=0.25,16@3:grid=2 --code-size 0 --patches 4000)
expect 2 train digits "${bare[@]}" --radial 40 -o none.stackae
has err "radial_units: 40 found, 0 without a code_size expected"
[ ! -e none.stackae ] || fail "a model was written all the same"
expect 2 train digits "${bare[@]}" --radial 4096 -o none.stackae # the preset's own number, but asked for
expect 0 train digits "${bare[@]}" --dry-run
has out "stack        28x28x1 -> 12x12x12 -> 2x2x16"
exit 0
