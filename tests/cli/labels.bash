# Labels and groups from a file, in place of folders' names.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

draw_classes pictures 12 ann bob
{
    echo 'path,label,group'
    for ((i = 0; i < 12; ++i)); do
        echo "ann/$i.pgm,odd,p$((i / 4))"
        echo "bob/$i.pgm,even,q$((i / 4))"
    done
} >labels.csv
sed -i '/^bob.11/d' labels.csv
echo 'carl/0.pgm,odd,p9' >>labels.csv

expect 0 train pictures -o model.stackae --layers 6,4 --epochs 1 -b 8 --labels labels.csv
has err "labels.csv: 1 of 24 pictures has no line in it: pictures/bob/11.pgm"
has err "labels.csv: 1 of 24 lines names no picture: line 25, carl/0.pgm"
expect 0 info model.stackae --json
has out '"even"'
expect 0 extract pictures -m model.stackae --labels labels.csv -o features.csv
has features.csv "pictures/ann/0.pgm,odd,"
has features.csv "pictures/bob/11.pgm,,"
expect 0 evaluate pictures -m model.stackae --labels labels.csv --splits 3 --classifier linear
has out "groups 6, none of them parted"
has out "even"
expect 0 evaluate pictures pictures -m model.stackae --labels labels.csv --json
has out '"shared_groups":6'
expect 3 enroll pictures -o gallery -m model.stackae --labels labels.csv
has err "skipped pictures/bob/11.pgm"
expect 0 recognize pictures/ann/3.pgm -g gallery -m model.stackae
has out "pictures/ann/3.pgm,odd,0"
# A manifest is such a file.
expect 0 extract pictures -m model.stackae --labels labels.csv --manifest manifest.csv -o features.csv
expect 0 extract pictures -m model.stackae --labels manifest.csv -o again.csv
cmp -s features.csv again.csv || fail "labels by a manifest differ"

echo 'path,label
elsewhere/a.pgm,x' >wrong.csv
expect 1 extract pictures -m model.stackae --labels wrong.csv
has err "none of 24 pictures found in its 1 lines"
expect 1 extract pictures -m model.stackae --labels nowhere.csv
expect 2 extract pictures -m model.stackae --labels labels.csv -o labels.csv
has err "would replace the labels"
expect 2 enroll --rebuild gallery -m model.stackae --labels labels.csv
