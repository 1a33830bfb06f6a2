# TIFFs of several pages: a row a page, or the first alone, which is said.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

mkdir in
# Two pages of 2 × 2 gray pixels, all of one value each.
base64 -d >in/scan.tif <<'TIFF'
SUkqABAAAAAyMjIyyMjIyAkAAAEDAAEAAAACAAAAAQEDAAEAAAACAAAAAgEDAAEAAAAIAAAAAwED
AAEAAAABAAAABgEDAAEAAAABAAAAEQEDAAEAAAAIAAAAFQEDAAEAAAABAAAAFgEDAAEAAAACAAAA
FwEDAAEAAAAEAAAAggAAAAkAAAEDAAEAAAACAAAAAQEDAAEAAAACAAAAAgEDAAEAAAAIAAAAAwED
AAEAAAABAAAABgEDAAEAAAABAAAAEQEDAAEAAAAMAAAAFQEDAAEAAAABAAAAFgEDAAEAAAACAAAA
FwEDAAEAAAAEAAAAAAAAAA==
TIFF
cp "$samples/train/3/000.png" in/z.png

expect 0 extract in -o all.csv --manifest m.csv
has err "wrote all.csv: 3 rows"
has m.csv "in/scan.tif#1,0,,ok,"
has m.csv "in/scan.tif#2,1,,ok,"
has m.csv "in/z.png,2,,ok,"
has_not err "note:"

expect 0 extract in --pages first -o first.csv --manifest m.csv
has err "note: in/scan.tif: the first of 2 pages used"
has m.csv "in/scan.tif,0,,ok,the first of 2 pages used"
lines m.csv 3

expect 0 extract 'in/scan.tif#2' -o second.csv
cmp -s <(sed -n 3p all.csv | cut -d, -f3-) <(sed -n 2p second.csv | cut -d, -f3-) || fail "not the second page"
expect 2 extract in --pages some
has err "'some' is none of all, first, channels"

# An output may not replace the file whose pages are read.
expect 2 extract in -o in/scan.tif
expect 0 train in --pages first -o model.stackae --layers 3 --epochs 1 --manifest t.csv
has t.csv "in/scan.tif,0,,ok,the first of 2 pages used"
has err "note: in/scan.tif: the first of 2 pages used"

# Each a channel: the model reads further files so, unless it is told otherwise.
expect 3 train in --pages channels -o channels.stackae --layers 3 --epochs 1 --manifest t.csv
has err "2 channels (as most pictures looked at have)"
has t.csv "in/scan.tif,0,,ok,"
has t.csv "in/z.png,,,unsupported,1 channel (gray) found; 2 channels expected"
expect 0 extract in/scan.tif -m channels.stackae
lines out 2
expect 1 extract in/scan.tif -m channels.stackae --pages all
cat in/scan.tif | "$program" extract /dev/stdin -m channels.stackae >out 2>err || fail "channels through a pipe"
lines out 2

# Through a pipe, too.
cat in/scan.tif | "$program" extract /dev/stdin -o piped.csv >out 2>err || fail "pages through a pipe"
cmp -s <(sed 1d all.csv | head -n 2 | cut -d, -f3-) <(sed 1d piped.csv | cut -d, -f3-) || fail "not the file's pages"
