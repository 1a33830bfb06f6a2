# What options say of learning a table of users and items.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

{
    echo 'user,item'
    for u in {1..80}; do
        for k in {1..6}; do
            echo "u$u,i$((u % 2 * 7 + (u * 5 + k * 3) % 7))"
        done
    done
} >shop.csv

# elsa has epochs of its own, which --epochs stands for.
expect 0 train shop.csv -o elsa.stackae --stack elsa:6 --save-config elsa.config
has err ", 20 epochs"
expect 0 train shop.csv -o ten.stackae --stack elsa:6 --epochs 10
has err ", 10 epochs"
expect 0 train shop.csv -o again.stackae --config elsa.config
has err ", 20 epochs"
expect 0 train shop.csv -o three.stackae --config elsa.config --epochs 3
has err ", 3 epochs"
expect 0 train shop.csv -o patient.stackae --stack elsa:6 --patience 1
has err "validation"

# Options that change nothing are named, each once.
expect 0 train shop.csv -o unused.stackae --stack elsa:6 --loss cross_entropy --corruption masking \
    --fine-tune 5 --augment-shift 0.2
has err "--loss is not used"
has err "--corruption is not used"
has err "--fine-tune is not used"
has err "--augment-shift is not used: it is of pictures"
[ "$(grep -c augment err)" -eq 1 ] || fail "--augment-shift is named more than once"
expect 0 train shop.csv -o unused.stackae --stack edlae --patience 2
has err "--patience is not used"

# Nobody is held out of what is measured on others, whatever the preset.
expect 0 evaluate shop.csv --fit --stack edlae --json
cp out plain.json
expect 0 evaluate shop.csv --fit --stack edlae --preset dense --json
cmp -s out plain.json || fail "the preset holds users out of a closed form"

# Items as rows have a value a user, and so has what is learnt.
expect 0 train shop.csv -o items.stackae --rows item
has err "the linear denoising autoencoder with its usual settings"
{
    echo 'user,item'
    for u in {1..1200}; do
        echo "u$u,i$((u % 12))"
        echo "u$u,i$((u * 7 % 13))"
    done
} >tall.csv
expect 0 train tall.csv --dry-run --rows item --memory 3M
has err "for 1,200 users"
has out "elsa:"
has out "items        13"
expect 1 train tall.csv -o none.stackae --rows item --stack edlae --memory 3M
has err "the stack elsa:"
missing none.stackae

# What went wrong is told of rows, of which there are no pictures.
expect 1 train shop.csv -o none.stackae --stack 'dense:6:activation=relu:output=linear' --loss squared_error \
    --optimizer sgd --lr 900 --retries 0
has err "try a lower learning rate"
has_not err "picture"
expect 0 train shop.csv -o none.stackae --stack 'dense:6:activation=relu:output=linear' --loss squared_error \
    --optimizer sgd --lr 900
has err "the loss ran away at a learning rate of 900; tried again at 90"
has err "nothing was learnt"
has_not err "picture"
