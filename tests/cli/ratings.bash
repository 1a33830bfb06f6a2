# Tables learnt by gradients: of ratings, by rows of items; as the article has it; by a softmax over items.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

# Two kinds of users rate two kinds of items 5 and 1; a third of the ratings is missing, and half of those held out.
awk 'BEGIN {
    x = 7; print "user,item,rating" >"known.csv"; print "user,item,rating" >"held.csv"
    for (u = 0; u < 80; ++u) for (i = 0; i < 30; ++i) {
        r = (u % 2 == i % 2) ? 5 : 1; x = (x * 16807) % 2147483647; k = int(x / 65536) % 6
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
expect 2 recommend -m ratings.stackae --bought i1
has err "--user or --all expected"
expect 0 similar-items -m ratings.stackae i4 --top 3
grep -qE '^i4,1,i[0-9]*[02468],' out || fail "i4 is like what its kind is not like"
expect 1 recommend -m ratings.stackae --user u3 --explain 1
has err "explanations: a model whose rows are items found"
expect 0 extract -m ratings.stackae -o users.csv
lines users.csv 81
expect 0 extract -m ratings.stackae --items -o items.csv
lines items.csv 31
expect 0 recommend -m ratings.stackae --forget u3
expect 1 recommend -m ratings.stackae --user u3
expect 0 recommend -m ratings.stackae --all --top 1 -o all.csv
lines all.csv 80
expect 0 extract -m ratings.stackae -o users.csv
lines users.csv 80
for kind in edlae elsa:8 'l2_norm,dense:4:activation=tanh'; do
    expect 0 train known.csv --rows item --stack "$kind" --value binary --loss squared_error --epochs 2 -o kind.stackae -q
    expect 0 similar-items -m kind.stackae i29 --top 60
    lines out 30
    expect 0 recommend -m kind.stackae --forget u5
    expect 1 recommend -m kind.stackae --user u5
done
expect 1 evaluate known.csv known.csv -m first
has err "that is not learnt from"
expect 1 train known.csv --preset autorec --value raw --stack 'dense:4:output=sigmoid' -o no.stackae
has err "masked_squared_error needs a linear output"
missing no.stackae

# What was taken, 0 or 1: the article's own network, and the one whose items share a softmax.
for preset in classic mult_dae; do
    expect 0 train known.csv --preset $preset --epochs 2 -o $preset.stackae
    expect 0 recommend -m $preset.stackae --user u3 --top 2
    lines out 3
    expect 0 similar-items -m $preset.stackae i4 --top 3
    lines out 4
    expect 0 evaluate known.csv --fit --preset $preset
    has out "Recall@20"
done
expect 0 train known.csv --stack 'dense:8:activation=tanh' --loss squared_error --optimizer sgd --batch-size 1 --epochs 1 -o article.stackae
expect 2 evaluate known.csv --preset classic
has err "--fit is missing"
expect 2 evaluate "$samples" --preset classic
has err "are of tables of users and items"
