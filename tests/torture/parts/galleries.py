"""Two to eight runs change one gallery at the same time: each must do its part, and none undo another's."""
import json

import numpy as np

from ..harness import Faults, Figure, first_line, say, write_people

ROUNDS = 200
MAX_RUNS = 8


def people_of(setup, gallery):
    """Pictures by name, as the program tells them."""
    ended = setup.run("info", gallery, "--json")
    return json.loads(ended.out)["names"] if ended.code == 0 else None


def run(setup):
    numbers = setup.random("galleries")
    folder = setup.folder("galleries")
    gallery = folder / "people.gallery"
    faults = Faults()
    strangers = [f"person{i}" for i in range(24)]
    present = {"always": 3}
    for name in ["always", *strangers]:
        write_people(folder / "sets" / name, [name], 3, np.random.default_rng(len(name) + sum(map(ord, name))))
    setup.must("enroll", folder / "sets" / "always", "-m", setup.model(), "-o", gallery, "-j", 1, "-q")
    rounds = setup.count(ROUNDS)
    runs = 0
    for number in range(rounds):
        # Each run changes another person, so that any order of them has the same end.
        chosen = numbers.sample(strangers, numbers.randint(2, MAX_RUNS))
        started = []
        for name in chosen:
            if name in present:
                words = ["--remove", name]
            else:
                words = [folder / "sets" / name, "--append", "-m", setup.model(), "-j", 1]
            started.append((name, setup.start("enroll", *words, "-o", gallery, "-q", stdout=-3, stderr=-1)))
        for name, process in started:
            _, err = process.communicate()
            runs += 1
            if process.returncode != 0:
                faults.add(f"round {number}: the run for {name} gave {process.returncode}: {first_line(err.decode())}")
        for name in chosen:
            if present.pop(name, None) is None:
                present[name] = 3
        found = people_of(setup, gallery)
        if found != present:
            lost = sorted(set(present) - set(found or {}))
            undead = sorted(set(found or {}) - set(present))
            faults.add(f"round {number}: lost {lost}, not removed {undead}")
            if found is None:
                break
            present = found
        if (number + 1) % 50 == 0:
            say(f"  {number + 1} rounds, {runs} runs")
    return [Figure("enroll --append and --remove, 2 to 8 at once", f"{rounds} rounds, nobody lost",
                   f"{rounds} rounds, {runs} runs, {faults.count} faults", faults.count == 0)]
