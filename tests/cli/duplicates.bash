# Copies among pictures.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

mkdir -p pictures/3 pictures/5
cp "$samples"/train/3/00?.png pictures/3
cp "$samples"/train/5/001.png pictures/5
cp pictures/3/000.png pictures/3/again.png
expect 0 duplicates pictures -o groups.csv --transforms none
empty out
has groups.csv "group,path,keep,kind,distance"
has groups.csv ",pictures/3/000.png,1,kept,0.0000"
has groups.csv ",pictures/3/again.png,0,exact,0.0000"
has err "copy in 1 group, of 12 pictures"
has err "planted copies"
expect 0 duplicates pictures --transforms none
cmp -s out groups.csv || fail "stdout and -o differ"
expect 0 duplicates pictures --transforms none --keep first --json
has out '"groups":[{"pictures":[{"distance":0.0,"keep":true,"kind":"kept","path":"pictures/3/000.png"'
has out '"pictures":12'

# What was found is kept beside the output, and shown in links.
[[ -s groups.csv.cache ]] || fail "no cache"
cp groups.csv first.csv
expect 0 duplicates pictures -o groups.csv --transforms none --links links
has err "nothing has changed since groups.csv.cache was written"
cmp -s groups.csv first.csv || fail "the cache gives other groups"
[[ links/1/1-exact-again.png -ef pictures/3/again.png ]] || fail "no link"
expect 2 duplicates pictures --links links
has err "an empty one expected"
expect 0 duplicates pictures -o groups.csv --transforms none --cache none
has_not err "nothing has changed"
cp groups.csv groups.csv.cache
expect 2 duplicates pictures -o groups.csv --transforms none
has err "it is not replaced"
rm groups.csv.cache
expect 2 duplicates pictures -o links/new/groups.csv --links links/new
has err "lies in it"
mkdir of.csv.cache
expect 0 duplicates pictures --transforms none -o of.csv
has err "of.csv.cache"
has of.csv ",exact,"
rm -r of.csv of.csv.cache

# Of a reference, and what is no picture.
mkdir new
cp pictures/3/000.png new/copy.png
cp pictures/5/001.png new/another.png
echo nothing >new/broken.png
expect 3 duplicates new --reference pictures --transforms none --manifest manifest.csv -o of.csv
has of.csv ",new/copy.png,0,exact,0.0000"
has of.csv ",new/another.png,0,exact,0.0000"
has manifest.csv "new/broken.png,,,"
has err "skipped new/broken.png"

expect 0 duplicates pictures/3/000.png
is out "group,path,keep,kind,distance"

expect 2 duplicates
expect 2 duplicates pictures --transforms sideways
has err "mirror,rotate90, one of the two or none expected"
expect 2 duplicates pictures --keep best
expect 2 duplicates pictures --threshold 2
expect 2 duplicates pictures/3/000.png -o pictures/3/000.png
expect 1 duplicates nowhere
expect 2 duplicates new --reference pictures -o pictures/3/000.png
cmp -s pictures/3/000.png "$samples/train/3/000.png" || fail "a picture of the reference was replaced"
