"""SIGKILL while files are written: at moments drawn over the whole run, and at each call that changes a file. Right
after it every file has to be the old or the new one, whole. After the next run that writes into the folder, files that
belong together are of one run, and nothing else is left there."""
import statistics
import time

from ..harness import Faults, Figure, say
from ..writers import Stage, all_writers

KILLS = 200


class Killing:
    def __init__(self, setup, stage, faults):
        self.setup = setup
        self.stage = stage
        self.faults = faults
        self.killed = 0
        self.ends = {"old": 0, "new": 0, "mixed for a moment": 0}

    def seconds(self):
        """Of a run that nothing disturbs."""
        times = []
        for _ in range(3):
            self.stage.reset()
            begin = time.monotonic()
            self.setup.must(*self.stage.writer.words(self.stage.folder, 1))
            times.append(time.monotonic() - begin)
        return statistics.median(times)

    def calls(self, shim):
        """How many calls of a run change files of the folder."""
        count = self.setup.scratch / "calls"
        self.stage.reset()
        self.setup.must(*self.stage.writer.words(self.stage.folder, 1),
                        env=shim | {"FAULTS_FOLDER": str(self.stage.folder), "FAULTS_COUNT": str(count)})
        return int(count.read_text())

    def one(self, when, **options):
        """A run that is to be killed; returns whether it was."""
        self.stage.reset()
        ended = self.setup.run(*self.stage.writer.words(self.stage.folder, 1), **options)
        if ended.code != -9:
            if ended.code != 0:
                self.faults.add(f"{self.stage.writer.name}, {when}: {ended.code}: {ended.err.strip()}")
            return False
        self.killed += 1
        self._judge(f"{self.stage.writer.name}, killed {when}")
        return True

    def _judge(self, what):
        stage = self.stage
        found = stage.generations()
        broken = [name for name, generation in found.items() if generation == "broken"]
        if broken:
            self.faults.add(f"{what}: neither old nor new: {broken}")
        kinds = set(found.values())
        self.ends["mixed for a moment" if len(kinds) > 1 and stage.writer.paired else min(kinds)] += not broken
        ended = stage.next_run()
        if ended.code != 0:
            self.faults.add(f"{what}: the next run gave {ended.code}: {ended.err.strip()}")
        wrong = stage.wrong_pair()
        if wrong:
            self.faults.add(f"{what}: not alike after the next run: {wrong}")
        if stage.left_behind():
            self.faults.add(f"{what}: left behind after the next run: {stage.left_behind()}")
        # And the same again, to its end.
        go_on = ["--resume"] if stage.checkpoint() else []
        ended = self.setup.run(*stage.writer.words(stage.folder, 1), *go_on)
        after = stage.generations()
        grown = stage.writer.needs_old and set(found.values()) == {"new"}  # the change was made before
        if ended.code != 0 and not grown or not grown and set(after.values()) != {"new"}:
            self.faults.add(f"{what}: the same run again gave {ended.code}, {after}: {ended.err.strip()}")
        if stage.checkpoint():
            self.faults.add(f"{what}: a checkpoint is there though its model is")


def run(setup):
    numbers = setup.random("kills")
    faults = Faults()
    shim = {"LD_PRELOAD": str(setup.compiled("faults.c", "-shared", "-fPIC"))}
    writers = all_writers(setup, 900)
    total = setup.count(KILLS)
    at_random = at_calls = 0
    ends = {}
    for number, writer in enumerate(writers):
        killing = Killing(setup, Stage(setup, writer, setup.folder("stage")), faults)
        duration = killing.seconds()
        wanted = total * (number + 1) // len(writers) - total * number // len(writers)
        tries = 0
        while killing.killed < wanted and tries < 4 * wanted:
            tries += 1
            moment = numbers.uniform(0, 1.05 * duration)
            killing.one(f"after {moment:.3f} s of {duration:.3f}", kill_after=moment)
        at_random += killing.killed
        before = killing.killed
        calls = killing.calls(shim)
        points = [(call, do) for call in range(1, calls + 1) for do in ("before", "after")]
        for call, do in sorted(numbers.sample(points, min(len(points), setup.count(len(points))))):
            killing.one(f"{do} call {call} of {calls}",
                        env=shim | {"FAULTS_FOLDER": str(killing.stage.folder), "FAULTS_AT": str(call), "FAULTS_DO": do})
        at_calls += killing.killed - before
        for end, count in killing.ends.items():
            ends[end] = ends.get(end, 0) + count
        say(f"  {writer.name}: {before} kills within {duration:.2f} s, {killing.killed - before} at {calls} calls: "
            f"{killing.ends}")
    say(f"  after the kill: {ends}")
    return [Figure(f"SIGKILL while {len(writers)} kinds of output are written", f"{total} of {total} at random whole",
                   f"{at_random} at random, {at_calls} at calls; {faults.count} faults",
                   faults.count == 0 and at_random >= total)]
