"""`python -m greengauge`, and the command `greengauge`."""

from __future__ import annotations

import signal


def main() -> None:
    """Ctrl-C while we are still starting ends us without a word: nothing is open yet that wants closing."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from greengauge.cli import main as command

    command()


if __name__ == "__main__":
    main()
