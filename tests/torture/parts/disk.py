"""Full disks and failing ones, under everything that writes: a clear error that names the file, exit code 1, the old
files as they were, and nothing left behind. Full disks are small tmpfs, filled up to a page that is drawn; where those
cannot be mounted (which takes root), and for the calls that fail with EIO, the program is preloaded with faults.c."""
import ctypes
import errno
import os

from ..harness import Faults, Figure, first_line, say
from ..writers import Stage, all_writers

POINTS = 40  # of each writer, with an old file and without, at most
PAGE = 4096
DISK = 16 << 20
NEW_MOUNTS = 0x00020000  # CLONE_NEWNS
PRIVATE = 0x4000 | 0x40000  # MS_REC | MS_PRIVATE


def mount_disk(folder):
    """A small disk, seen by this process and its children alone. False where this is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    return (libc.unshare(NEW_MOUNTS) == 0 and libc.mount(b"none", b"/", None, PRIVATE, None) == 0
            and libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, f"size={DISK}".encode()) == 0)


def fill(path, free):
    """A file that leaves so many bytes of the disk."""
    path.unlink(missing_ok=True)
    with open(path, "wb") as file:
        disk = os.fstatvfs(file.fileno())
        taken = disk.f_bavail * disk.f_frsize - free
        if taken > 0:
            os.posix_fallocate(file.fileno(), 0, taken)


class Breaking:
    """Runs of one writer, and what may have become of its files."""

    def __init__(self, setup, stage, faults):
        self.setup = setup
        self.stage = stage
        self.faults = faults
        self.failed = 0
        self.fitted = 0
        self.settled = 0

    def one(self, what, with_old, before=lambda: None, after=lambda: None, settle=False, **options):
        """settle: where a call fails while files that belong together get their names, the next run completes it."""
        stage = self.stage
        what = f"{stage.writer.name}, {what}, {'over an old file' if with_old else 'a new file'}"
        stage.reset(with_old)
        before()
        elsewhere = self.setup.folder("elsewhere")  # where a model may be saved whose own place is full
        ended = self.setup.run(*stage.writer.words(stage.folder, 1), cwd=elsewhere,
                               env={"TMPDIR": str(elsewhere), "HOME": str(elsewhere), **options.pop("env", {})})
        after()
        if settle and (stage.left_behind(ended.err) or stage.wrong_pair(with_old)):
            self.settled += 1
            stage.next_run()
        found = stage.generations(with_old)
        if ended.code == 0:
            self.fitted += 1
            if set(found.values()) != {"new"}:
                self.faults.add(f"{what}: exit code 0, but {found}")
        else:
            self.failed += 1
            self._judge_failure(what, ended, found, settle)
        wrong = stage.wrong_pair(with_old)
        if wrong:
            self.faults.add(f"{what}: not alike: {wrong}")
        if stage.left_behind(ended.err):
            self.faults.add(f"{what}: left behind: {stage.left_behind(ended.err)}")

    def _judge_failure(self, what, ended, found, settle):
        if ended.ended_badly or ended.code != 1:
            self.faults.add(f"{what}: exit code {ended.code}: {ended.err.strip()}")
        folder = str(self.stage.folder)
        if not any(line.startswith("stackae: ") and folder in line for line in ended.err.splitlines()):
            self.faults.add(f"{what}: no file is named: {ended.err.strip()}")
        if "broken" in found.values():
            self.faults.add(f"{what}: neither old nor new: {found}")
        elif "new" in found.values() and self.stage.writer.paired and not settle:
            self.faults.add(f"{what}: failed, but replaced: {found} ({first_line(ended.err)})")


def full_disks(setup, writers, faults):
    disk = setup.folder("disk")
    if not mount_disk(disk):
        say("  no tmpfs can be mounted here: full disks by failing calls alone")
        return 0
    numbers = setup.random("disk")
    points = 0
    for writer in writers:
        fill(disk / "ballast", DISK)
        (disk / "ballast").unlink()
        stage = Stage(setup, writer, disk / "out")
        breaking = Breaking(setup, stage, faults)
        for with_old in (True,) if writer.needs_old else (True, False):
            # Where less than the new files take is free. Beside old files they need all of it.
            pages = range(max(1, stage.bytes // PAGE))
            for page in sorted(numbers.sample(pages, min(len(pages), setup.count(POINTS)))):
                breaking.one(f"{page * PAGE} bytes free of {stage.bytes}", with_old,
                             before=lambda: fill(disk / "ballast", page * PAGE),
                             after=lambda: (disk / "ballast").unlink())
        points += breaking.failed
        say(f"  full, {writer.name}: {breaking.failed} failed, {breaking.fitted} fitted")
    ctypes.CDLL(None).umount2(str(disk).encode(), 0)
    return points


def failing_calls(setup, writers, faults):
    numbers = setup.random("calls")
    shim = {"LD_PRELOAD": str(setup.compiled("faults.c", "-shared", "-fPIC"))}
    points = 0
    for writer in writers:
        stage = Stage(setup, writer, setup.folder("stage"))
        breaking = Breaking(setup, stage, faults)
        env = shim | {"FAULTS_FOLDER": str(stage.folder)}
        count = setup.scratch / "calls"
        stage.reset()
        setup.must(*writer.words(stage.folder, 1), env=env | {"FAULTS_COUNT": str(count), "FAULTS_DO": "5"})
        calls = int(count.read_text())
        tries = [(call, error, stay) for call in range(1, calls + 1)
                 for error, stay in ((errno.EIO, 0), (errno.ENOSPC, 0), (errno.ENOSPC, 1))]
        for call, error, stay in sorted(numbers.sample(tries, min(len(tries), setup.count(len(tries))))):
            breaking.one(f"{errno.errorcode[error]} at call {call} of {calls}{' and later' if stay else ''}", True, settle=True,
                         env=env | {"FAULTS_AT": str(call), "FAULTS_DO": str(error), "FAULTS_STAY": str(stay)})
        points += breaking.failed
        say(f"  failing calls, {writer.name}: {breaking.failed} failed, {breaking.fitted} did without, "
            f"{breaking.settled} settled by the next run")
    return points


def run(setup):
    writers = all_writers(setup, 1500)
    full = Faults()
    disks = full_disks(setup, writers, full)
    failing = Faults()
    calls = failing_calls(setup, writers, failing)
    wanted = setup.count(500)
    return [Figure("full disk under every writer", f"{wanted} points: clear error, old file whole",
                   f"{disks} full, {full.count} faults", full.count == 0 and disks + calls >= wanted),
            Figure("EIO and ENOSPC at each call that writes", "clear error, old file whole",
                   f"{calls} failed, {failing.count} faults", failing.count == 0 and calls > 0)]
