# Every input is accounted for: what cannot be read is named and counted, and shifts no row.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

draw_classes pictures 4 ann bob
small_model model.stackae

# One that is missing is an error; among several it is left out.
expect 1 extract nowhere.png -m model.stackae
empty out
has err "stackae: nowhere.png: "
expect 3 extract pictures/ann/0.pgm nowhere.png pictures/bob/1.pgm -m model.stackae --manifest manifest.csv
lines out 3
has err "stackae: skipped nowhere.png: "
has err "stackae: 1 of 3 pictures were skipped"
lines manifest.csv 4
[ "$(sed -n 1,2p manifest.csv)" = "path,row,label,status,reason
pictures/ann/0.pgm,0,,ok," ] || fail "the manifest's first lines"
grep -q '^nowhere.png,,,missing,' manifest.csv || fail "the missing picture is not in the manifest"
has manifest.csv "pictures/bob/1.pgm,1,,ok,"

# A damaged picture in a folder.
head -c 150 "$samples/train/3/000.png" >pictures/ann/broken.png
printf 'no picture' >pictures/bob/text.png
expect 3 extract pictures -m model.stackae --manifest manifest.csv -o features.csv
empty out
has err "skipped pictures/ann/broken.png: "
has err "2 of 10 pictures were skipped"
lines features.csv 9
lines manifest.csv 11
grep -q '^pictures/ann/broken.png,,ann,corrupt,..*' manifest.csv || fail "the broken picture in the manifest"
grep -q '^pictures/bob/text.png,,bob,[a-z]*,..*' manifest.csv || fail "the text in the manifest"
[ "$(grep -c ',ok,$' manifest.csv)" -eq 8 ] || fail "rows in the manifest"
has manifest.csv "pictures/bob/3.pgm,7,bob,ok,"
# The same vector alone, in any company and at any batch size.
"$program" extract pictures/bob/3.pgm -m model.stackae 2>err | tail -n 1 | cut -d, -f2- >alone
grep '^pictures/bob/3.pgm,' features.csv | cut -d, -f3- >within
[ -s alone ] || fail "no vector"
awk -F, 'NR == FNR { for (i = 1; i <= NF; ++i) a[i] = $i; n = NF; next }
         { if (NF != n) exit 1; for (i = 1; i <= NF; ++i) { d = a[i] - $i; if (d > 1e-5 || d < -1e-5) exit 1 } }' \
    alone within || fail "a picture has another vector alone than in a folder"
expect 3 extract pictures -m model.stackae -b 1 -j 1 --quiet
lines out 9
has err "skipped" # quiet is silent about progress, not about what is missing

# Training leaves them out as well.
expect 3 train pictures -o other.stackae --layers 4 --epochs 1 --manifest manifest.csv
has err "2 of 10 pictures were skipped"
lines manifest.csv 11
expect 0 info other.stackae
has out "trained on   8 pictures, "
expect 3 evaluate pictures -m model.stackae --splits 2 --manifest manifest.csv
lines manifest.csv 11
expect 3 reconstruct pictures -m model.stackae
lines out 9

# Nothing that can be used is a failure, and the manifest tells why.
expect 1 extract pictures/bob/text.png -m model.stackae --manifest manifest.csv -o nothing.csv
has err "none of the one picture could be used"
missing nothing.csv
lines manifest.csv 2
mkdir -p bad/x
for i in $(seq 25); do printf 'no' >bad/x/$i.png; done
expect 1 extract bad -m model.stackae
[ "$(grep -c '^stackae: skipped ' err)" -eq 20 ] || fail "not 20 pictures named"
has err "and 5 more"
has err "none of the 25 pictures could be used"

# More pixels than allowed.
expect 3 extract pictures/ann/0.pgm "$samples/train/3/000.png" -m model.stackae --max-pixels 100
has err "too_large"

# Names of all kinds.
mkdir -p "dîr, \"x\""
draw "dîr, \"x\"/ü 日本.pgm" 3
draw -dash.pgm 4
expect 0 extract "dîr, \"x\"/ü 日本.pgm" -m model.stackae
grep -q '^"dîr, ""x""/ü 日本.pgm",' out || fail "the name is not quoted as RFC 4180 asks"
expect 0 extract -m model.stackae -- -dash.pgm
grep -q '^-dash.pgm,' out || fail "a path after -- is a path"
expect 0 extract "dîr, \"x\"" -m model.stackae
lines out 2
# A pipe in a list is no picture, and not waited for; one that is named itself is read.
mkfifo never.png
printf 'pictures/ann/0.pgm\nnever.png\n' >piped.txt
expect 3 extract piped.txt -m model.stackae
has err "skipped never.png: a pipe found, a regular file expected (unreadable)"
lines out 2
last="extract <(cat pictures/ann/0.pgm)"
"$program" extract <(cat pictures/ann/0.pgm) -m model.stackae >out 2>err || fail "a picture from a pipe"
lines out 2

# A list, with labels of its own.
printf '# a comment\npictures/ann/0.pgm\tAnn Lee\n-dash.pgm\tBob\n' >list.txt
expect 0 extract list.txt -m model.stackae
grep -q '^filename,label,f0,f1,f2,f3$' out || fail "the header"
grep -q ',Ann Lee,' out || fail "a label of the list"

# Rows of numbers of any range: standardised, trained on, encoded, rebuilt and measured without an option.
row_of() { # row_of SEED: eight floats of very different size, little-endian
    awk -v seed="$1" 'BEGIN { srand(seed); for (i = 0; i < 8; ++i) {
        # a float by its bits: the exponent grows with the column, the fraction is random
        f = int(rand() * 8388608); e = 125 + i; s = rand() < 0.5 ? 128 : 0
        printf "%c%c%c%c", f % 256, int(f / 256) % 256, int(f / 65536) % 128 + (e % 2) * 128, s + int(e / 2) } }'
}
{
    header="{'descr': '<f4', 'fortran_order': False, 'shape': (64, 8), }"
    printf '\223NUMPY\001\000\166\000%-117s\n' "$header"
    for seed in $(seq 64); do LC_ALL=C row_of "$seed"; done
} >rows.npy
[ "$(stat -c %s rows.npy)" -eq $((128 + 64 * 32)) ] || fail "rows.npy was not made as it should be"
expect 0 train rows.npy -o rows.stackae --layers 4 --epochs 2 --fine-tune 0
has err "standardized"
expect 0 extract rows.npy -m rows.stackae
lines out 65
has_not out nan
expect 0 reconstruct rows.npy -m rows.stackae -o rows.png
lines out 65
expect 0 evaluate rows.npy -m rows.stackae --splits 2

# With no option the code is shorter than a row, and what was held out is rebuilt no worse than by PCA, which is said.
expect 0 train rows.npy -o default.stackae --validation 0.25 --log rows.jsonl
has err "dense:4:activation=linear"
has err "reconstruction of 16 rows held out"
has err "PCA of 4 numbers"
has_not err "rebuilds rows better"
grep -q '"event":"reconstruction"' rows.jsonl || fail "the log's line of reconstruction"
expect 0 info default.stackae --json
has out '"reconstruction":{"components":4,"mean":'
expect 0 train rows.npy -o worse.stackae --layers 4 --epochs 1 --fine-tune 0 --validation 0.25 --retries 0
has err "warning: PCA of 4 numbers rebuilds rows better than this stack; --stack pca:4"
expect 0 train rows.npy -o whole.stackae --validation 0
has err "reconstruction is not compared with PCA: no rows are held out"
expect 1 train rows.npy -o none.stackae --no-standardize --layers 4
has err "0 to 1 expected (training with --standardize takes any finite range)"
