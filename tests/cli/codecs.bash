# OpenCV's codecs are loaded for pictures that need them alone: PNG and JPEG are read without.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

version=$(ldd "$program" | sed -n 's/.*libopencv_core\.so\.\([0-9.]*\) =>.*/\1/p')
[ -n "$version" ] || fail "OpenCV is not linked"
mkdir broken mixed
echo "no library" >"broken/libopencv_imgcodecs.so.$version"
cp "$samples/train/3/000.png" mixed/a.png
printf 'P2 2 2 255\n0 255 255 0\n' >mixed/b.pgm
base64 -d >mixed/c.jpg <<'JPEG'
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9V
XVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAALCAAIAAgBAREA/8QAFAABAAAAAAAA
AAAAAAAAAAAABf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVf/Z
JPEG

expect 0 extract mixed -o whole.csv
has err "wrote whole.csv: 3 rows"
LD_LIBRARY_PATH=$PWD/broken expect 3 extract mixed -o partly.csv
has err "mixed/b.pgm: OpenCV's codecs, which this format needs, cannot be loaded"
has err "wrote partly.csv: 2 rows"
cmp -s <(grep -v b.pgm whole.csv) partly.csv || fail "PNG and JPEG depend on OpenCV's codecs"
