# Galleries: who is in them, and who is not.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

draw_classes pictures 5 ann 'Lee, "Bob"' cy
small_model model.stackae
small_model other.stackae pictures --seed 9

expect 0 enroll pictures -m model.stackae -o people.gallery
has out "people.gallery: 15 pictures of 3 names"
has out 'Lee, "Bob"  5'
has out "threshold "
has out "about 1% of strangers are given a name, measured on 15 pictures"
has out "15 pictures are too few"
expect 0 info people.gallery --json
has out '"kind":"gallery"'
has out '"names":{"Lee, \"Bob\"":5,"ann":5,"cy":5}'
expect 0 info people.gallery
has out "model.stackae"

# A picture that was enrolled is its own nearest; its name is quoted.
expect 0 recognize 'pictures/Lee, "Bob"/1.pgm' -g people.gallery --threshold inf
near() { # distance 0 but for rounding
    grep -qE "^$1,(0|[0-9.]+e-0[6-9])\$" out || fail "out has no: $1,0"
}
[ "$(head -n 1 out)" = "path,name,distance" ] || fail "the header"
lines out 2
near '"pictures/Lee, ""Bob""/1.pgm","Lee, ""Bob"""'
expect 0 recognize pictures/ann/0.pgm pictures/cy/2.pgm -g people.gallery --threshold 1e-5 --top 2
[ "$(head -n 1 out)" = "path,rank,name,distance" ] || fail "the header with --top"
lines out 5
near pictures/ann/0.pgm,1,ann
grep -q '^pictures/ann/0.pgm,2,unknown,[0-9]' out || fail "the second is not beyond the threshold"
draw stranger.pgm 99
expect 0 recognize stranger.pgm -g people.gallery --threshold 0 -o names.csv
empty out
grep -q '^stranger.pgm,unknown,' names.csv || fail "a stranger was named"
expect 0 recognize pictures -g people.gallery --json --top 2 --k 3
has out '"pictures": ['
[ "$(grep -c '"path":.*"nearest":\|"nearest":.*"path":' out)" -eq 15 ] || fail "pictures in the JSON"
expect 0 recognize pictures -g people.gallery --metric cosine
lines out 16
expect 0 recognize stranger.pgm -g people.gallery --false-accept 0.5

# Another model is refused, by name.
expect 1 recognize stranger.pgm -g people.gallery -m other.stackae
empty out
has err "people.gallery"
expect 1 enroll pictures -m other.stackae -o people.gallery --append
mv model.stackae moved.stackae
expect 1 recognize stranger.pgm -g people.gallery
has err "name it with -m MODEL"
expect 0 recognize stranger.pgm -g people.gallery -m moved.stackae
# The model is also looked for beside the gallery.
mkdir elsewhere
cp people.gallery elsewhere/
cp moved.stackae elsewhere/model.stackae
expect 0 recognize stranger.pgm -g elsewhere/people.gallery
mv moved.stackae model.stackae

# It grows and shrinks.
draw_classes more 2 dee
expect 1 enroll more -o people.gallery --append --layer 1
has err "people.gallery: append to gallery: depth: 1 found, 2 expected"
expect 0 enroll more -o people.gallery --append
has out "17 pictures of 4 names, 2 of them new"
expect 0 enroll more -o people.gallery --append
has out "17 pictures of 4 names"
expect 0 enroll stranger.pgm --name Eve -o people.gallery --append
has out "18 pictures of 5 names, 1 of them new"
expect 0 recognize stranger.pgm -g people.gallery --threshold 1e-5
near stranger.pgm,Eve
expect 0 enroll --remove Eve -o people.gallery
has out "17 pictures of 4 names"
cp people.gallery before
expect 1 enroll --remove Eve -o people.gallery
has err "has nobody of the name 'Eve'"
cmp -s before people.gallery || fail "the gallery changed"

# Nobody is lost where several runs change one gallery at once.
cp people.gallery team.gallery
draw_classes team 1 p1 p2 p3 p4 p5 p6
last="six enroll --append and one --remove of team.gallery at once"
for name in p1 p2 p3 p4 p5 p6; do
    "$program" enroll team/$name --name $name --append -o team.gallery --quiet >/dev/null 2>>err &
done
"$program" enroll --remove dee -o team.gallery --quiet >/dev/null 2>>err &
wait
expect 0 info team.gallery --json
has out '"names":{"Lee, \"Bob\"":5,"ann":5,"cy":5,"p1":1,"p2":1,"p3":1,"p4":1,"p5":1,"p6":1}'
has out '"pictures":21'
# Who waits says so, and stops when told to.
last="enroll --append while another run has the gallery"
exec 9<team.gallery
flock 9
"$program" enroll stranger.pgm --name Eve --append -o team.gallery >out 2>err 9<&- &
waiting=$!
until grep -q "waiting for another run that changes team.gallery" err; do sleep 0.05; done
kill -TERM $waiting
wait $waiting
[ $? -eq 130 ] || fail "exit code of the one that waited"
exec 9<&-
expect 0 info team.gallery --json
has out '"pictures":21'
# A gallery and its manifest appear together.
expect 1 enroll team -m model.stackae -o nowhere/team.gallery --manifest together.csv
missing together.csv
expect 0 enroll team -m model.stackae -o team.gallery --manifest together.csv
lines together.csv 7

# What cannot be a name, and what has none.
expect 1 enroll more -o none.gallery --append
missing none.gallery
draw_classes strange 2 unknown
expect 1 enroll strange -m model.stackae -o people.gallery
has err "'unknown'"
cmp -s before people.gallery || fail "the gallery changed"
expect 1 enroll stranger.pgm -m model.stackae -o none.gallery --manifest manifest.csv
has err "none of the one picture could be used"
grep -q '^stranger.pgm,,,unlabelled,' manifest.csv || fail "the unlabelled picture in the manifest"
draw more/loose.pgm 5
expect 3 enroll more -m model.stackae -o people.gallery
has err "people.gallery is there already and will be replaced"
has err "skipped more/loose.pgm: "
has out "people.gallery: 2 pictures of 1 name"
has out "no threshold"
expect 0 recognize stranger.pgm -g people.gallery
grep -q '^stranger.pgm,dee,' out || fail "one name and no threshold: it is that name"
expect 1 enroll --remove dee -o people.gallery
has err "the only name"
expect 1 recognize stranger.pgm -g model.stackae
has err "model.stackae"

# Names that are not UTF-8 are kept in UTF-8, so that two people do not become one; line ends are shown.
rm -rf latin
draw_classes latin 1 $'M\xfcller' $'M\xf6ller' $'two\nlines' plain
expect 0 enroll latin -m model.stackae -o latin.gallery
has out '4 pictures of 4 names'
has out 'M\xfcller'
has out 'M\xf6ller'
has out 'two\nlines'
expect 0 recognize $'latin/M\xfcller/0.pgm' -g latin.gallery --threshold inf
has out 'latin/M\xfcller/0.pgm,M\xfcller,'
expect 0 enroll --remove $'M\xf6ller' -o latin.gallery
expect 0 enroll --remove 'M\xfcller' -o latin.gallery
has out '2 pictures of 2 names'
# The same path in another spelling is the same path.
expect 0 enroll ./more/../more/dee -o latin.gallery --name dee --append
expect 0 enroll "$PWD/more/dee" -o latin.gallery --name dee --append
has out "4 pictures of 3 names"
# A gallery is compared as it was made.
expect 0 enroll pictures -m model.stackae -o unit.gallery --normalize l2
expect 1 enroll more/dee --name dee -o unit.gallery --append --normalize none
has err "l2 normalisation"
# The model is found from inside the gallery's folder, and one that is another is said to be.
mkdir -p deep/models deep/galleries
cp model.stackae deep/models/
(cd deep && "$program" enroll ../pictures -m models/model.stackae -o galleries/p.gallery >../out 2>../err) || fail "enroll"
(cd deep/galleries && "$program" recognize ../../stranger.pgm -g p.gallery >../../out 2>../../err) || fail "not found"
cp other.stackae deep/models/model.stackae
expect 1 recognize stranger.pgm -g deep/galleries/p.gallery
has err "is another model"
# Without labels the accuracies are there, as null; k is what was used.
mkdir plain
cp pictures/ann/*.pgm plain/
expect 0 evaluate plain -m model.stackae --splits 1 --json
has out '"raw":{"knn_accuracy":null'
expect 0 evaluate pictures -m model.stackae --splits 1 --k 1000 --json
has out '"k":8,'

# Where nobody can be told from anybody, or all are equally far apart, no rate is claimed.
mkdir -p twins/ann twins/bob pair/ann pair/bob
draw twins/ann/0.pgm 3
draw twins/bob/0.pgm 3
draw pair/ann/0.pgm 3
draw pair/bob/0.pgm 4
expect 0 enroll twins -m model.stackae -o twins.gallery
has out "threshold none: all pictures of different names have the same code"
has_not out "% of strangers"
expect 0 enroll pair -m model.stackae -o pair.gallery
has out "all 2 pictures measured are equally far from other names"
has_not out "% of strangers"
expect 0 info pair.gallery
has out "no share of strangers is known"
expect 0 info pair.gallery --json
has out '"rate_known":false'
expect 0 recognize pair -g pair.gallery --k 9 --vote majority
has err "--k 9: all 2 pictures of the gallery vote"
expect 0 recognize pair -g pair.gallery
has_not err "of the gallery vote"
expect 2 recognize pair -g pair.gallery --vote most
has err '"most" found, weighted or majority expected'

# Accuracies that say nothing are marked.
draw_classes single 4 ann
expect 0 evaluate single -m model.stackae --splits 1 --classifier linear --k 9
has out "accuracy of the 2 nearest neighbours (l2 distance, weighted vote): there are no 9 to learn from"
has out "of one class, whose name everything is given: accuracies say nothing"
has out "none: one class to learn from"
has out "PCA has no more components than pictures to learn from or values of a picture: 2"
expect 0 evaluate twins pair -m model.stackae
has out "all pictures to learn from have the same code"
