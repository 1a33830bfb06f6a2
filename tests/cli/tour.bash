# The whole tour, on some of the sample pictures: train, extract, enroll, recognize, evaluate, reconstruct, info.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

for digit in 0 1 4 7; do
    mkdir -p digits/$digit test/$digit
    for i in 00 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15; do
        cp "$samples/train/$digit/0$i.png" digits/$digit/
    done
    for i in 16 17 18 19; do
        cp "$samples/train/$digit/0$i.png" test/$digit/
    done
done

expect 0 train digits -o digits.stackae --layers 48,12 --epochs 60 -b 8 --log log.jsonl
empty out
has err "digits: 64 pictures, with labels"
has_not err "no better than the mean"

expect 0 extract test -m digits.stackae
lines out 17
[ "$(head -n 1 out)" = "filename,label,f0,f1,f2,f3,f4,f5,f6,f7,f8,f9,f10,f11" ] || fail "the header"
[ "$(sed -n 2,17p out | cut -d, -f1,2 | head -n 5)" = "test/0/016.png,0
test/0/017.png,0
test/0/018.png,0
test/0/019.png,0
test/1/016.png,1" ] || fail "the order of rows"

expect 0 enroll digits -m digits.stackae -o digits.gallery --metric cosine --false-accept 0.2
has out "64 pictures of 4 names"
expect 0 recognize test -g digits.gallery --threshold inf --k 3
lines out 17
right=$(awk -F, 'NR > 1 { split($1, part, "/"); if (part[2] == $2) ++n } END { print n + 0 }' out)
[ "$right" -ge 12 ] || fail "$right of 16 digits recognised, expected 12 at least"

expect 0 evaluate digits test -m digits.stackae --k 3 --json
lines out 1
for key in '"reconstruction":{"sse_per_image":' '"knn":{"accuracy":' '"k":3' '"baselines":{' \
    '"raw":{"knn_accuracy":' '"pca":{' '"confusion":[[' '"classes":[{' '"splits":1' '"test_pictures":16'; do
    has out "$key"
done
has_not out NaN
has_not out '"linear"'
expect 0 evaluate digits test -m digits.stackae --classifier linear --json
for key in '"knn":{"accuracy":' '"linear":{"accuracy":' '"c":' '"c_grid":[0.01,' '"folds":5'; do
    has out "$key"
done
share=$(sed 's/.*"linear":{"accuracy":\([0-9.]*\).*/\1/' out)
awk -v share="$share" 'BEGIN { exit !(share >= 0.75) }' || fail "a linear classifier's accuracy of $share"
expect 0 evaluate digits -m digits.stackae --splits 2 --classifier linear
has out "nearest neighbours"
has out "accuracy of a linear classifier"
has out "c (median)"
expect 0 evaluate digits test -m digits.stackae --classifier knn
has_not out "linear classifier"
has_not out mirrored
expect 0 evaluate digits test -m digits.stackae --mirror
has out "64 pictures to learn from (and mirrored), 16 to measure on"
expect 0 evaluate digits test -m digits.stackae --mirror --json
has out '"mirrored":true'
expect 1 evaluate digits test -m digits.stackae --classifier linear --memory 1K
has err "needed for 80 pictures of"
has err "1.0 KiB allowed"
expect 0 evaluate digits -m digits.stackae --splits 3
has out "3 random splits in halves of 32 and 32 pictures"
has out "reconstruction: squared error a picture"
has out "raw pixels"
has out "PCA of 12"
has out "confusion, in pictures"
# Pictures without labels: reconstruction alone, and null for what cannot be measured.
mkdir loose
cp test/1/*.png loose/
expect 0 evaluate digits loose -m digits.stackae --classifier linear --json
has out '"linear":{"accuracy":null'
expect 0 evaluate digits loose -m digits.stackae --json
has out '"accuracy":null'
has out '"labelled":false'
has_not out nan

expect 0 reconstruct test -m digits.stackae -o drawing.png
lines out 17
mean=$(awk -F, 'NR > 1 { s += $2 } END { printf "%d", s / (NR - 1) }' out)
expect 0 evaluate digits test -m digits.stackae
has out "$mean." # the mean of the printed errors is what evaluate reports
exists drawing.png
expect 0 info digits.stackae
has out "a model of 2 layers, checksum ok"
has out "classes      0, 1, 4, 7"

# A convolutional stack goes the same way.
expect 0 train digits -o conv.stackae --preset conv --convolutions 16@5:pool=2,24@3:grid=3 --code-size 8 \
    --patches 4000 -j 1 --quiet
for code in "1 $((24 * 24 * 16))" "2 $((12 * 12 * 16))" "4 $((9 * 24))" "6 8" "embedding 8"; do
    expect 0 extract test -m conv.stackae --layer "${code% *}"
    lines out 17
    [ "$(head -n 1 out | tr , '\n' | wc -l)" -eq $((2 + ${code#* })) ] || fail "the length of codes of ${code% *}"
    has_not out nan
done
expect 2 extract test -m conv.stackae --layer 9
empty out
has err '--layer: output: "9" found, embedding, wide, or 1 to 8 layers expected'
expect 0 reconstruct test -m conv.stackae -o conv.png
lines out 17
[ "$(head -c 4 conv.png | tail -c 3)" = PNG ] || fail "conv.png is no PNG"
expect 0 enroll digits -m conv.stackae -o conv.gallery --metric cosine --false-accept 0.2
expect 0 recognize test -g conv.gallery --threshold inf --k 3
right=$(awk -F, 'NR > 1 { split($1, part, "/"); if (part[2] == $2) ++n } END { print n + 0 }' out)
[ "$right" -ge 12 ] || fail "$right of 16 digits recognised by the convolutional stack, expected 12 at least"
expect 0 info conv.stackae
# What does not fit the pictures is said before anything is learnt.
expect 1 train digits -o big.stackae --preset conv --convolutions 16@5:pool=2,24@13:grid=1 --quiet
has err "layer 3: conv2d: an input of 12 x 12 x 16 found, at least 13 x 13 positions expected"
missing big.stackae
expect 2 train digits -o big.stackae --convolutions 16@5:pol=2
has err "pol=2"
