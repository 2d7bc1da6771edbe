"""Throws hostile messages at everything that listens or parses: `python tools/fuzz_interfaces.py --messages 1000000`.

Half of the messages go through sockets and shared memory to a running emulator, whose app is the real in-game code; the
rest go to the parsers and clients that read what a game says. Messages are noise, valid ones with bits turned, cut off,
joined, repeated or grown, and valid ones. Asked for: no exception but the expected ones, no wait longer than a minute,
no growth of memory, and at the end every server still answers. The exit code is 0 when all of it holds.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from fuzz_targets import HostileGame, Servers, Target, parsers
from hostile_messages import Noise

ROUND = 1000
"""Messages between two looks at memory and time."""
LONGEST = 60.0
"""[s] For a round; then the stacks are printed and the run has failed."""
GROWTH = 48.0
"""[MiB] Allowed after the first tenth of the run, within which caches and buffers fill."""


def memory_in_use() -> float:
    """[MiB] Resident memory of this process; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * 4096 / 2**20
    except OSError:
        return 0.0


def run(messages: int, seed: int, quiet: bool = False) -> list[str]:
    """Feeds all targets.

    Args:
        messages: In all.
        seed: Of the messages.
        quiet: Whether progress is not shown.

    Returns:
        Problems, none when all is well.
    """
    noise = Noise(seed)
    with tempfile.TemporaryDirectory() as folder:
        servers, game = Servers(Path(folder), noise), HostileGame(noise)
        targets = [*parsers(noise), *servers.targets(), *game.targets()]
        shares = np.array([target.share for target in targets])
        counts, problems = feed(targets, shares / shares.sum(), messages, noise, quiet)
        problems += servers.still_answer()
        game.close()
        servers.emulator.close()
    if not quiet:
        for target, count in zip(targets, counts, strict=True):
            print(f"{count:>9,}  {target.name}")
    return problems


def feed(
    targets: Sequence[Target], shares: npt.NDArray[Any], messages: int, noise: Noise, quiet: bool
) -> tuple[npt.NDArray[Any], list[str]]:
    """Sends the messages in rounds and looks at memory and time after each.

    Returns:
        Messages by target, and problems.
    """
    counts, sent, settled = np.zeros(len(targets), np.int64), 0, 0.0
    problems: list[str] = []
    begin = time.perf_counter()
    while sent < messages:
        faulthandler.dump_traceback_later(LONGEST, exit=True)
        for index in noise.random.choice(len(targets), min(ROUND, messages - sent), p=shares):
            targets[index].feed()
            counts[index] += 1
        sent += ROUND
        if not settled and sent >= messages / 10:
            settled = memory_in_use()
        if not quiet and sent % (50 * ROUND) == 0:
            print(f"{sent:,} messages, {time.perf_counter() - begin:.0f} s, {memory_in_use():.0f} MiB", flush=True)
    faulthandler.cancel_dump_traceback_later()
    if (growth := memory_in_use() - settled) > GROWTH:
        problems.append(f"memory grew by {growth:.0f} MiB")
    return counts, problems


def main() -> None:
    """Runs and says how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    begin = time.perf_counter()
    problems = run(wanted.messages, wanted.seed)
    for problem in problems:
        print(f"FAILED {problem}")
    print(
        f"{wanted.messages:,} messages in {time.perf_counter() - begin:.0f} s: {'FAILED' if problems else 'all answer'}"
    )
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
