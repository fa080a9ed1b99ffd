"""Measurements at once, each in a lane of its own."""
import contextlib
import multiprocessing
import os
import pathlib
import signal
import sys

from lane import Lane
from support import ip

own = None  # a worker's lane


def prefix():
    return f"tunic-{os.getpid()}-"


def begin(name, numbers):
    global own
    for stop in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        signal.signal(stop, signal.SIG_DFL)
    with numbers.get_lock():
        numbers.value += 1
        number = numbers.value
    own = Lane(f"{name}{number}")


def measure(task):
    function, *arguments = task
    return task, function(own, *arguments)


def remove_namespaces():
    """Ours by their names, and whatever still runs in them."""
    for name in ip("netns", "list").split():
        if not name.startswith(prefix()):
            continue
        for pid in ip("netns", "pids", name).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        ip("netns", "del", name)


def run(tasks, jobs):
    """Runs tasks (function, arguments...), the function being told its lane first, and yields them with their results
    as they come."""
    numbers = multiprocessing.Value("i", 0)
    pool = multiprocessing.Pool(jobs, begin, (prefix(), numbers))
    try:
        for number, done in enumerate(pool.imap_unordered(measure, tasks), 1):
            print(f"\r{number} of {len(tasks)}", end="\n" if number == len(tasks) else "", file=sys.stderr, flush=True)
            yield done
    finally:
        pool.terminate()
        pool.join()
        remove_namespaces()


def busy():
    """Seconds that the machine's processors were busy, and seconds in all."""
    times = [int(field) for field in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(times) - times[3] - times[4], sum(times)
