#!/bin/bash
# What a library gives to others is what its map and its header name, and nothing else:
#   check_symbols.bash LIBRARY MAP HEADER RELEASED
set -euo pipefail
library=$1 map=$2 header=$3 released=$4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort >"$folder/given"
sed -n '/global:/,/local:/s/^ *\([a-z0-9_]*\);$/\1/p' "$map" | LC_ALL=C sort >"$folder/mapped"
grep '^STACKAE_API' "$header" | grep -oE 'stackae_[a-z0-9_]+\(' | tr -d '(' | LC_ALL=C sort >"$folder/declared"
grep -oE '^[a-z].*\bstackae_[a-z0-9_]+\(' "$released" | grep -oE 'stackae_[a-z0-9_]+\($' | tr -d '(' |
    LC_ALL=C sort >"$folder/released"
if [[ ! -s $folder/given ]]; then
    echo "$library gives nothing" >&2
    exit 1
fi
for other in mapped declared released; do
    diff "$folder/given" "$folder/$other" >&2 || {
        echo "$library gives others (<) than what is $other (>)" >&2
        exit 1
    }
done
nm -D "$library" | awk '$2 == "T" && $3 !~ /@@STACKAE_0\.2$/ { print $3 ": without its version"; wrong = 1 } END { exit wrong }'
