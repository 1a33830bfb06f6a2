# What the program takes of a machine that it shares.
. "${BASH_SOURCE%/*}/harness.bash" "$@"

# Threads that wait for others spin briefly, unless the user has said how they wait.
unset OMP_WAIT_POLICY GOMP_SPINCOUNT KMP_BLOCKTIME
export OMP_DISPLAY_ENV=verbose
expect 0 --version
has err "GOMP_SPINCOUNT = '1000'"
GOMP_SPINCOUNT=5 expect 0 --version
has err "GOMP_SPINCOUNT = '5'"
OMP_WAIT_POLICY=active expect 0 --version
has_not err "GOMP_SPINCOUNT = '1000'"
has err "OMP_WAIT_POLICY = 'ACTIVE'"
OMP_WAIT_POLICY=passive expect 0 --version
has err "GOMP_SPINCOUNT = '0'"

# Neither an empty environment nor an odd name of the program hinders that; arguments come through.
env -i OMP_DISPLAY_ENV=verbose "$program" info --presets >out 2>err || fail "an empty environment"
has err "GOMP_SPINCOUNT = '1000'"
has out "hinton2006"
(exec -a 'a name' env -i X=1 OMP_DISPLAY_ENV=verbose "$program" no 'such command') >out 2>err
[ $? -eq 2 ] || fail "the exit code in an empty environment"
has err "there is no command 'no'"
unset OMP_DISPLAY_ENV

