# Results go to stdout alone, files appear whole, and what cannot be written is said.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

draw_classes pictures 4 ann bob
small_model model.stackae
empty out
empty err # quiet

expect 0 extract pictures/ann/0.pgm -m model.stackae
empty err
lines out 2
[ "$(head -n 1 out)" = "filename,f0,f1,f2,f3" ] || fail "the header of one picture"
expect 0 extract pictures -m model.stackae --layer 1 --normalize l2
[ "$(head -n 1 out)" = "filename,label,f0,f1,f2,f3,f4,f5" ] || fail "the header of a folder and layer 1"
awk -F, 'NR > 1 { s = 0; for (i = 3; i <= NF; ++i) s += $i * $i; if (s < 0.9999 || s > 1.0001) exit 1 }' out ||
    fail "codes are not of length 1"
mv out first
expect 0 extract pictures -m model.stackae --layer embedding
mv out embedding
expect 0 extract pictures -m model.stackae
cmp -s out embedding || fail "another code than the first output's without --layer"
cmp -s out first && fail "the code of layer 1 is that of the whole stack"
for layer in 3 0 wide; do
    expect 2 extract pictures -m model.stackae --layer $layer
    empty out
    has err "--layer: output: \"$layer\" found, embedding, or 1 to 2 layers expected"
done
expect 0 extract pictures -m model.stackae --format libsvm
lines out 8
expect 0 extract pictures -m model.stackae --format jsonl
lines out 8
has out '"features":['
for ending in csv npy libsvm jsonl; do
    expect 0 extract pictures -m model.stackae -o features.$ending
    empty out
    exists features.$ending
    has err "wrote features.$ending"
    has err ": 8 rows of 4 features"
done
expect 0 extract pictures -m model.stackae -o projector/
lines projector/tensors.tsv 8
has projector/projector_config.json '"imagePath":"sprite.png"'
exists projector/sprite.png
expect 0 extract pictures -m model.stackae -o plain/ --no-sprite
missing plain/sprite.png
has_not plain/projector_config.json sprite
# Several tables of one run.
expect 0 extract pictures -m model.stackae -o one.csv --also two.npy,three.faiss,four.parquet --manifest m.csv
has err "wrote one.csv and two.npy and two.npy.csv and three.faiss and three.faiss.csv and four.parquet: 8 rows"
cmp two.npy.csv three.faiss.csv
cmp two.npy features.npy
lines one.csv 9
expect 0 extract pictures -m model.stackae --also two.npz
lines out 9
exists two.npz
expect 2 extract pictures -m model.stackae -o one.csv --also one.csv
has err "one.csv"
expect 2 extract pictures -m model.stackae -o one.csv --also two.arff
has err "two.arff: no feature format by its ending"
expect 2 extract pictures -m model.stackae --format parquet
has err "needs a file"
expect 0 embed pictures -m model.stackae -o -
lines out 9

has_not features.csv row,filename # of the .npy: its side file has a name of its own
exists features.npy.csv
printf 'no picture' >text.png
for command in extract reconstruct; do
    expect 1 $command text.png -m model.stackae
    empty out
done
mkdir hollow
expect 3 extract hollow pictures/ann/0.pgm -m model.stackae
lines out 2

# Nothing that is read is replaced, nor one output by another.
cp pictures/ann/0.pgm x.png
cp model.stackae kept.stackae
for command in "reconstruct x.png -o x.png -m model.stackae" "extract x.png --manifest ./x.png -m model.stackae" \
    "extract pictures -m model.stackae -o model.stackae --format csv" "enroll pictures -m model.stackae -o model.stackae" \
    "extract pictures -m model.stackae -o a.csv --manifest $PWD/a.csv" "train pictures -o pictures/ann/0.pgm" \
    "extract pictures -m model.stackae -o a.npy --manifest a.npy.csv" "train pictures -o x.stackae --log x.stackae" \
    "train pictures -o x.png" "extract pictures -m model.stackae -o pictures/ann/0.pgm --format csv" \
    "reconstruct x.png -m model.stackae -o q.jpg" "info model.stackae --filters q.jpg"; do
    expect 2 $command
    empty out
done
cmp -s x.png pictures/ann/0.pgm || fail "an input was replaced"
cmp -s model.stackae kept.stackae || fail "the model was replaced"

# A disk that is full.
for command in "extract pictures -m model.stackae" "reconstruct pictures -m model.stackae" \
    "info model.stackae" "evaluate pictures -m model.stackae --splits 1" "help" "train pictures --dry-run"; do
    last="$command > /dev/full"
    "$program" $command >/dev/full 2>err </dev/null
    code=$?
    [ "$code" -eq 1 ] || fail "exit code $code on a full disk, expected 1"
    has err "stackae: "
done
expect 1 extract pictures -m model.stackae -o /dev/full
expect 0 extract pictures -m model.stackae -o /dev/null

# Folders that are missing, and files that are folders.
expect 1 extract pictures -m model.stackae -o nowhere/features.csv
has err "nowhere/features.csv"
expect 1 extract pictures -m model.stackae --manifest nowhere/manifest.csv
empty out
has err "nowhere/manifest.csv"
expect 1 reconstruct pictures -m model.stackae -o nowhere/drawing.png
empty out

# A failure leaves the old file as it was.
printf 'old' >features.csv
expect 1 extract pictures -m no_model.stackae -o features.csv
is features.csv old
expect 1 extract pictures -m features.csv -o features.csv
is features.csv old
has err "features.csv"
head -c 400 model.stackae >cut.stackae
expect 1 extract pictures -m cut.stackae -o features.csv
has err "cut.stackae"
is features.csv old
expect 1 info cut.stackae
empty out
ls -A | grep -q '^\.\|tmp' && fail "a temporary file was left behind: $(ls -A)"

# Whoever reads the results stops early: an error, not a death by a signal, and no manifest of what did not arrive.
for ((i = 0; i < 2000; ++i)); do printf 'pictures/ann/%d.pgm\n' $((i % 4)); done >long.txt
last="extract long.txt --manifest broken.csv | head -n 1"
{
    "$program" extract long.txt -m model.stackae --manifest broken.csv --quiet 2>err
    echo $? >code
} | head -n 1 >out
is code 1
has err "Broken pipe"
missing broken.csv
# The same for a file that may not grow, and for streams that are closed.
last="extract long.txt -o limited.csv, at most 1 KiB"
(ulimit -f 1 && exec "$program" extract long.txt -m model.stackae -o limited.csv --quiet 2>err)
is err "stackae: limited.csv: cannot write: File too large"
missing limited.csv
# In every format, with the system's own words.
for ending in csv npy libsvm jsonl npz h5 parquet faiss; do
    last="extract long.txt -o full.$ending, at most 1 KiB"
    (ulimit -f 1 && exec "$program" extract long.txt -m model.stackae -o full.$ending --quiet 2>err)
    [ $? -eq 1 ] || fail "exit code where the file may not grow"
    has err "full.$ending: "
    has err "File too large"
    missing full.$ending
done
last="extract pictures >&-"
"$program" extract pictures -m model.stackae --manifest closed.csv >&- 2>err
[ $? -eq 1 ] || fail "exit code with stdout closed"
missing closed.csv
last="extract pictures -o closed.csv with all streams closed"
"$program" extract pictures -m model.stackae -o closed.csv --manifest kept.csv <&- >&- 2>&-
[ $? -eq 0 ] || fail "exit code with all streams closed"
lines closed.csv 9
lines kept.csv 9
ls -A | grep -q '^\.' && fail "a temporary file was left behind: $(ls -A)"

# What a manifest tells of is there: it waits for the output.
rm -f kept.csv
expect 1 extract pictures -m model.stackae -o /dev/full --manifest kept.csv
missing kept.csv
expect 1 recognize pictures -g model.stackae --manifest kept.csv
missing kept.csv

# What a killed run left beside a file that an option names is seen to before the file is read.
mkdir beside
expect 0 extract pictures -m model.stackae -o beside/rows.npy
cp model.stackae beside
: >beside/.stackae-commit
expect 0 extract pictures -m beside/model.stackae
missing beside/.stackae-commit
: >beside/.stackae-commit
expect 1 info model.stackae --filters filters.png --pictures beside/rows.npy
missing beside/.stackae-commit

# Names that are not UTF-8 are written in UTF-8 everywhere.
mkdir odd
cp pictures/ann/0.pgm odd/$'caf\xe9.pgm'
for command in "extract odd" "extract odd --format jsonl" "reconstruct odd"; do
    expect 0 $command -m model.stackae --manifest manifest.csv
    has manifest.csv 'caf\xe9.pgm'
    iconv -f UTF-8 -t UTF-8 out manifest.csv >/dev/null || fail "not UTF-8"
done

expect 0 reconstruct pictures -m model.stackae -o drawing.png --limit 3 --columns 2
[ "$(head -n 1 out)" = "path,squared_error" ] || fail "the header of reconstruct"
lines out 9
has err "drew the first 3 pictures in drawing.png"
[ "$(head -c 4 drawing.png | tail -c 3)" = PNG ] || fail "drawing.png is no PNG"
expect 0 info model.stackae --filters filters.png
[ "$(head -c 4 filters.png | tail -c 3)" = PNG ] || fail "filters.png is no PNG"
exit 0
