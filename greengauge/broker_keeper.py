"""The small process between us and the embedded broker: no orphan survives us, however we end.

Run as `python -I -S broker_keeper.py COMMAND…` with our pipe as its standard input, in a session of its
own (so a Ctrl-C at the terminal reaches us, not the broker). The pipe's end is our end: whether we stop,
crash or are killed -9, the kernel closes it, and the broker gets SIGTERM (it saves its sessions), then
SIGKILL after two seconds. Should this keeper itself be killed, Linux sends the broker SIGTERM
(PR_SET_PDEATHSIG). PDEATHSIG alone, without a keeper, was tried and rejected: it follows the *thread*
that started the child, so a broker started from a worker thread dies with that thread.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading


def _die_with_keeper() -> None:
    with contextlib.suppress(OSError, AttributeError):  # not Linux: the pipe is enough
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # 1 = PR_SET_PDEATHSIG


def _end_with_owner(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would be held at exit
        pass
    child.terminate()
    try:
        child.wait(2)
    except subprocess.TimeoutExpired:
        child.kill()


def main(command: list[str]) -> int:
    """Run the command until it ends or standard input does; return its exit code."""
    # preexec_fn is safe here: this process has one thread at this point.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_keeper)  # noqa: S603 - our own command
    threading.Thread(target=_end_with_owner, args=(child,), name="owner", daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))  # at once: the other thread still waits on the pipe
