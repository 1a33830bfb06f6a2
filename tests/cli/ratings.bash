# Tables learnt by gradients: of ratings, by rows of items; as the article has it; by a softmax over items.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

# Two kinds of users rate two kinds of items 5 and 1; a third of the ratings is missing, and half of those held out.
awk 'BEGIN {
    print "user,item,rating" >"known.csv"; print "user,item,rating" >"held.csv"
    for (u = 0; u < 80; ++u) for (i = 0; i < 30; ++i) {
        r = (u % 2 == i % 2) ? 5 : 1; k = (u * 31 + i * 17 + int(u * i / 3)) % 6
        if (k > 1) printf "u%d,i%d,%d\n", u, i, r >"known.csv"
        else if (k == 1) printf "u%d,i%d,%d\n", u, i, r >"held.csv"
    }
}'
fast=(--epochs 60 --batch-size 8 --lr 0.01)
expect 0 train known.csv --preset autorec "${fast[@]}" -o ratings.stackae
has err 'values "rating"'
cp ratings.stackae first
expect 0 train known.csv --preset autorec "${fast[@]}" -o ratings.stackae -j 1 -q
cmp -s first ratings.stackae || fail "another model at one thread"
expect 0 evaluate known.csv held.csv -m ratings.stackae --json
has out '"rmse":'
has out '"biases":{'
has out '"remarks":[]'
head -n 2 held.csv >single.csv
expect 0 evaluate known.csv single.csv -m ratings.stackae
has out "data   1 rating held out"
has_not out "nan"
has_not out "not better"
expect 2 evaluate known.csv held.csv -m ratings.stackae --splits 3
has err "--splits 3 found, 1 expected with TEST"
expect 0 evaluate known.csv --fit --preset autorec
has out "ratings held out"
has out "RMSE"
expect 2 evaluate known.csv -m ratings.stackae
has err "needs TEST"
expect 0 recommend -m ratings.stackae --user u3 --top 1
grep -qE '^u3,1,i[0-9]*[13579],' out || fail "u3 is given what its kind rates low"
expect 1 recommend -m ratings.stackae --bought i1
has err "a user that the model does not know found"
expect 1 recommend -m ratings.stackae --user u3 --explain 1
has err "explanations: a model whose rows are items found"
expect 0 extract -m ratings.stackae -o users.csv
lines users.csv 81
expect 0 extract -m ratings.stackae --items -o items.csv
lines items.csv 31
expect 0 recommend -m ratings.stackae --forget u3
expect 1 recommend -m ratings.stackae --user u3
expect 1 train known.csv --preset autorec --value raw --stack 'dense:4:output=sigmoid' -o no.stackae
has err "masked_squared_error needs a linear output"
missing no.stackae

# What was taken, 0 or 1: the article's own network, and the one whose items share a softmax.
for preset in classic mult_dae; do
    expect 0 train known.csv --preset $preset --epochs 2 -o $preset.stackae
    expect 0 recommend -m $preset.stackae --user u3 --top 2
    lines out 3
    expect 0 evaluate known.csv --fit --preset $preset
    has out "Recall@20"
done
expect 0 train known.csv --stack 'dense:8:activation=tanh' --loss squared_error --optimizer sgd --batch-size 1 --epochs 1 -o article.stackae
expect 2 evaluate known.csv --preset classic
has err "--fit is missing"
expect 2 evaluate "$samples" --preset classic
has err "are of tables of users and items"
