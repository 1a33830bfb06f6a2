"""SIGKILL at moments drawn over a whole training, again and again, each time taken up with --resume, until a run comes
to its end: the model has to have the bytes of a run that nothing disturbed."""
import time

import numpy as np

from ..harness import Faults, Figure, contents, say
from ..writers import write_idx

KILLS = 200
MOST_TRIES = 3  # for each kill that is wanted: some runs end before, some are killed before they train
RESUMED = 0.5   # of the kills, at least, after which the next run found a checkpoint

# Together every kind of layer that learns, refining and slow features of patches, fine-tuning, a decoder of its own.
TRAININGS = {
    "dense, fine-tuning": ["--stack", "dense:96, dense:24, dense:10", "--epochs", 50, "--fine-tune", 40, "-b", 32,
                           "--corruption", "masking:0.2"],
    "conv2d twice, pca, nystroem": ["--stack", "conv2d:64:kernel=5:patches=12000, pool2d:2, conv2d:48:kernel=3:patches=12000, "
                                    "pool2d:grid=2, power_norm, pca:20, l2_norm, nystroem:400"],
    "pca, nystroem": ["--stack", "pca:100, l2_norm, nystroem:1400"],
    "conv2d refined, dense": ["--stack", "conv2d:32:kernel=5:patches=8000:epochs=40, pool2d:grid=3, dense:16",
                              "--epochs", 40, "-b", 32],
    "slow conv2d, whiten, dense, ridge_decoder": [
        "--stack", "conv2d:16:kernel=5:slow_offset=2:patches=60000, pool2d:2, whiten:60, dense:40, "
        "ridge_decoder:16:width=16", "--epochs", 40, "-b", 32],
}


def strokes(folder, count, side, numbers):
    """IDX pictures of bright lines on dark noise."""
    y, x = np.mgrid[0:side, 0:side]
    angle = numbers.uniform(0, np.pi, (count, 1, 1))
    at = numbers.uniform(side / 4, 3 * side / 4, (2, count, 1, 1))
    away = np.abs((x - at[0]) * np.sin(angle) - (y - at[1]) * np.cos(angle))
    pixels = 230 * np.clip(1.5 - away, 0, 1) + numbers.uniform(0, 25, (count, side, side))
    return write_idx(folder, "strokes", pixels.astype(np.uint8), (np.arange(count) % 4).astype(np.uint8))


class Training:
    """One that is killed and taken up again."""

    def __init__(self, setup, name, words, pictures, numbers, faults):
        self.setup = setup
        self.name = name
        self.faults = faults
        self.numbers = numbers
        self.folder = setup.folder("resumed", in_memory=True)
        self.model = self.folder / "mine.stackae"
        whole = setup.scratch / "whole.stackae"
        self.words = ["train", pictures, *words, "--no-comparison", "-j", 1]
        begin = time.monotonic()
        setup.must(*self.words, "-o", whole)
        self.seconds = time.monotonic() - begin
        self.bytes = whole.read_bytes()
        self.kills = self.resumed = self.models = self.same = 0
        self.stages = set()

    def one(self, kill_after):
        """A run; returns whether it was killed while it trained, or None where it came to its end."""
        there = (self.folder / "mine.stackae.ckpt").exists()
        every = f"{self.numbers.choice((0.001, 0.02, 0.1))}s"
        ended = self.setup.run(*self.words, "-o", self.model, "--resume", "--checkpoint-every", every,
                               kill_after=kill_after)
        taken_up = [line for line in ended.err.splitlines() if line.endswith("is taken up again")]
        if taken_up:
            self.stages.add(taken_up[0].split(" (")[0])
        if there and not taken_up and "stack: " in ended.err and ended.code == 0:
            self.faults.add(f"{self.name}: there is a checkpoint, and it is not taken up")
        self.resumed += bool(taken_up)
        if ended.code == 0:
            return None
        if ended.code != -9:
            self.faults.add(f"{self.name}: {ended.code}: {ended.err.strip()[-300:]}")
            return None
        return "stack: " in ended.err

    def chain(self, kills):
        """So many kills at most, then to the end."""
        (self.model).unlink(missing_ok=True)
        tries = 0
        while kills > 0 and tries < MOST_TRIES * kills + 10:
            tries += 1
            killed = self.one(self.numbers.uniform(0, self.seconds))
            if killed is None:
                break
            self.kills += killed
            kills -= killed
        else:
            self.one(600)
        self.models += 1
        found = contents(self.folder)
        if set(found) != {"mine.stackae"}:
            self.faults.add(f"{self.name}: in the folder at the end: {sorted(found)}")
        self.same += self.model.exists() and self.model.read_bytes() == self.bytes
        if not self.model.exists() or self.model.read_bytes() != self.bytes:
            self.faults.add(f"{self.name}: another model after kills")


def run(setup):
    numbers = setup.random("resume")
    faults = Faults()
    pictures = strokes(setup.folder("strokes"), 1600, 16, np.random.default_rng(setup.seed))
    total = setup.count(KILLS)
    kills = resumed = models = 0
    for number, (name, words) in enumerate(TRAININGS.items()):
        training = Training(setup, name, words, pictures, numbers, faults)
        wanted = total * (number + 1) // len(TRAININGS) - total * number // len(TRAININGS)
        tries = 0
        while training.kills < wanted and tries < MOST_TRIES * wanted:
            tries += 1
            training.chain(min(wanted - training.kills, numbers.randint(1, 8)))
        say(f"  {name}: {training.kills} kills within {training.seconds:.2f} s, {training.resumed} runs took a checkpoint "
            f"up, in {', '.join(sorted(training.stages))}; {training.same} of {training.models} models the same")
        kills += training.kills
        resumed += training.resumed
        models += training.models
    return [Figure("SIGKILL of training, resumed to the end", f"{total} of {total}: the same bytes",
                   f"{kills} kills, {resumed} runs took a checkpoint up, {models} models; {faults.count} faults",
                   faults.count == 0 and kills >= total and resumed >= RESUMED * kills)]
