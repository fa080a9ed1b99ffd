"""The processors, while something is measured."""
import contextlib
import os
import sys

from support import process


@contextlib.contextmanager
def kept_awake():
    """A loop of least priority on each: whatever else there is to do comes first, but none of them ever sleeps. To wake
    a sleeping processor of a virtual machine takes the machine's host, whose time would be measured as somebody's."""
    with contextlib.ExitStack() as loops:
        for number in sorted(os.sched_getaffinity(0)):
            loops.enter_context(process("taskset", "--cpu-list", number, "chrt", "--idle", 0,
                                        sys.executable, "-c", "while True: pass"))
        yield
