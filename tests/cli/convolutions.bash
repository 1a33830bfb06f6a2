# Stacks with convolutional layers, from the plan to what their units look for.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

for digit in 0 1 4 7; do
    mkdir -p digits/$digit
    cp "$samples/train/$digit/00"?.png "$samples/train/$digit/01"?.png digits/$digit/
done
stack=(--preset conv --convolutions 12@5:pool=2:share=0.25,16@3:grid=2:max --code-size 6 --patches 4000)

expect 0 train digits -o conv.stackae "${stack[@]}" --validation 0.25 -j 1
empty out

# What is in it.
expect 0 info conv.stackae
has out "a model of 3 layers, checksum ok"
has out "code         6 values, scaled to length 1 unless --normalize says otherwise"
grep -q '^  1 .*5x5x1 .*12 .*mean 2x2 .*28x28x1 -> 12x12x12 .*25 %' out || fail "the first layer"
grep -q '^  2 .*3x3x12 .*16 .*max, grid 2x2 .*12x12x12 -> 2x2x16 .*20 %' out || fail "the second layer"
grep -q '^  3 .*64 .*6 .*linear .*closed form' out || fail "the code"
expect 0 info conv.stackae --json
for key in '"input_map":[28,28,1]' '"output_map":[12,12,12]' '"share":0.25' '"threshold":' '"l2_normalize":true' \
    '"closed_form":true' '"depth":3'; do
    has out "$key"
done

# What its units look for: of patches, of what is decoded, of pictures.
for layer in 1 2 3; do
    expect 0 info conv.stackae --filters filters.png --layer $layer
    [ "$(head -c 4 filters.png | tail -c 3)" = PNG ] || fail "filters.png is no PNG"
    mv filters.png decoded$layer.png
    expect 0 info conv.stackae --filters filters.png --layer $layer --pictures digits
    has err "units of layer $layer in filters.png"
    cmp -s filters.png decoded$layer.png && fail "the pictures made no difference"
done
expect 0 info conv.stackae --filters filters.png
has err "drew 12 of 12 units of layer 1"
cmp -s filters.png decoded1.png || fail "layer 1 is the default"
expect 2 info conv.stackae --filters filters.png --layer 4
has err "1 to 3"
expect 2 info conv.stackae --layer 1
has err "--layer needs --filters"
expect 2 info conv.stackae --pictures digits
expect 2 info conv.stackae --filters digits/0/000.png --pictures digits
printf 'no picture' >digits/0/broken.png
expect 3 info conv.stackae --filters filters.png --pictures digits
has err "broken.png"
rm digits/0/broken.png
exit 0
