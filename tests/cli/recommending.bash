# Recommendations to many, features of users and items, users whom a model has not seen, and what is no table.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

# Users of two tastes: 30,000 of them, with 5 of 20 items each, and how many of each.
awk 'BEGIN {
    print "user,item,count"
    for (u = 0; u < 30000; ++u)
        for (i = 0; i < 5; ++i)
            printf "u%d,%s%d,%d\n", u, u % 2 ? "a" : "b", (u * 7 + i * (1 + u % 3)) % 20, 1 + (u + i) % 4
}' >many.csv
head -n 2001 many.csv >shop.csv
expect 0 train many.csv -o many.stackae --stack edlae -q
expect 0 train shop.csv -o shop.stackae --value log -q

# Runs it with --resume until it comes to its end, killed at moments of all kinds.
all=(recommend -m many.stackae --all --top 3 --explain 2)
expect 0 "${all[@]}" -o whole.csv
lines whole.csv 90001
missing whole.csv.ckpt
kills=0
for ((moment = 20; moment < 60000; moment += moment / 3)); do
    delay=$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))
    last="${all[*]} --resume, killed after $delay s"
    { timeout -s KILL "$delay" "$program" "${all[@]}" -o pieces.csv --resume --checkpoint-every 0 >out 2>err </dev/null; } 2>/dev/null
    status=$?
    # The one that was killed may not be gone yet: then it has the folder still, and nothing was done.
    ! grep -q "another run that is under way has it" err || continue
    [ $status -eq 137 ] || break
    [ ! -e pieces.csv ] || cmp -s whole.csv pieces.csv || fail "some of the recommendations are in their file"
    kills=$((kills + 1))
done
[ "$kills" -gt 1 ] || fail "killed $kills times only"
cmp -s whole.csv pieces.csv || fail "the recommendations are others"
missing pieces.csv.ckpt

# One that is interrupted says how to go on; nothing is begun anew over it.
interrupted stopped.json.ckpt/000000000000.recommendations "${all[@]}" -o stopped.json --json --checkpoint-every 0 --resume
expect 0 info stopped.json.ckpt
has out "users        the first "
expect 0 info stopped.json.ckpt --json
has out '"kind":"recommendations"'
expect 2 "${all[@]}" -o stopped.json --json
has err "stopped.json.ckpt holds recommendations of a run that was stopped"
draw picture.pgm 1
expect 2 extract picture.pgm -o stopped.json --format jsonl --resume
has err "stopped.json.ckpt holds recommendations of a run that was stopped, codes expected"
exists stopped.json.ckpt/000000000000.recommendations
expect 1 recommend -m many.stackae --all --top 4 --explain 2 -o stopped.json --resume
has err "stopped.json.ckpt: the checkpoint is of another run: top: 4 found, 3 in the checkpoint"
expect 0 "${all[@]}" -o stopped.json --json --resume
has err "are those of the run that was stopped"
expect 0 "${all[@]}" -o whole.json --json
cmp -s whole.json stopped.json || fail "the JSON is another one"
expect 2 "${all[@]}" --resume
has err "--resume needs a file as the output"

# Features: the code of each user's row, and an item's row of the decoder, with their ids.
expect 0 extract -m shop.stackae
lines out 401
grep -q '^user,f0,' out || fail "no header of users"
grep -q '^u7,' out || fail "u7 has no code"
expect 0 extract -m shop.stackae --items -o items.csv
lines items.csv 41
grep -q '^item,f0,' items.csv || fail "no header of items"
expect 0 extract shop.csv -m shop.stackae -o users.npy
has err "400 rows of 40 features"
has users.npy.csv "row,user"
expect 0 extract shop.csv -m shop.stackae -o users.jsonl
has users.jsonl '{"user":"u0","features":['
expect 0 train shop.csv -o dense.stackae --stack 'dense:4:activation=tanh' --epochs 2 -q
expect 0 extract -m dense.stackae --items
lines out 41
expect 0 extract shop.csv -m dense.stackae --batch-size 7
has err "--batch-size is not used: it is of pictures"
expect 2 extract shop.csv -m dense.stackae --items
expect 2 extract shop.csv -m dense.stackae --manifest none
expect 2 extract "$samples" -m dense.stackae --items
expect 1 extract shop.csv -m "$samples/../models/digits.stackae"
has err "a model of pictures found, one of a table expected"
expect 2 extract -m "$samples/../models/digits.stackae"
has err "extract needs an INPUT: a picture, a folder, a list, IDX or .npy"
has err "a model of pictures found; one of a table needs none"

# Users whom the model has not seen are folded in.
sed -n '1p;1500,3500p' many.csv >more.csv
expect 0 evaluate more.csv -m shop.stackae
has out "popularity"
expect 2 evaluate shop.csv -m shop.stackae
has err "the model knows all 400 users of shop.csv"
has err "--fit learns anew"
{ head -n 1 shop.csv; sed -n '2001p' shop.csv; for i in 1 3 5 7 9; do echo "new,a$i,1"; done; } >single.csv
expect 0 evaluate single.csv -m shop.stackae
has out "1 user whom the model has not seen"
expect 2 evaluate single.csv -m shop.stackae --splits 3
has err "--splits 3 found, 1 expected with -m MODEL"
has_not out "nan"
has_not out "not better"

# What values are stays with the model.
expect 0 info shop.stackae
has out "400 users, 40 items, 2,000 entries (log values)"
expect 0 info shop.stackae --json
has out '"table":{"entries":2000,"items":40,"users":400,"value":"log"}'
expect 0 recommend -m shop.stackae --new-user more.csv --top 1 -o by_default.csv
expect 0 recommend -m shop.stackae --new-user more.csv --top 1 --value log -o by_name.csv
cmp -s by_default.csv by_name.csv || fail "new users are read otherwise than those that were learnt"
expect 2 recommend -m shop.stackae --new-user more.csv --value raw
has err "--value raw found, log expected"
expect 0 recommend -m shop.stackae --bought a1,a2
has err "each item has the mean of its values there"
expect 0 recommend -m many.stackae --bought a1,a2
has_not err "mean"
expect 0 train shop.csv -o other.stackae --value log --save-config shop.conf --stack edlae -q
has shop.conf "value = log"
has_not shop.conf "img-size"
expect 0 train shop.csv -o config.stackae --config shop.conf -q
cmp -s other.stackae config.stackae || fail "the configuration was not what it said"

# A finished model is gone on with at once; a default name replaces no other model.
expect 0 train shop.csv -o shop.stackae --value log --resume
has err "finished, of this table: nothing to go on with"
has_not err "auto:"
expect 0 train shop.csv --stack edlae -q
cp more.csv other.csv
mkdir elsewhere
cp more.csv elsewhere/shop.csv
expect 2 train elsewhere/shop.csv --stack edlae
has err "models/shop.stackae is there"

# Nothing is written before it is known that it can be.
printf 'a1\nq1\nq2\nq3\nq4\nq5\nq6\n' >some
expect 1 recommend -m shop.stackae --all --only some
empty out
has err '--only some: 6 items "q1", "q2", "q3", "q4", "q5", …: not found among the 40'
expect 1 similar-items -m shop.stackae a1 q
empty out
printf 'one,a\n' >one.csv
expect 1 train one.csv --format triples --header no -o none.stackae --memory 1
has err "1 user, 1 item, 1 entry"

# Ids that are no UTF-8 come out as they went in.
printf 'user,item\n\xe9ve,\xff\n\xe9ve,b\nadam,b\nadam,\xff\nadam,c\n' >latin.csv
expect 0 train latin.csv -o latin.stackae --stack edlae -q
expect 0 recommend -m latin.stackae --all --include-known
grep -qa $'^\xe9ve,[0-9],\xff,' out || fail "ids are not what they were"
expect 0 extract -m latin.stackae --items
grep -qa $'^\xff,' out || fail "an item's id is not what it was"

# Where the rows are items, they are called so, and what is held for users is known before.
expect 0 train shop.csv --rows item --stack dense:4:activation=tanh --epochs 2 -o by_item.stackae
expect 0 info by_item.stackae
has out "trained on   40 items"
has out "values an item"
expect 0 train shop.csv --rows item --stack dense:4 --dry-run
has out "items        40"
has out " items a second"
expect 1 extract -m by_item.stackae --memory 1K
has err "for the decoder's rows"
expect 0 extract -m by_item.stackae
lines out 401
expect 0 extract -m by_item.stackae --items --memory 1K
lines out 41

# A training of a table that is stopped says what its rows are.
for rows in user item; do
    last="train --rows $rows, interrupted"
    "$program" train shop.csv --rows $rows --stack dense:4 --epochs 100000 --checkpoint-every 0 -o stopped.stackae --resume >out 2>err </dev/null &
    process=$!
    until [ -e stopped.stackae.ckpt ]; do
        kill -0 $process 2>/dev/null || fail "it ended before it could be interrupted"
    done
    kill -TERM $process
    wait $process
    expect 0 info stopped.stackae.ckpt
    case $rows in
        user) has out "users        400" ;;
        item) has out "items        40" ;;
    esac
    has_not out picture
    expect 0 info stopped.stackae.ckpt --json
    has out "\"row\":\"$rows\""
    rm -f stopped.stackae stopped.stackae.ckpt
done

# What is no list of pictures and what is no table is told apart; no line of it is printed.
printf '70717 13 57 208\n70718 4 5\n70719 3 4 13\n' >lists.txt
expect 0 train lists.txt --dry-run
has out "users        3"
printf 'secret milk bread\nsecret2 milk\n' >words.txt
expect 2 train words.txt
has err "--format says what its rows are"
has_not err secret
expect 2 extract words.txt -m shop.stackae
has err "--table-format says what its rows are"
printf 'user,item\np,a\np,b\nq,b\n' >users.csv
touch user
expect 0 train users.csv --dry-run
has out "users        2"
rm user
draw picture.pgm 1
printf 'picture.pgm,cat\npicture.pgm,dog\ngone.pgm,dog\n' >pictures.csv
expect 2 train pictures.csv
has err "a list of pictures is called .txt"
printf 'picture.pgm\tcat\n' >pictures.txt
expect 0 train pictures.txt --layers 2 --epochs 1 -o pictures.stackae -q

# Options of pictures do not pass for options of tables.
expect 0 train shop.csv -o sized.stackae --img-size 32 --budget 10m --max-pixels 7
has err "--img-size is not used: it is of pictures"
has err "--budget is not used"
has err "--max-pixels is not used"
expect 2 evaluate shop.csv --fit --manifest some.csv
has err "--manifest is of pictures"

# The lines that were left out, each with the reason; also where nothing is left.
printf 'user,item,n\np,a,1\n,b,1\nq,b,none\nq,b,-1\nq,a,2\n' >odd.csv
expect 0 train odd.csv --stack edlae -o odd.stackae --manifest left_out.csv
is left_out.csv $'line,reason\n3,no_user\n4,unreadable_number\n5,not_positive'
printf 'user,item,n\n,a,1\n,b,1\n' >nobody.csv
expect 1 train nobody.csv --stack edlae -o nobody.stackae --manifest left_out.csv
is left_out.csv $'line,reason\n2,no_user\n3,no_user'
expect 2 train odd.csv --stack edlae -o odd.stackae --manifest odd.csv
has err "would replace the input"
expect 2 train odd.csv --dry-run --save-config odd.csv
echo kept >left_out.csv
expect 2 train odd.csv --stack edlae -o shop.csv --manifest left_out.csv
is left_out.csv kept
expect 0 evaluate shop.csv --fit --metric cosine
has err "--metric is not used"
