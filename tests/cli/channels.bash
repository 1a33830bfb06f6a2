# Pictures of any number of channels: arrays, and files that are channels, through every command.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

# An NPY file of 16-bit whole numbers: array FILE PICTURES SIDE CHANNELS.
array() {
    local i header bytes=
    header="{'descr': '<u2', 'fortran_order': False, 'shape': ($2, $3, $3, $4), }"
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$header" >"$1"
    for ((i = 0; i < $2 * $3 * $3 * $4; ++i)); do
        bytes+=$(printf '\\x%02x\\x%02x' $(((i * 37 + i / 11 * 5) % 256)) $((i % $4)))
    done
    printf "$bytes" >>"$1"
}

array bands.npy 12 8 5
expect 0 train bands.npy -o bands.stackae --layers 6,4 --epochs 1 -b 8 --save-config bands.conf
has err "5 channels (as most pictures looked at have), 8 x 8 pixels"
has err "each channel is scaled by what its values are in these pictures"
has bands.conf "channels = 5"
has bands.conf "channel-range = 0:"
expect 0 info bands.stackae --json
has out '"measured":true'
expect 0 train bands.npy -o again.stackae --config bands.conf
expect 0 extract bands.npy -m bands.stackae
lines out 13

# A picture of other channels is told of with what was found and expected.
draw gray.pgm 3
expect 1 extract gray.pgm -m bands.stackae
has err "1 channel (gray) found; 5 channels expected"
expect 1 train bands.npy -o rgb.stackae --channels rgb --layers 4 --epochs 1
has err "pictures of 5 channels that are no colours found, rgb expected"
expect 2 train bands.npy -o rgb.stackae --channels many
has err "'many' is neither gray nor rgb nor a number of channels"
expect 2 train bands.npy -o rgb.stackae --channel-range 5:5

# What is rebuilt goes into a file of numbers; a drawing of it there is none.
expect 2 reconstruct bands.npy -m bands.stackae -o drawing.png
has err "pictures of 5 channels cannot be drawn in a PNG; name a .npy or .tif file"
expect 0 reconstruct bands.npy -m bands.stackae -o rebuilt.npy
has err "wrote 12 rebuilt pictures to rebuilt.npy"
expect 0 extract rebuilt.npy -m bands.stackae
lines out 13
expect 0 reconstruct bands.npy -m bands.stackae -o rebuilt.tif --limit 3
expect 0 info bands.stackae --filters units.png
exists units.png

# Files that are channels: the model knows which.
draw_classes cells 4 round long
for file in cells/*/*.pgm; do
    cp "$file" "${file%.pgm}_dapi.pgm"
    mv "$file" "${file%.pgm}_gfp.pgm"
done
rm cells/long/2_gfp.pgm
expect 3 train cells -o cells.stackae --channel-suffix _gfp,_dapi --layers 6,4 --epochs 1 -b 8 --manifest manifest.csv
has err "2 channels (as most pictures looked at have)"
has err "skipped cells/long/2: channel _gfp: no file 2_gfp.* found"
lines manifest.csv 9
has manifest.csv "cells/long/2,,long,missing,channel _gfp: no file 2_gfp.* found"
expect 3 extract cells -m cells.stackae
lines out 8
expect 0 extract cells/round/1 cells/round/0_gfp.pgm -m cells.stackae
lines out 3
has out "cells/round/0,"
expect 3 evaluate cells -m cells.stackae --splits 2 --k 1
has out "channel statistics"
expect 3 evaluate cells -m cells.stackae --splits 2 --k 1 --json
has out '"channel_statistics"'
expect 3 enroll cells -o gallery -m cells.stackae
expect 3 recognize cells -g gallery -m cells.stackae
has out "cells/round/1,round,0"
expect 0 enroll --rebuild gallery -m cells.stackae
