"""Turns a command into what it took: processor time, wall time, memory, exit code.

Started by itself, and small: the kernel counts the memory of whoever starts a program as the program's own, so that
nothing below this process' 9 MiB could be seen, and a runner with its corpora would hide more.

    python -I -S process.py LIMIT OUTPUT COMMAND...

prints one line: CPU seconds, wall seconds, largest resident set in KiB, exit code, and 1 when it had to be ended, after
LIMIT seconds of CPU of one of its processes or, should it do nothing, ten times as many of wall time.
CPU and memory are those of the command and of all it waited for; memory is that of the largest process among them.
"""

import os
import resource
import signal
import sys
import time


def main() -> None:
    limit, output, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    stopped = 0

    def stop(number: int, frame: object) -> None:
        nonlocal stopped
        stopped = 1
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, stop)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    started = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ, file_actions=actions, setpgroup=0)
    signal.alarm(10 * limit)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - started
    signal.alarm(0)
    code = os.waitstatus_to_exitcode(status)
    stopped = stopped or int(code in (-signal.SIGXCPU, -signal.SIGKILL))
    print(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss, code, stopped)


main()
