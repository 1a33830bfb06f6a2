"""Every kind of picture that stackae reads: by the tests of the suite, which make them and know their pixels, and once
more by files that other programs and another hand wrote."""
import re
import subprocess

import numpy as np

from ..harness import Decoder, Faults, Figure, say
from ..pictures import every_kind, rgb


def suite(setup):
    ended = subprocess.run([setup.build / "tests" / "data" / "test_data"], capture_output=True, text=True,
                           cwd=setup.root, timeout=1800)
    summary = (ended.stdout.strip().splitlines() or ["no output"])[-1]
    cases = re.search(r"(\d+) assertions? in (\d+) test cases?", summary)
    measured = f"{cases[2]} tests, {cases[1]} assertions pass" if cases and ended.returncode == 0 else summary
    return Figure("pictures of every kind, made by the suite", "all right", measured, ended.returncode == 0)


def run(setup):
    figures = [suite(setup)]
    faults = Faults()
    folder = setup.folder("kinds")
    by_format = {}
    with Decoder(setup) as decoder:
        for known in every_kind(setup.seed, setup.folder("made")):
            path = folder / known.name
            path.write_bytes(known.data)
            found = decoder.pixels(path)
            counts = by_format.setdefault(path.suffix[1:], [0, 0])
            counts[1] += 1
            if isinstance(found, str):
                faults.add(f"{known.name}: {found}")
            elif found.shape[:2] != known.pixels.shape[:2]:
                faults.add(f"{known.name}: {found.shape} for {known.pixels.shape}")
            elif not (off := np.abs(rgb(found) - known.pixels).max()) <= known.within:
                faults.add(f"{known.name}: a value is off by {off:.4f}")
            else:
                counts[0] += 1
    for name, (right, made) in sorted(by_format.items()):
        say(f"  {name}: {right} of {made} right")
    right, made = (sum(column) for column in zip(*by_format.values()))
    figures.append(Figure("pictures of every kind, made by others", "all right", f"{right} of {made} right",
                          faults.count == 0))
    return figures
