# Libraries of rare formats are loaded for pictures that need them alone, and where they are missing it is said.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

mkdir broken mixed
library=$(grep -ao 'libgif\.so\.[0-9]*' "$program" | head -n 1)
echo "no library" >"broken/${library:=libgif.so}"
cp "$samples/train/3/000.png" mixed/a.png
base64 -d >mixed/b.gif <<<R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=
base64 -d >mixed/c.jpg <<'JPEG'
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9V
XVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAALCAAIAAgBAREA/8QAFAABAAAAAAAA
AAAAAAAAAAAABf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVf/Z
JPEG

LD_LIBRARY_PATH=$PWD/broken expect 3 extract mixed -o partly.csv
has err "mixed/b.gif: this format needs libgif"
has err "wrote partly.csv: 2 rows"
[ "$library" != libgif.so ] || exit 0 # built without it
expect 0 extract mixed -o whole.csv
has err "wrote whole.csv: 3 rows"
cmp -s <(grep -v b.gif whole.csv) partly.csv || fail "PNG and JPEG depend on giflib"

# Libraries that decode pictures keep their opinions to themselves: every line on stderr is the program's.
mkdir odd
for i in $(seq 30); do
    { printf '\xff\x0a'; head -c 200 "$samples/README.md" 2>/dev/null | tail -c $((170 - 5 * i)); printf "\\x$(printf %02x "$i")%.0s" $(seq $((i * 7))); } >"odd/$i.jxl"
    { printf '\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl \0\0\0\0jxlc\xff\x0a'; printf "\\x$(printf %02x "$((i * 5))")%.0s" $(seq $((i * 3))); } >"odd/b$i.jxl"
done
draw odd/good.png 1
expect 3 extract odd -m "$samples/../models/digits.stackae"
[ "$(grep -vc '^stackae: ' err)" -eq 0 ] || fail "a line on stderr that is not the program's"
