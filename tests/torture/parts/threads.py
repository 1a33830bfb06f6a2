"""The same training idle, beside other work on every core, and on one, two and four threads: the models' bytes."""
import hashlib

from ..digits import digits
from ..harness import Figure, say
from .guest import busy_cores

PICTURES = 2000


def digest(setup, data, name, *words):
    """Of the bytes of the model that a training makes."""
    model = setup.scratch / "threads" / f"{name.replace(' ', '_')}.stackae"
    setup.must("train", data, "-o", model, "--no-comparison", "-q", *words, timeout=3600)
    found = hashlib.sha256(model.read_bytes()).hexdigest()[:16]
    say(f"  {name}: {found}")
    return found


def run(setup):
    folder = setup.folder("threads")
    data = digits("train", setup.count(PICTURES), folder)
    what = "default training: idle, both cores busy, -j 1, -j 2, -j 4"
    if data is None:
        return [Figure(what, "same bytes: 5 of 5", "STACKAE_DATA has no MNIST", None)]
    found = [digest(setup, data, "idle")]
    with busy_cores():
        found.append(digest(setup, data, "cores busy"))
    found += [digest(setup, data, f"-j {threads}", "-j", threads) for threads in (1, 2, 4)]
    same = found.count(found[0])
    return [Figure(what, "same bytes: 5 of 5", f"same bytes: {same} of {len(found)}", same == len(found))]
