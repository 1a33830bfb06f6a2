# Which of the models that ship is used where none is named, by what the pictures are; it is said, with the reason.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

# A picture in colour: paint FILE WIDTH HEIGHT.
paint() {
    { printf 'P3\n%d %d\n255\n' "$2" "$3"; for ((i = 0; i < $2 * $3; ++i)); do echo "$((i % 251)) $((i * 7 % 253)) 9"; done; } >"$1"
}
# The same in gray.
shade() {
    { printf 'P2\n%d %d\n255\n' "$2" "$3"; for ((i = 0; i < $2 * $3; ++i)); do echo "$((i * 7 % 253))"; done; } >"$1"
}
digits() {
    has err "digits.stackae (comes with stackae, for gray pictures of at most 28 pixels a side; -m names another)"
}
photos() {
    has err "photos.stackae (comes with stackae, for all but gray pictures of at most 28 pixels a side; -m names another)"
}

# A photograph is one for photos, alone, in a folder, and whatever its size.
expect 0 extract "$samples/photos/dandelions.png"
photos
lines out 2
[ "$(head -n 1 out | tr ',' '\n' | wc -l)" -eq 129 ] || fail "128 features expected"
paint small.ppm 20 20
expect 0 extract small.ppm
photos
expect 0 reconstruct "$samples/photos"
photos

# Digits are gray and of 28 pixels at most; a pixel more, or one in colour among the inputs, and they are not.
expect 0 extract "$samples/recognize"
digits
lines out 13
[ "$(head -n 1 out | tr ',' '\n' | wc -l)" -eq 65 ] || fail "64 features expected"
shade least.pgm 28 28
expect 0 extract least.pgm
digits
shade wide.pgm 29 28
expect 0 extract wide.pgm
photos
shade tall.pgm 28 29
expect 0 extract tall.pgm
photos
expect 0 extract "$samples/recognize/digit-2.png" small.ppm
photos
lines out 3
{ printf 'P6\n8 8\n255\n'; head -c 192 /dev/zero | tr '\0' 'x'; } >stored_as_colour.ppm
expect 0 extract stored_as_colour.ppm
digits

# Of collections the median picture decides; one that cannot be read has no say.
mkdir mixed
cp "$samples"/recognize/digit-[1-3].png mixed/
cp wide.pgm mixed/
echo nothing >mixed/broken.png
expect 3 extract mixed
digits
expect 3 extract missing.png "$samples/recognize/digit-2.png"
digits
expect 1 extract mixed/broken.png

# All commands alike; a gallery remembers which one made it.
expect 0 evaluate "$samples/train" --splits 1
digits
expect 0 evaluate "$samples/train" "$samples/train" --k 1 --json
digits
has out 'digits.stackae"'
expect 0 enroll "$samples/photos" --name dandelion -o photos.gallery
photos
expect 0 recognize "$samples/recognize/digit-2.png" -g photos.gallery
has err "photos.stackae (the one that made photos.gallery)"
expect 0 enroll "$samples/train" -o digits.gallery
digits
expect 0 recognize "$samples/recognize" -g digits.gallery
has err "digits.stackae (the one that made digits.gallery)"
expect 0 extract "$samples/photos" -m "$samples/../models/digits.stackae"
has_not err "comes with stackae"
