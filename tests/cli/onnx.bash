# Models for other programs.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

model="$samples"/../models/digits.stackae
expect 0 export "$model" -o digits.onnx
has err "wrote digits.onnx"
# The encoder has 784 x 100 + 100 + 100 x 64 + 64 values.
[[ $(wc -c <digits.onnx) -gt $((4 * 84964)) ]] || fail "a graph without its weights"
grep -q stackae.identity digits.onnx || fail "no metadata"
expect 0 export "$model" -o again.onnx
cmp -s digits.onnx again.onnx || fail "another graph"
expect 0 export "$model" -o decoder.onnx --decoder
expect 0 export "$model" -o first.onnx --output-name 1 --input-type float32 --opset 17

# Of a table: a value an item, by the items' names.
printf 'user,item\n' >table.csv
for user in 1 2 3 4 5 6 7 8; do
    for item in tea milk bread; do printf 'u%s,%s\n' $user $item$((user % 3)); done
done >>table.csv
expect 0 train table.csv -o table.stackae
expect 0 export table.stackae -o table.onnx
grep -q '"bread0"' table.onnx || fail "no names of items"

expect 0 export table.stackae -o scores.onnx --autoencoder
grep -q scores scores.onnx || fail "no scores"

# Of a gallery: distances, by names.
mkdir known
cp -r "$samples"/train/1 "$samples"/train/7 known
expect 0 enroll known -m "$model" -o two.gallery
expect 0 export two.gallery -o names.onnx
grep -q 'stackae.names' names.onnx || fail "no names"
grep -q '\["1","7"\]' names.onnx || fail "other names"
expect 0 export two.gallery -m "$model" -o again.onnx
cmp -s names.onnx again.onnx || fail "another graph of a gallery"
expect 2 export "$model" -m "$model" -o none.onnx
has err "-m is for a gallery"
expect 1 export two.gallery -o none.onnx --decoder
has err "gives distances alone"
expect 1 export two.gallery -m "$samples"/../models/photos.stackae -o none.onnx
has err "the gallery was made with model"
expect 2 export two.gallery -o two.gallery
missing none.onnx

# Of what good pictures look like: a map, and a score.
expect 0 memorize "$samples"/train/1 "$samples"/train/7 -o good.memory
expect 0 export good.memory -o map.onnx
grep -q stackae.threshold map.onnx || fail "no threshold"
expect 0 export good.memory -o score.onnx --output-name score
expect 1 export good.memory -o none.onnx --output-name embedding
has err "map or score expected"
expect 1 export good.memory -o none.onnx --decoder
has err "which rebuilds nothing"
missing none.onnx

# What cannot be.
expect 2 export "$model" -o none.onnx --decoder --autoencoder
has err "one of them expected"
expect 2 export
has err "export needs one MODEL, GALLERY or PATCH-MEMORY"
expect 2 export "$model"
has err "export needs -o FILE.onnx"
expect 2 export "$model" -o digits.txt
has err "a name that ends in .onnx expected"
cp "$model" own.onnx
expect 2 export own.onnx -o own.onnx
cmp -s "$model" own.onnx || fail "a model that is replaced by its graph"
ln -s own.onnx link.onnx
expect 2 export own.onnx -o link.onnx
cmp -s "$model" own.onnx || fail "a model that is replaced through a link"
expect 2 export "$model" -o digits.onnx --opset 9
expect 2 export "$model" -o digits.onnx --input-type int4
has err "uint8"
expect 1 export "$model" -o none.onnx --output-name nothing
has err '"nothing" found'
missing none.onnx
expect 1 export nothing.stackae -o none.onnx
echo kept >kept.onnx
expect 1 export "$model" -o kept.onnx --output-name nothing
is kept.onnx "kept"
