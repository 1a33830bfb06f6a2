# Files that mean harm, and texts in files that a terminal would obey.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

# Names from a file are told, not obeyed.
escape=$'\x1b[31mred\x1b]0;title\x07'
mkdir "$escape"
draw_classes "$escape/pictures" 4 "ann$escape" bob
small_model model.stackae "$escape/pictures"
expect 0 info model.stackae
has_not out "/pictures" # a model names no folder
has out 'ann\x1b[31mred\x1b]0;title\x07, bob'
has_not out $'\x1b'
has_not out $'\x07'
expect 0 enroll "$escape/pictures" -m model.stackae -o "$escape/people.gallery"
expect 0 info "$escape/people.gallery"
has_not out $'\x1b'
expect 1 info "$escape/none"
has_not err $'\x1b'
has err '\x1b[31m'

# A gallery may name any file as its model; nothing of that file is told.
cp "$escape/people.gallery" people.gallery
printf 'secret:x:0:0:and more\n' >model.stackae
expect 1 recognize "$escape/pictures/bob/0.pgm" -g people.gallery
has err "people.gallery: was made with the model model.stackae"
has err "is no model that can be used"
for word in secret 8674245 3619251681 bytes; do
    has_not err "$word"
done

# A model that comes through a pipe is a model.
rm model.stackae
small_model model.stackae "$escape/pictures"
expect 0 info <(cat model.stackae)
has out "a model of 2 layers"
expect 0 extract "$escape/pictures" -m <(cat model.stackae)
lines out 9
