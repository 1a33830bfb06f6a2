# What a person sees who types something wrong, or asks for help.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

expect 2
empty out
is err "stackae: a command is missing
usage: stackae COMMAND [arguments]
See: stackae help"

expect 2 tarin pictures
empty out
is err "stackae: there is no command 'tarin'; did you mean train?
usage: stackae COMMAND [arguments]
See: stackae help"
expect 2 xyzzy
has err "there is no command 'xyzzy'"
has_not err "did you mean"
expect 2 --model x
has err "the first word is the command"
expect 2 help nonsense

expect 0 --version
grep -qE '^stackae [0-9]+\.[0-9]+\.[0-9]+$' out || fail "no version"
for words in help --help -h; do
    expect 0 $words
    empty err
    has out "usage: stackae COMMAND"
    has out "exit codes: 0 done, 1 failed, 2 wrong usage"
done
cp out overview
for command in train extract enroll recognize evaluate reconstruct recommend similar-items info; do
    has overview "  $command "
    "$program" help $command >help_out 2>err || fail "help $command"
    empty err
    has help_out "usage: stackae $command "
    has help_out "--help"
    "$program" $command --help >other_help_out 2>err || fail "$command --help"
    cmp -s help_out other_help_out || fail "$command --help differs from help $command"
    expect 2 $command
    empty out
    has err "usage: stackae $command "
    has err "See: stackae help $command"
    expect 2 $command --no-such-option
    has err "$command has no option '--no-such-option'"
done
expect 0 help encode
has out "usage: stackae extract "

expect 2 train pictures --epohcs 3
is err "stackae: train has no option '--epohcs'; did you mean --epochs?
usage: stackae train INPUT [-o MODEL] [options]
See: stackae help train"
expect 2 train pictures --epoch 3 # options are not guessed from their beginning
has err "did you mean --epochs?"
expect 2 train pictures --layers 10,,5
has err "--layers: '10,,5' has an empty value"
expect 2 train pictures --layers 10,0
has err "--layers: '0' is not a whole number of at least 1"
expect 2 train pictures --lr fast
has err "--lr: learning_rate: fast found, a number above 0 and up to 1000 expected"
expect 2 train pictures --momentum 1.5
has err "--momentum: 1.5 found, a number from 0 and below 1 expected"
expect 2 train pictures --memory lots
has err "--memory: 'lots' is not an amount of memory"
expect 2 train pictures --img-size 28x
has err "--img-size: '28x' is not a size"
expect 2 train pictures --channels mono
has err "--channels: 'mono' is neither gray nor rgb nor a number of channels"
expect 2 train pictures --channels 257
has err "--channels: "
expect 2 train pictures --crop-mode tile
has err '--crop-mode: resize mode: "tile" found, one of squash, border, center expected'
expect 2 train pictures --activations sigmoid,step
has err "--activations: "
has err "sigmoid"
expect 2 train pictures --preset nothing
has err "hinton2006"
expect 2 train pictures --layers 5,4 --epochs 1,2,3
has err "epochs"
expect 2 train pictures --epochs 1 --epochs 2
has err "cannot be specified more than once"
expect 2 train pictures --epochs
has err "--epochs"
expect 2 train pictures others
has err "train takes one INPUT"
expect 2 extract picture.png --normalize l1
has err "--normalize: 'l1' is neither none nor l2"
expect 2 extract picture.png --format xls
has err "--format: "
expect 2 extract picture.png --format npy
has err "--format npy needs a file: name one with -o"
expect 2 extract picture.png -o features.xls
has err "features.xls"
expect 2 recognize picture.png
has err "recognize needs -g GALLERY"
expect 2 recognize picture.png -g g --threshold 1 --false-accept 0.1
has err "exclude each other"
expect 2 recognize picture.png -g g --k 0
has err "--k: '0' is not a whole number of at least 1"
expect 2 enroll pictures -m model
has err "enroll needs -o GALLERY"
expect 2 enroll pictures --remove Ann -o g
has err "--remove takes neither INPUT nor --append"
expect 2 enroll picture.png --name unknown -o g
has err "'unknown' can be nobody's name"
expect 2 evaluate one two three
expect 2 evaluate pictures --classifier forest
has err "--classifier: 'forest' is neither knn nor linear"
expect 2 info
expect 2 info model --presets

expect 0 info --presets
has out "hinton2006: "
expect 0 info --presets --json
has out '"name":"sdae"'
lines out 1
expect 0 info --layer-kinds
has out "conv2d  Convolutional autoencoder"
has out "    activation_rate=0.2  share of"
expect 0 info --layer-kinds --json
has out '"name":"nystroem"'
lines out 1
expect 2 info model --layer-kinds
expect 2 info --presets --layer-kinds

# A variable that was never set does not send the table elsewhere.
expect 2 extract "$samples" -o ""
has err "--output: nothing found, a name expected"
