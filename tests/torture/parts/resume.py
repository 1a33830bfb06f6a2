"""SIGKILL at moments drawn over a whole run of train, extract or enroll, again and again, each time gone on with by
--resume, until a run comes to its end; and at calls that change files, in a run that has a checkpoint to go on with. What
is left has to be, byte for byte, what a run leaves that nothing disturbed, and nothing beside it."""
import dataclasses
import re
import shutil
import time

import numpy as np

from ..harness import Faults, Figure, contents, say, write_people
from ..writers import write_idx

KILLS = 200
MOST_TRIES = 3  # for each kill that is wanted: some runs end before, some are killed before they begin
RESUMED = 0.5   # of the kills, at least, after which the next run found a checkpoint
CALLS = 12      # of each command, that change files and at which it is killed


@dataclasses.dataclass
class Command:
    """A command without --resume. `{}` in a word is the folder of its outputs."""
    name: str
    words: list
    code: int = 0      # of its exit
    first: list = ()   # a command that has to run before, in the same folder


class Resuming:
    """One command, broken off and gone on with."""

    def __init__(self, setup, command, numbers, faults, *, begun, taken_up):
        """begun, taken_up: expressions that find, in what a run says, that it has begun and what it went on with."""
        self.setup = setup
        self.command = command
        self.numbers = numbers
        self.faults = faults
        self.begun = begun
        self.taken_up = taken_up
        self.folder = setup.folder("resumed", in_memory=True)
        self.kept = setup.folder("before", in_memory=True)
        self.kills = self.at_calls = self.resumed = self.ends = self.same = 0
        self.places = set()
        if command.first:
            self.setup.must(*self._filled(command.first))
        shutil.copytree(self.folder, self.kept, dirs_exist_ok=True)
        begin = time.monotonic()
        ended = setup.run(*self._filled(command.words), timeout=600)
        self.seconds = time.monotonic() - begin
        self.whole = contents(self.folder)
        if ended.code != command.code:
            raise RuntimeError(f"{command.name}: {ended.code}: {ended.err[-300:]}")

    def _filled(self, words):
        return [str(word).replace("{}", str(self.folder)) for word in words]

    def _reset(self, state):
        shutil.rmtree(self.folder)
        shutil.copytree(state, self.folder)

    def _once(self, kill_after=None, env=None):
        """True where it was killed after it had begun, False where before, None where it came to its end."""
        every = "5m" if env else self.numbers.choice(("0", "0.02s", "0.1s"))
        ended = self.setup.run(*self._filled(self.command.words), "--resume", "--checkpoint-every", every,
                               timeout=600, kill_after=kill_after, env=env)
        if found := re.search(self.taken_up, ended.err, re.MULTILINE):
            self.resumed += 1
            self.places.add(found[1])
        if ended.code == self.command.code:
            return None
        if ended.code != -9:
            self.faults.add(f"{self.command.name}: {ended.code}: {ended.err.strip()[-300:]}")
            return None
        return bool(re.search(self.begun, ended.err, re.MULTILINE))

    def chain(self, kills):
        """So many kills at most, then to the end."""
        self._reset(self.kept)
        killed = False
        tries = 0
        while killed is not None and kills > 0 and tries < MOST_TRIES * KILLS:
            tries += 1
            killed = self._once(self.numbers.uniform(0, self.seconds))
            self.kills += killed is True
            kills -= killed is True
        self._end(killed, "kills")

    def _end(self, killed, what):
        """To the end, where it did not come there."""
        if killed is not None and self._once() is not None:
            self.faults.add(f"{self.command.name}: it does not come to its end after {what}")
        self.ends += 1
        found = contents(self.folder)
        self.same += found == self.whole
        if found != self.whole:
            other = sorted(name for name in {*found, *self.whole} if found.get(name) != self.whole.get(name))
            self.faults.add(f"{self.command.name}: after {what} other than without: {other}")

    def kill_at_calls(self, shim):
        """Before and after calls that change files, in a run that goes on with the checkpoint of one that was killed."""
        state = self.setup.folder("broken-off", in_memory=True)
        while not any(name.endswith(".ckpt") for name in contents(state)):
            self._reset(self.kept)
            if self._once(self.numbers.uniform(0.3, 0.9) * self.seconds):
                shutil.rmtree(state)
                shutil.copytree(self.folder, state)
        count = self.setup.scratch / "calls"
        env = shim | {"FAULTS_FOLDER": str(self.folder)}
        self._once(env=env | {"FAULTS_COUNT": str(count)})
        calls = int(count.read_text())
        points = [(call, do) for call in range(1, calls + 1) for do in ("before", "after")]
        for call, do in sorted(self.numbers.sample(points, min(len(points), self.setup.count(CALLS)))):
            self._reset(state)
            killed = self._once(env=env | {"FAULTS_AT": str(call), "FAULTS_DO": do})
            self.at_calls += killed is not None
            self._end(killed, f"a kill {do} call {call} of {calls}")


def measure(setup, what, commands, **finding):
    """Kills of all commands, by turns as many, as a line of the table."""
    numbers = setup.random(f"resume {what}")
    faults = Faults()
    total = setup.count(KILLS)
    shim = {"LD_PRELOAD": str(setup.compiled("faults.c", "-shared", "-fPIC"))}
    kills = at_calls = resumed = ends = same = 0
    for number, command in enumerate(commands):
        resuming = Resuming(setup, command, numbers, faults, **finding)
        wanted = total * (number + 1) // len(commands) - total * number // len(commands)
        chains = 0
        while resuming.kills < wanted and chains < MOST_TRIES * wanted:
            chains += 1
            resuming.chain(min(wanted - resuming.kills, numbers.randint(1, 8)))
        resumed += resuming.resumed
        resuming.kill_at_calls(shim)
        places = f", at {', '.join(sorted(resuming.places))}" if len(resuming.places) < 9 else ""
        say(f"  {command.name}: {resuming.kills} kills within {resuming.seconds:.2f} s, {resuming.at_calls} at calls, "
            f"{resuming.resumed} times gone on with{places}; the same in the end {resuming.same} times of {resuming.ends}")
        kills += resuming.kills
        at_calls += resuming.at_calls
        ends += resuming.ends
        same += resuming.same
    return Figure(f"SIGKILL of {what}, --resume to the end", f"{total} of {total}: the same bytes",
                  f"{kills} kills, {resumed} times gone on with, {at_calls} at calls; {same} of {ends} ends the same",
                  faults.count == 0 and same == ends and kills >= total and resumed >= RESUMED * kills)


def strokes(folder, count, side, numbers):
    """IDX pictures of bright lines on dark noise."""
    y, x = np.mgrid[0:side, 0:side]
    angle = numbers.uniform(0, np.pi, (count, 1, 1))
    at = numbers.uniform(side / 4, 3 * side / 4, (2, count, 1, 1))
    away = np.abs((x - at[0]) * np.sin(angle) - (y - at[1]) * np.cos(angle))
    pixels = 230 * np.clip(1.5 - away, 0, 1) + numbers.uniform(0, 25, (count, side, side))
    return write_idx(folder, "strokes", pixels.astype(np.uint8), (np.arange(count) % 4).astype(np.uint8))


def trainings(pictures):
    """Together every kind of layer that learns, refining and slow features of patches, fine-tuning, a decoder alone."""
    def training(name, stack, *more):
        return Command(name, ["train", pictures, "-o", "{}/mine.stackae", "--stack", stack, "--no-comparison", "-j", 1,
                              *more])

    return [
        training("dense, fine-tuned", "dense:96, dense:24, dense:10", "--epochs", 40, "--fine-tune", 30, "-b", 32,
                 "--corruption", "masking:0.2"),
        training("conv2d twice, pca, nystroem", "conv2d:64:kernel=5:patches=12000, pool2d:2, "
                 "conv2d:48:kernel=3:patches=12000, pool2d:grid=2, power_norm, pca:20, l2_norm, nystroem:400"),
        training("pca, nystroem", "pca:100, l2_norm, nystroem:800"),
        training("conv2d refined, dense", "conv2d:32:kernel=5:patches=8000:epochs=30, pool2d:grid=3, dense:16",
                 "--epochs", 30, "-b", 32),
        training("slow conv2d, whiten, dense, ridge_decoder", "conv2d:16:kernel=5:slow_offset=2:patches=60000, pool2d:2, "
                 "whiten:60, dense:40, ridge_decoder:16:width=16", "--epochs", 30, "-b", 32),
    ]


def encodings(setup, pictures):
    """Of a folder with damaged pictures in it, of a path that is not there, and of an IDX file."""
    folder = setup.folder("resume-people")
    numbers = np.random.default_rng(setup.seed)
    write_people(folder, ["anna", "ben", "carl"], 100, numbers, side=16)
    for name in ("anna/0004.png", "ben/0050.png", "carl/0099.png"):
        (folder / name).write_bytes(b"no picture")
    few = setup.folder("resume-few")
    write_people(few, ["anna", "dora"], 30, numbers, side=16)
    model = setup.scratch / "encoder.stackae"
    setup.must("train", pictures, "-o", model, "--stack",
               "conv2d:48:kernel=5:patches=4000, pool2d:grid=3, power_norm, pca:40, l2_norm, nystroem:200", "-q",
               "--no-comparison")
    common = ["-m", model, "-j", 1, "-b", 16]
    skips = 3  # the exit code where pictures were skipped

    def extract(output):
        return Command(f"extract to {output}", ["extract", folder, setup.scratch / "nowhere", *3 * [pictures], *common, "-o",
                                                "{}/" + output, "--manifest", "{}/pictures.csv"], skips)

    enroll = ["enroll", folder, pictures, *common, "-o", "{}/people.gallery"]
    return [extract("table.csv"), extract("table.npy"), extract("table.jsonl"), Command("enroll", enroll, skips),
            Command("enroll --append", [*enroll, "--append"], skips,
                    first=["enroll", few, *common, "-o", "{}/people.gallery"])]


def run(setup):
    pictures = strokes(setup.folder("strokes"), 1600, 16, np.random.default_rng(setup.seed))
    return [measure(setup, "training", trainings(pictures), begun="^stack: ",
                    taken_up=r"^(.*?) \(.* is taken up again$"),
            measure(setup, "extract and enroll", encodings(setup, pictures),
                    begun="the run begins at the beginning$|^taken from the run that was stopped: ",
                    taken_up="taken from the run that was stopped: the first (.*) of .*$")]
