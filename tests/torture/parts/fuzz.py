"""Coverage-guided fuzzing of the readers, under sanitizers, by scripts/fuzz."""
import re
import subprocess

from ..harness import Figure, say

EXECUTIONS = 2_000_000


def run(setup):
    wanted = setup.count(EXECUTIONS)
    process = subprocess.Popen([setup.root / "scripts" / "fuzz", "--runs", str(wanted), "--seed", str(setup.seed)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    last = ""
    for line in process.stdout:
        if line.strip():
            last = line.strip()
            say(f"  {last}")
    code = process.wait()
    total = re.search(r"(\d+) executions, (\d+) crashes, (\d+) reports", last)
    executions, crashes, reports = map(int, total.groups()) if total else (0, 0, 0)
    return [Figure("executions of the readers' fuzz targets", f"{wanted}, no crash, no sanitizer report",
                   last if total else f"exit code {code}: {last[:100]}",
                   code == 0 and executions >= wanted and crashes == reports == 0)]
