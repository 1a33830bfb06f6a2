#!/bin/bash
# A program in C that knows what pkg-config says of the installed library, and nothing else:
#   installed.bash CMAKE BUILD SOURCE WORK CC PROGRAM
set -euo pipefail
cmake=$1 build=$2 source=$3 work=$4 cc=$5 program=$6
rm -rf "$work"
mkdir -p "$work"
"$cmake" --install "$build" --prefix "$work/prefix" >"$work/installed.txt"
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name stackae_c.pc)")
read -r -a flags < <(pkg-config --cflags --libs stackae_c)
"$cc" -std=c11 -Wall -Wextra -Wpedantic -Werror "$source/examples/c/name_pictures.c" -o "$work/name_pictures" "${flags[@]}"
export LD_LIBRARY_PATH
LD_LIBRARY_PATH=$(dirname "$(find "$work/prefix" -name libstackae_c.so)")
cd "$work"
status=0
./name_pictures 2>usage.txt || status=$?
[[ $status -eq 2 ]] && grep -q '^Usage: ' usage.txt
"$program" train "$source/sample_images/train" --stack dense:40 --epochs 5 --quiet -o m.stackae
"$program" enroll "$source/sample_images/train" -m m.stackae -o g.gallery --quiet
"$program" recognize "$source/sample_images/recognize" -m m.stackae -g g.gallery --quiet >expected.csv
./name_pictures m.stackae g.gallery "$source/sample_images/recognize" >named.csv
# The same names as the program gives.
[[ $(wc -l <named.csv) -ge 10 ]]
diff <(cut -d, -f1,2 named.csv) <(sed 1d expected.csv | cut -d, -f1,2)
