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
