# Odd pictures, and where in them.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

mkdir -p good odd
cp "$samples"/train/3/0[0-3]?.png good
cp "$samples"/train/8/00?.png odd
expect 0 memorize good -o threes.memory
has err "40 good pictures at 28 x 28 pixels"
has err "odd is: "
has err "oddest of the good pictures"
has err "of 40 good pictures 1 % of false alarms cannot be promised"
expect 0 memorize good -o again.memory
cmp -s threes.memory again.memory || fail "another memory"
expect 0 score odd --patch-memory threes.memory -o scores.csv
has scores.csv "path,score,threshold,anomalous,reconstruction"
has scores.csv "odd/000.png,"
[[ $(wc -l <scores.csv) == 11 ]] || fail "a row a picture expected"
expect 0 score odd --patch-memory threes.memory --sort --maps maps --raw-maps
sort -t, -k2,2gr <(tail -n +2 out) | cmp -s - <(tail -n +2 out) || fail "not the oddest first"
[[ -s maps/000000-000.png.png && -s maps/000009-009.png.npy ]] || fail "no maps"
expect 0 score odd --patch-memory threes.memory --json
has out '"anomalous":'
expect 4 score odd --patch-memory threes.memory --threshold -1000 --fail-on-findings
has err "10 of 10 pictures are odd"
expect 0 score odd --patch-memory threes.memory --threshold 1000 --fail-on-findings
expect 0 score odd --good good -o at_once.csv
cmp -s scores.csv at_once.csv || fail "a memory made in one go scores otherwise"
expect 0 evaluate --good good --odd odd
has err "20 good pictures at"
has out "area under the ROC"
has out "receiver operating characteristic"
expect 0 evaluate --good good --odd odd --patch-memory threes.memory --json
has out '"auroc":'
has out '"pro":null'
# A mask a picture: its brighter half.
expect 0 evaluate --good good --odd odd --patch-memory threes.memory --masks odd
has out "per-region overlap (PRO)"

# Pictures of different sizes and kinds, and such that are large beside their defects.
mkdir kinds
cp good/00[0-5].png "$samples"/photos/meadow.png kinds
expect 0 memorize kinds -o kinds.memory --codes 100
has err "good pictures of 28 to "
has err "some good pictures are gray and some coloured"
has err "a defect of a few pixels may be lost; memorize --tile 512"
mkdir photos
for copy in 1 2 3; do cp "$samples"/photos/dandelions.png photos/$copy.png; done
expect 0 memorize photos -o tiled.memory --codes 100 --tile 64
has err "3 good pictures at 160 x 90 pixels"
has err " of a tile of 8 x 8 positions"
has_not err "a defect of a few pixels"
expect 0 score photos --patch-memory tiled.memory
lines out 4
expect 2 memorize good -o tiled.memory --tile 8

# What cannot be.
expect 2 evaluate --good good --odd odd --patch-memory threes.memory --masks nowhere
has err "--masks nowhere: a folder expected, none found"
mkdir one two
cp good/000.png one
echo nothing >two/broken.png
cp good/00[0-4].png two
expect 1 memorize one -o one.memory
has err "1 good picture found, 3 or more expected"
[[ ! -e one.memory ]] || fail "a memory of nothing"
expect 3 memorize two -o two.memory --manifest manifest.csv
has manifest.csv "two/broken.png,,,"
expect 1 score odd --patch-memory "$samples"/train/3/000.png
expect 2 score odd
has err "score needs --patch-memory FILE, or --good"
expect 2 score odd --patch-memory threes.memory --good good
has err "not both"
expect 2 score odd --patch-memory threes.memory --threshold 1 --false-alarm 0.1
has err "not both"
expect 2 memorize good -o -
expect 1 memorize good -o threes.memory --stride 2
has err "stride: 2 found, 4 or more expected"
expect 1 memorize good -o threes.memory --stride 20
has err "stride: 20 found, 14 at most expected"
expect 2 memorize good
expect 2 memorize good -o threes.memory --method sideways
has err "auto, memory, gaussian or reconstruction expected"
echo mine >mine.txt
expect 2 memorize good -o mine.txt
has err "it is not replaced"
is mine.txt "mine"
expect 2 evaluate --good good
has err "both, --good and --odd"
head -c 3000 threes.memory >cut.memory
expect 1 score odd --patch-memory cut.memory
has err "cut.memory"

expect 2 score odd --patch-memory good
has err "--patch-memory good: a folder found, a file that memorize has written expected"

# What has no meaning there, and what would be lost.
expect 2 score odd --patch-memory threes.memory --method gaussian
has err "--method: a memory of --patch-memory has its own already"
cp good/000.png region.png
expect 2 score odd --good good --region region.png -o region.png
cmp -s region.png good/000.png || fail "the region was replaced"
expect 2 score odd --good good -o good/001.png
expect 2 score odd --patch-memory threes.memory -o odd/000.png
expect 2 score odd --patch-memory threes.memory --maps good
has err "found, a new folder expected, or one of maps alone"
expect 2 score . --patch-memory threes.memory --maps maps
has err "--maps maps: a folder apart from . expected"
expect 2 score odd --patch-memory threes.memory --maps maps -o maps/scores.csv
has err "-o maps/scores.csv found, a file that is not in the folder of --maps expected"
touch maps/999999999999999999999999-x.png
expect 2 score odd --patch-memory threes.memory --maps maps
rm maps/999999999999999999999999-x.png
expect 0 score odd/000.png --patch-memory threes.memory --maps maps
[[ $(ls maps) == 000000-000.png.png ]] || fail "maps of an earlier run"
# A list through a pipe.
printf 'odd/000.png\nodd/001.png\n' | "$program" score /dev/stdin --patch-memory threes.memory >out 2>err ||
    fail "a list through a pipe"
[[ $(wc -l <out) == 3 ]] || fail "two rows of a list expected"
mkdir mixed
cp good/00[0-9].png mixed
echo nothing >mixed/broken.png
expect 3 score odd/000.png --good mixed
has err "skipped mixed/broken.png"

# A model of one's own: the memory outlives its file.
expect 0 train good -o own.stackae --stack conv2d:16:kernel=5,pool2d:2,conv2d:16:kernel=3,pool2d:2 --quiet
expect 0 memorize good -m own.stackae -o own.memory --layer 2
rm own.stackae
expect 0 score good --patch-memory own.memory
has err "of 40 pictures are odd"
expect 0 info own.memory
has out "a patch memory, checksum ok"
expect 0 info own.memory --json
has out '"kind":"patch memory"'
has out '"oddest_good":[{"path":"good/'

# One that is interrupted says how to go on, and then prints and draws what it would have at once.
for _ in $(seq 20); do ls good/*.png; done >many.txt
scoring=(score many.txt --patch-memory threes.memory)
expect 0 "${scoring[@]}" -o at_once.csv --maps whole
expect 0 "${scoring[@]}" -o stopped.csv --maps pieces --resume
has err "there is no stopped.csv.ckpt: the run begins at the beginning"
missing stopped.csv.ckpt
rm -r stopped.csv pieces
interrupted stopped.csv.ckpt/000000000000.scores "${scoring[@]}" -o stopped.csv --maps pieces --checkpoint-every 0
expect 0 info stopped.csv.ckpt
has out "the checkpoint of scores that are under way"
expect 0 info stopped.csv.ckpt --json
has out '"kind":"scores"'
expect 2 "${scoring[@]}" -o stopped.csv --maps pieces
has err "stopped.csv.ckpt holds scores of a run that was stopped"
expect 1 "${scoring[@]}" -o stopped.csv --maps others --resume
has err "the checkpoint is of another run: maps: "
mv pieces/000001-001.png.png gone.png
expect 1 "${scoring[@]}" -o stopped.csv --maps pieces --resume
has err "pieces/000001-001.png.png: not found, a map that the run that was stopped had drawn expected"
mv gone.png pieces/000001-001.png.png
expect 2 extract good -o stopped.csv --resume
has err "stopped.csv.ckpt holds scores of a run that was stopped, codes expected"
touch pieces/000799-last.png
expect 0 "${scoring[@]}" -o stopped.csv --maps pieces --resume
has err "taken from the run that was stopped: the first "
cmp -s at_once.csv stopped.csv || fail "other scores than at once"
diff -r whole pieces >/dev/null || fail "other maps than at once"
missing stopped.csv.ckpt
