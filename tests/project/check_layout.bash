#!/bin/bash
# check_layout.bash ROOT WORK: scripts/check-layout names each thing that is wrong in a small repository, made in WORK.
set -euo pipefail
root=$1
work=$2
rm -rf "$work"
mkdir -p "$work"/tree/{docs,tests/base,src/base,src/layers}
cd "$work/tree"
git init -q .

printf 'int whole;\n' >src/base/whole.cpp
printf 'class Dense : public LayerOf<Dense> {\n    kind_name = "dense";\n};\n' >src/layers/dense.hpp
printf '    entry<Dense>(),  //\n' >src/layers/registry.cpp
printf '| `base` | all |\n| `layers` | kinds |\n' >src/README.md
printf '# Stacks\n\n## The kinds\n\n| `dense` | a kind |\n' >docs/stacks.md
printf '[kinds](docs/stacks.md#the-kinds) `src/base/whole.cpp`\n' >README.md
printf 'project(stackae VERSION 1.2.3 LANGUAGES CXX)\n' >CMakeLists.txt
printf '# Changelog\n\n## [1.2.3] - 2026-01-01\n\n## [1.2.2] - 2025-01-01\n' >CHANGELOG.md
printf 'TEST_CASE("A name") {}\nTEST_CASE("name() is of code") {}\n' >tests/base/base_test.cpp
check() { "$root/scripts/check-layout" "$work/tree" >../out 2>&1; }
check || { cat ../out; echo "what is in order is called wrong"; exit 1; }

# named WHAT: the check fails, and what it prints has that in it.
named() {
    if check || ! grep -qF -- "$1" ../out; then
        cat ../out
        echo "'$1' was not named"
        exit 1
    fi
}
mkdir other && printf 'x\n' >other/file && named "other: what is on top"
yes '// a line' | head -n 451 >src/base/long.cpp && named "src/base/long.cpp: 451 lines found"
mkdir src/attic && printf 'int a;\n' >src/attic/a.cpp && named "src/README.md: a row for attic"
printf 'class Pca : public LayerOf<Pca> {\n    kind_name = "pca";\n};\n' >src/layers/pca.hpp
printf '    entry<Pca>(),  //\n' >>src/layers/registry.cpp && named "docs/stacks.md: a row for pca"
printf 'TEST_CASE("small letters") {}\n' >tests/base/small_test.cpp && named 'tests/base/small_test.cpp:1: "small letters"'
printf 'TEST_CASE(\n    "wrapped letters") {}\n' >tests/base/wrapped_test.cpp && named '"wrapped letters"'
printf 'project(stackae VERSION 1.3.0 LANGUAGES CXX)\n' >CMakeLists.txt
named "CHANGELOG.md: version 1.2.3 on top found, 1.3.0 expected"
printf '[x](nowhere.md) [y](stacks.md#nothing) `src/base/gone.hpp`\n' >docs/page.md
named "docs/page.md: (nowhere.md) leads nowhere"
named "docs/page.md: (stacks.md#nothing): docs/stacks.md has no such heading"
named 'docs/page.md: `src/base/gone.hpp` is not there'
