# A gallery outlives its model: its pictures are encoded anew by another.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

draw_classes pictures 3 ann 'Lee, "Bob"' $'M\xfcller'
small_model model.stackae
expect 0 train pictures -o new.stackae --layers 5,3 --epochs 1 -b 8 -j 1 --quiet
draw_classes more 2 cy
enroll_as() { # enroll_as MODEL GALLERY: of two folders and the rows of an array
    expect 0 enroll more pictures -m "$1" -o "$2" --metric cosine --normalize l2 --false-accept 0.05
    expect 0 enroll t10k-images-idx3-ubyte -o "$2" --append
}
{ # two pictures of 8 × 8 with the labels 7 and 9
    printf '\0\0\10\3\0\0\0\2\0\0\0\10\0\0\0\10'
    for ((i = 0; i < 128; ++i)); do printf "\\x$(printf %02x $((i * 37 % 256)))"; done
} >t10k-images-idx3-ubyte
printf '\0\0\10\1\0\0\0\2\7\11' >t10k-labels-idx1-ubyte
enroll_as model.stackae people.gallery
enroll_as new.stackae fresh.gallery

# It is the gallery that the new model would have made: names, paths, their order, what pictures are compared by.
cp people.gallery before
rm model.stackae
expect 0 enroll --rebuild people.gallery -m new.stackae -o other.gallery
has out "other.gallery: 13 pictures of 6 names"
has err "encoded anew: 13 of 13 pictures by new.stackae, 3 values a picture; before 4"
cmp -s before people.gallery || fail "-o names another file, and the gallery changed"
cmp -s fresh.gallery other.gallery || fail "other.gallery is not the new model's"
expect 0 enroll --rebuild people.gallery -m new.stackae
cmp -s fresh.gallery people.gallery || fail "people.gallery is not the new model's"
expect 0 recognize pictures/ann/2.pgm -g people.gallery --threshold inf
grep -qE '^pictures/ann/2.pgm,ann,' out || fail "ann is not recognised"
# What is named goes over what was kept.
expect 0 enroll --rebuild before -m new.stackae -o other.gallery --metric l2 --normalize none --layer 1 --quiet
expect 0 info other.gallery --json
for kept in '"depth":1' '"code_size":5' '"l2_normalize":false' '"metric":"l2"' '"false_accept_rate":0.05'; do
    has out "$kept"
done

# refused TEXT: rebuilding ends with 1 and that text, and the gallery is as it was.
refused() {
    cp before people.gallery
    expect 1 enroll --rebuild people.gallery -m new.stackae --manifest manifest.csv
    has err "$1"
    has err "nothing was changed"
    empty out
    cmp -s before people.gallery || fail "the gallery changed"
}
# A picture that is gone, or damaged: nothing is lost unless that is asked for.
mv more/cy/1.pgm away.pgm
mv $'pictures/M\xfcller/2.pgm' away2.pgm
refused 'skipped more/cy/1.pgm: No such file or directory (missing)'
has err 'skipped pictures/M\xfcller/2.pgm: No such file or directory (missing)'
has err "people.gallery: 2 of its 13 pictures cannot be encoded anew"
lines manifest.csv 3
mv away2.pgm $'pictures/M\xfcller/2.pgm'
mv away.pgm more/cy/1.pgm
head -c 20 pictures/ann/1.pgm >cut.pgm
cp pictures/ann/1.pgm whole.pgm
cp cut.pgm pictures/ann/1.pgm
refused 'skipped pictures/ann/1.pgm: '
has err "1 of its 13 pictures"
grep -q '^pictures/ann/1.pgm,,ann,corrupt,' manifest.csv || fail "the damaged picture in the manifest"
rm t10k-images-idx3-ubyte
expect 3 enroll --rebuild people.gallery -m new.stackae --skip-missing
has err 'skipped t10k-images-idx3-ubyte#1: '
has err "3 of 13 pictures were skipped"
has out "people.gallery: 10 pictures of 4 names"
expect 0 info people.gallery --json
has out '"names":{"Lee, \"Bob\"":3,"M\\xfcller":3,"ann":2,"cy":2'

# Paths are seen from the current folder; where none is found nothing changes, whatever is asked for.
mkdir below
last="enroll --rebuild from another folder"
(cd below && "$program" enroll --rebuild ../before -m ../new.stackae -o new.gallery >../out 2>../err)
[ $? -eq 1 ] || fail "exit code"
has err "paths are seen from the current folder"
(cd below && "$program" enroll --rebuild ../before -m ../new.stackae -o new.gallery --skip-missing >../out 2>../err)
[ $? -eq 1 ] || fail "exit code"
has err "none of the 13 pictures could be used"
missing below/new.gallery

# A damaged picture that is restored is encoded by the run that goes on.
draw_classes others 6 ann bob
expect 0 enroll others -m new.stackae -o others.gallery
small_model model.stackae others
cp others.gallery resumed.gallery
expect 0 enroll --rebuild others.gallery -m model.stackae -o whole.gallery
mv others/bob/1.pgm spare.pgm
cp cut.pgm others/bob/1.pgm
rebuild=(enroll --rebuild resumed.gallery -m model.stackae -b 2 --checkpoint-every 0)
expect 1 "${rebuild[@]}"
has err "1 of its 12 pictures"
has err "--skip-missing --resume leaves them out"
cp -r resumed.gallery.ckpt kept.ckpt
cp resumed.gallery skipped.gallery
mv spare.pgm others/bob/1.pgm
expect 0 "${rebuild[@]}" --resume
has err "note: others/bob/1.pgm: was skipped and has changed since then"
cmp -s whole.gallery resumed.gallery || fail "resumed.gallery is not what it would have been at once"
missing resumed.gallery.ckpt

# A run that was killed when all was done but the removal of what it kept: it is told, and the gallery stays.
cp cut.pgm others/bob/1.pgm
rebuild[2]=skipped.gallery
expect 3 "${rebuild[@]}" --skip-missing
cp skipped.gallery done.gallery
mv kept.ckpt skipped.gallery.ckpt
expect 0 "${rebuild[@]}" --skip-missing --resume
has err "skipped.gallery is rebuilt already: nothing to go on with"
empty out
missing skipped.gallery.ckpt
cmp -s done.gallery skipped.gallery || fail "the gallery that was rebuilt changed"
# Another gallery that is replaced is named.
expect 0 enroll --rebuild skipped.gallery -m model.stackae -o others.gallery
has err "others.gallery is there already and will be replaced"

# What came through a pipe or device is not read from there again.
expect 0 enroll more -m new.stackae -o before
last="enroll /dev/stdin"
"$program" enroll /dev/stdin --name eve --append -o before <whole.pgm >out 2>err || fail "not enrolled"
refused "skipped /dev/stdin: came through a pipe or device, which cannot be read again (unreadable)"

# Wrong usage.
expect 2 enroll --rebuild before
has err "--rebuild needs -m MODEL"
expect 2 enroll pictures --rebuild before -m new.stackae
has err "--rebuild takes neither INPUT"
expect 2 enroll pictures -m new.stackae -o x.gallery --skip-missing
has err "--skip-missing is for --rebuild alone"
expect 2 enroll --rebuild before -m new.stackae -o new.stackae
has err "is no gallery; it is not replaced"
expect 2 enroll --rebuild before -m new.stackae -o x.gallery --manifest before
has err "--manifest before would replace the gallery"
expect 1 enroll --rebuild nowhere.gallery -m new.stackae
has err "nowhere.gallery"
expect 1 enroll --rebuild new.stackae -m new.stackae -o x.gallery
has err "new.stackae"
missing x.gallery
