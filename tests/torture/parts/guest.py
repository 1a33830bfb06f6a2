"""Beside other work on every core, and under a quota of half a core: the time with the program's own choice of threads,
and with two, over the time with one. What is compared runs in turn, each as often first as last, and medians are taken."""
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

from ..harness import Figure, say
from ..writers import write_idx

ROUNDS = 7
MAX_RATIO = 1.1
GROUPS = pathlib.Path("/sys/fs/cgroup")


@contextlib.contextmanager
def busy_cores():
    """A process a core that never rests."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count())]
    try:
        yield []
    finally:
        for process in spinning:
            process.kill()
            process.wait()


@contextlib.contextmanager
def half_a_core():
    """The words that start a program in a control group of its own; None where none can be made."""
    group = None
    try:
        if (GROUPS / "cgroup.controllers").exists():
            group = GROUPS / "stackae-torture"
            with contextlib.suppress(OSError):
                (GROUPS / "cgroup.subtree_control").write_text("+cpu")
            group.mkdir(exist_ok=True)
            (group / "cpu.max").write_text("50000 100000")
        else:
            group = GROUPS / "cpu" / "stackae-torture"
            group.mkdir(exist_ok=True)
            (group / "cpu.cfs_period_us").write_text("100000")
            (group / "cpu.cfs_quota_us").write_text("50000")
    except OSError as error:
        say(f"  no control group can be made here: {error}")
        yield None
        return
    try:
        yield ["sh", "-c", f'echo $$ >"{group}/cgroup.procs" && exec "$@"', "sh"]
    finally:
        for _ in range(20):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.1)


def seconds_of(setup, before, words):
    begin = time.monotonic()
    subprocess.run([*before, setup.program, *map(str, words)], check=True, stdin=subprocess.DEVNULL)
    return time.monotonic() - begin


def tasks(setup, folder):
    """What is measured, by its name."""
    numbers = np.random.default_rng(setup.seed)

    def pictures(name, count):
        pixels = numbers.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        return write_idx(folder, name, pixels, np.zeros(count, np.uint8))

    model = folder / "guest.stackae"
    train = ["train", pictures("few", 6000), "-o", model, "--layers", "500,250", "--epochs", 4, "--fine-tune", 4,
             "--no-comparison", "-q"]
    setup.must(*train, timeout=600)
    # For as long as training takes: a quota is counted in tenths of a second.
    return {"training": train, "extraction": ["extract", pictures("many", 120_000), "-m", model, "-o", folder / "guest.npy", "-q"]}


def ratios(setup, before, words):
    """Of the program's own choice, and of two threads, over one."""
    ways = {"as it chooses": [], "-j 2": ["-j", 2], "-j 1": ["-j", 1]}
    times = {way: [] for way in ways}
    for turn in range(setup.count(ROUNDS)):
        order = [*ways] if turn % 2 == 0 else [*ways][::-1]
        first = turn % len(order)
        for way in order[first:] + order[:first]:
            times[way].append(seconds_of(setup, before, [*words, *ways[way]]))
    one = statistics.median(times.pop("-j 1"))
    return {way: statistics.median(of) / one for way, of in times.items()}, one


def run(setup):
    figures = []
    measured = tasks(setup, setup.folder("guest"))
    for name, conditions in (("beside other work on every core", busy_cores), ("under half a core of quota", half_a_core)):
        with conditions() as before:
            if before is None:
                figures.append(Figure(f"{name}, over -j 1", f"≤ {MAX_RATIO}", "cannot be measured here", None))
                continue
            found = {}
            for task, words in measured.items():
                by_way, one = ratios(setup, before, words)
                found[task] = by_way
                say(f"  {name}: {task}, -j 1 {one:.2f} s; " + ", ".join(f"{way} {r:.2f} of it" for way, r in by_way.items()))
        text = ", ".join(f"{task} {by_way['as it chooses']:.2f} (-j 2: {by_way['-j 2']:.2f})" for task, by_way in found.items())
        figures.append(Figure(f"{name}, over -j 1", f"≤ {MAX_RATIO}", text,
                              all(r <= MAX_RATIO for by_way in found.values() for r in by_way.values())))
    return figures
