"""The figures that show what stackae promises; see scripts/torture."""
import argparse
import importlib
import json
import os
import shutil
import sys
import tempfile
import time

from .harness import Figure, Setup, say

PARTS = {
    "kinds": "pictures of every kind that is read, made anew, against known pixels",
    "collections": "other people's test pictures, against Pillow and ImageMagick",
    "galleries": "several enroll --append and --remove of one gallery at once",
    "kills": "SIGKILL while files are written",
    "resume": "SIGKILL of train, extract and enroll, and --resume",
    "plans": "what train says beforehand: its plan, its checkpoints, its memory",
    "mutations": "mutated pictures of every format",
    "fuzz": "coverage-guided fuzzing of the readers, under sanitizers",
    "disk": "full disks and failing ones under every writer",
    "guest": "beside other work, and under a quota of half a core",
    "threads": "one training idle, beside other work and on 1, 2 and 4 threads: the models' bytes",
    "isa": "one model by AVX2 and by AVX-512, and models trained on either",
}


VERDICTS = {True: "ok", False: "FAILED", None: "not measured"}


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="what is drawn at random (0)")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies every count (1)")
    parser.add_argument("--only", metavar="PART[,PART]", help="; ".join(f"{k}: {v}" for k, v in PARTS.items()))
    parser.add_argument("--pictures", metavar="FOLDER", action="append", default=[],
                        help="a collection of test pictures, for the part `collections`; can be given again")
    parser.add_argument("--json", metavar="FILE", help="the figures as JSON")
    parser.add_argument("--root", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.parts = given.only.split(",") if given.only else list(PARTS)
    unknown = [part for part in given.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part '{unknown[0]}'; there are {', '.join(PARTS)}")
    return given


def print_table(figures):
    rows = [("figure", "wanted", "measured", "")]
    rows += [(f.what, f.wanted, f.measured, VERDICTS[f.passed]) for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    say("")
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main():
    given = arguments()
    scratch = tempfile.mkdtemp(prefix="stackae-torture-")
    memory = tempfile.mkdtemp(prefix="stackae-torture-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    figures = []
    try:
        setup = Setup(root=given.root, build=given.build, seed=given.seed, scale=given.scale,
                      collections=given.pictures, scratch=scratch, memory=memory)
        for part in given.parts:
            say(f"== {part}: {PARTS[part]}")
            begin = time.monotonic()
            try:
                figures += importlib.import_module(f"torture.parts.{part}").run(setup)
            except Exception as error:  # a part that breaks down is a figure that was not reached
                figures.append(Figure(part, "it runs", f"{type(error).__name__}: {error}"[:200], False))
            say(f"== {part}: {time.monotonic() - begin:.0f} s")
    finally:
        for folder in (scratch, memory):
            shutil.rmtree(folder, ignore_errors=True)
    print_table(figures)
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump({"seed": given.seed, "scale": given.scale, "figures": [vars(f) for f in figures]}, file, indent=2)
    say(f"\nseed {given.seed}, scale {given.scale:g}")
    sys.exit(0 if not any(figure.passed is False for figure in figures) else 1)


main()
