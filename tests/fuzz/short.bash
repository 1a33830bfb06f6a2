#!/bin/bash
# A short run of every target, the same each time: short.bash FUZZ_READERS OPTION...
set -euo pipefail
program=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$program" --seeds seeds
for target in $("$program" --targets); do
    if [[ -z $(ls "seeds/$target") ]]; then
        echo "$target: a file to begin with expected, none found" >&2
        exit 1
    fi
    "$program" "--target=$target" "$@" "seeds/$target" >log 2>&1 || {
        tail -n 60 log
        echo "$target: failed; repeat it with $program --target=$target $* SEEDS" >&2
        exit 1
    }
    echo "$target: $(tail -n 1 log)"
done
