# Tables of users and items: learnt, recommended from, measured.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

# Two tastes: odd users take a to g; even ones s, t, v to z; each without one of them.
{
    echo 'user,item'
    for u in {1..60}; do
        set -- a b c d e f g
        ((u % 2 == 0)) && set -- s t v w x y z
        i=0
        for item; do
            ((i++ == u / 2 % 7)) || echo "u$u,$item"
        done
    done
    echo 'u61,a'
} >shop.csv
expect 0 train shop.csv -o shop.stackae
has err 'user "user", item "item"'
has err "61 users, 14 items, 361 entries"
has err "wrote shop.stackae: 1 layer"
missing shop.stackae.ckpt
cp shop.stackae first
expect 0 train shop.csv -o shop.stackae -j 1 -q
cmp -s first shop.stackae || fail "another model at one thread"

# u1 has all of its taste but a, u2 all but t: what is missing comes first.
expect 0 recommend -m shop.stackae --user u2 --top 1
is err ""
grep -qE '^u2,1,t,[0-9.]+$' out || fail "t is not recommended to u2"
expect 0 recommend -m shop.stackae --user u1 --top 3
has out "u1,1,a,"
has_not out ",b,"
lines out 4
expect 0 recommend -m shop.stackae --user u1 --top 3 --include-known
grep -qE ',[b-g],' out || fail "--include-known ranks no known item"
expect 0 recommend -m shop.stackae --bought 'w,"x"' --top 2 --explain 1
grep -qE '^new,1,[stvyz],[0-9.]+,[wx]$' out || fail "--explain names no item"
printf 'a\nt\n' >few
expect 0 recommend -m shop.stackae --user u2 --only few
lines out 3
expect 0 recommend -m shop.stackae --user u2 --exclude few
has_not out ",t,"
printf 'someone,w\nsomeone,y\nsomeone,unheard of\n' >new.csv
expect 0 recommend -m shop.stackae --new-user new.csv --format triples --top 1 --json
has out '"user":"someone"'
has err "1 item that the model does not know left out"
printf 'someone,unheard of\n' >new.csv
expect 0 recommend -m shop.stackae --new-user new.csv --format triples --header no --top 1 --json
has out '"popular":true'
has err "1 user of whom nothing is known: given what most users have"
expect 0 recommend -m shop.stackae --all --top 1 -o all.csv
lines all.csv 62
expect 0 similar-items -m shop.stackae a --top 2
grep -qE '^a,1,[b-g],' out || fail "no item of its taste is like a"

# What is unknown is told, never answered.
expect 1 recommend -m shop.stackae --user nobody
has err 'user "nobody": not found among the 61 that the model knows'
expect 1 recommend -m shop.stackae --bought 'a,q'
has err 'item "q": not found among the 14'
expect 2 recommend -m shop.stackae
expect 2 recommend -m shop.stackae --user u1 --all
expect 2 recommend --user u1
expect 1 similar-items -m shop.stackae q

# Nothing of a user who is forgotten is in the file.
expect 0 recommend -m shop.stackae --forget u61
grep -qa 'u61' shop.stackae && fail "u61 is still in the file"
expect 1 recommend -m shop.stackae --user u61

# Measured beside others.
expect 0 evaluate shop.csv --fit --splits 2
has out "popularity"
has out "EASE"
expect 0 evaluate shop.csv --fit --json
has out '"recall_20_se"'
expect 0 info shop.stackae
has out "60 users"

printf 'user,item\np,a\nq,b\n' >other.csv
expect 1 evaluate other.csv shop.csv -m shop.stackae
has err "a model of other items"
expect 2 evaluate shop.csv --protocol lightgcn
expect 2 evaluate shop.csv --protocol users --test shop.csv
expect 2 evaluate "$samples" --fit

# A stack that was chosen is the same when it is named; options of gradients do not change what is learnt.
stack=$("$program" info first | sed -n 's/.*  \(edlae.*\)$/\1/p' | head -n 1)
expect 0 train shop.csv -o named.stackae --stack "$stack" -q
expect 0 recommend -m named.stackae --all --top 3 -o named.csv
expect 0 recommend -m first --all --top 3 -o chosen.csv
cmp -s named.csv chosen.csv || fail "a stack that is named recommends otherwise than the same that was chosen"
expect 0 train shop.csv -o named.stackae --epochs 3
has err "edlae"

# Where the closed form has no memory for so many items, its factorised kin is learnt, and said so.
{
    echo 'user,item'
    for u in {1..240}; do
        for k in {1..12}; do
            echo "u$u,i$((u % 10 * 100 + (u * 13 + k * 7) % 100))"
        done
    done
} >wide.csv
expect 0 train wide.csv -o wide.stackae --memory 2M
has err "auto: the factorised linear autoencoder: edlae takes"
has err "stack: elsa:"
expect 0 train wide.csv --dry-run --memory 2M
has err "auto: the factorised linear autoencoder"
expect 0 recommend -m wide.stackae --user u1 --top 3
grep -qE '^u1,1,i1[0-9][0-9],' out || fail "not of u1's taste"
expect 0 similar-items -m wide.stackae i1 --top 1
expect 1 train wide.csv -o none.stackae --stack edlae --memory 2M
has err "to learn edlae found, 2.0 MiB expected at most; the stack elsa:"
missing none.stackae
expect 0 evaluate wide.csv --fit --memory 2M
has err "the factorised linear autoencoder"
has out "model"

# A folder of pictures may be called as tables are; ratings need layers that take them.
mkdir pictures.csv
draw pictures.csv/1.pgm 1
draw pictures.csv/2.pgm 2
expect 0 train pictures.csv -o pictures.stackae --layers 2 --epochs 1 -q
printf 'u,i,4\nv,j,5\nw,i,3\n' >ratings.csv
expect 1 train ratings.csv --header no --value raw --stack dense:2 -o none.stackae
has err "a value of 4 found, 0 to 1 expected by dense"

# Other stacks, and what cannot be.
expect 0 train shop.csv -o dense.stackae --stack 'dense:4:activation=tanh' --epochs 2 -q
expect 0 recommend -m dense.stackae --user u2 --top 1
expect 0 train shop.csv --dry-run
expect 1 train shop.csv -o big.stackae --memory 1K
missing big.stackae
printf 'user,item\n' >empty.csv
expect 1 train empty.csv -o none.stackae
missing none.stackae
expect 1 recommend -m "$samples/../models/digits.stackae" --user u1
has err "a model of pictures found, one of a table expected"
