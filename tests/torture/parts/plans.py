"""What `train` says beforehand and keeps to: how soon the plan of --dry-run is there, how large a checkpoint is and what it
costs, and how much memory is taken."""
import contextlib
import json
import os
import re
import subprocess
import time

import numpy as np
from PIL import Image

from ..harness import Faults, Figure, say
from .resume import strokes

STACKS = {"auto": [], "conv": ["--preset", "conv"], "dense": ["--layers", "500,100"]}
DENSE = ["--layers", "500,100", "--epochs", 2, "--fine-tune", 2]
CONV = ["--stack", "conv2d:64:patches=100000, pool2d:2, conv2d:128:kernel=3:patches=60000, pool2d:grid=2, power_norm, "
        "pca:60, l2_norm, nystroem:500"]
MAX_SECONDS = 2.0
MAX_COST = 0.02
MAX_SIZE_OFF = 0.1
MARGIN = 64  # MiB beside --memory: the program, its libraries and threads
MIB = 1 << 20


def folder_of(folder, count, side, numbers):
    """So many names of a few pictures."""
    folder.mkdir()
    several = min(count, 10)
    for i in range(several):
        coarse = numbers.integers(0, 256, (max(side // 16, 8), max(side // 16, 8), 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((side, side)).save(folder / f"{i:06}.jpg")
    for i in range(several, count):
        os.link(folder / f"{i % several:06}.jpg", folder / f"{i:06}.jpg")
    return folder


def seconds_to_plan(setup, words):
    """Until the last line of the plan is there, before this machine is measured."""
    begin = time.monotonic()
    process = setup.start("train", *words, "--dry-run", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    stages = seconds = None
    for line in process.stdout:
        if line.strip().startswith("stage "):
            stages = True
        elif stages and not line.strip() and seconds is None:
            seconds = time.monotonic() - begin
    if process.wait() != 0 or seconds is None:
        raise RuntimeError(f"no plan: train {words}: {process.returncode}")
    return seconds


def plans(setup, big):
    folder = setup.folder("plans")
    numbers = np.random.default_rng(setup.seed)
    inputs = {"many tiny": folder_of(folder / "tiny", 20_000, 16, numbers),
              "large": folder_of(folder / "large", 200, 4000, numbers),
              "few": folder_of(folder / "few", 5, 32, numbers), "a big IDX": big}
    slowest = (0.0, "")
    for name, pictures in inputs.items():
        found = {stack: seconds_to_plan(setup, [pictures, *words]) for stack, words in STACKS.items()}
        say(f"  the plan of {name}: " + ", ".join(f"{stack} {seconds:.2f} s" for stack, seconds in found.items()))
        slowest = max(slowest, *((seconds, f"{name}, {stack}") for stack, seconds in found.items()))
    return Figure("train --dry-run: seconds until the plan is there", f"≤ {MAX_SECONDS:g}",
                  f"{slowest[0]:.2f} at most ({slowest[1]})", slowest[0] <= MAX_SECONDS)


def cost(setup, pictures):
    """Of checkpoints every five seconds, by what the log says of each."""
    folder = setup.folder("cost")
    log = folder / "log.jsonl"
    start = time.monotonic()
    setup.must("train", pictures, "-o", folder / "mine.stackae", "--checkpoint-every", "5s", "--log", log, "--no-comparison",
               "-q", timeout=3600)
    total = time.monotonic() - start
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    spent = [event["seconds"] for event in events if event["event"] == "checkpoint"]
    share = sum(spent) / total
    return Figure("checkpoints every 5 s: share of a default training's time", f"< {MAX_COST:.0%}",
                  f"{share:.2%}: {len(spent)} took {sum(spent):.2f} s of {total:.0f}", bool(spent) and share < MAX_COST)


def largest(setup, words, look):
    """Of what look(pid) gives while a training runs."""
    process = setup.start("train", *words, "--no-comparison", "-q", stderr=subprocess.DEVNULL)
    found = 0
    while process.poll() is None:
        with contextlib.suppress(OSError, TypeError):
            found = max(found, look(process.pid))
        time.sleep(0.002)
    if process.returncode != 0:
        raise RuntimeError(f"train {words}: {process.returncode}")
    return found


def peak_mib(pid):
    """None where the process has ended."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        found = re.search(r"^VmHWM:\s+(\d+) kB", status.read(), re.MULTILINE)
    return int(found[1]) / 1024 if found else None


def sizes(setup, pictures):
    model = setup.folder("sizes", in_memory=True) / "mine.stackae"
    worst, text = 0.0, []
    for name, words in {"dense": DENSE, "conv": CONV}.items():
        said = setup.must("train", pictures, *words, "--dry-run").out.decode()
        number, unit = re.search(r"^checkpoint +([\d.]+) (\w+) at most", said, re.MULTILINE).groups()
        named = float(number) * 1024 ** ("B", "KiB", "MiB", "GiB").index(unit)
        found = largest(setup, [pictures, *words, "-o", model, "--checkpoint-every", 0],
                        lambda _: os.stat(f"{model}.ckpt").st_size)
        text.append(f"{name} {found / MIB:.2f} of {named / MIB:.2f} MiB")
        worst = max(worst, abs(found / named - 1))
    return Figure("the largest checkpoint, of what the plan says", f"within {MAX_SIZE_OFF:.0%}", ", ".join(text),
                  worst <= MAX_SIZE_OFF)


def memory(setup, pictures):
    model = setup.folder("memory") / "mine.stackae"
    faults = Faults()
    text = []
    for limit in (128, 256, 1024):
        for name, words in {"dense": DENSE, "conv": CONV}.items():
            peak = largest(setup, [pictures, "-o", model, *words, "--memory", f"{limit}M"], peak_mib)
            text.append(f"{peak:.0f}")
            if peak > limit + MARGIN:
                faults.add(f"{name}, --memory {limit}M: {peak:.0f} MiB")
        text.append(f"of {limit},")
    return Figure("train --memory: MiB at most, dense and conv", f"≤ --memory + {MARGIN} MiB", " ".join(text).rstrip(","),
                  faults.count == 0)


def run(setup):
    numbers = np.random.default_rng(setup.seed)
    big = strokes(setup.folder("big"), setup.count(60_000), 28, numbers)
    middle = strokes(setup.folder("middle"), 10_000, 28, numbers)
    few = strokes(setup.folder("few-strokes"), setup.count(2_000), 28, numbers)
    return [plans(setup, big), sizes(setup, middle), memory(setup, middle), cost(setup, few)]
