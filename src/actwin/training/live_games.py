"""The learner's side of running games: one driver process for each, what they send, what they are told."""

from __future__ import annotations

import multiprocessing
import queue
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, Final, Protocol

from torch import Tensor

from actwin.agents.intake import Chunk
from actwin.env.task import Task
from actwin.errors import ActwinError, SourceError
from actwin.training import live_chunks, live_evaluation
from actwin.training.live_collector import EVALUATE, EVALUATING, FAILED, PULSE, READY, STOP, WEIGHTS, Post, collect
from actwin.training.live_evaluation import Seen, seen_of
from actwin.training.live_link import Link
from actwin.training.live_match import how_to_start
from actwin.training.live_wire import Message, pack

STARTUP: Final = 600.0
"""[s] For all drivers to say that they are ready; the first start on a machine compiles, a busy one takes minutes."""
MOST_WAITING: Final = 256
"""Messages that wait here until the learner has time; more wait with the drivers."""
AT_ONCE: Final = 16
"""Messages that are handed on at a time."""
RESTARTS: Final = 3
"""Deaths of a driver's process, without anything learned in between, after which the run ends."""
ENDING: Final = 8.0
"""[s] For a driver to leave its car neutral and end."""


class Learner(Protocol):
    """What drivers know of who learns; nothing else connects the two."""

    def take(self, chunk: Chunk) -> None:
        """Takes in what a car did."""
        ...

    def weights(self) -> tuple[int, dict[str, Tensor]]:
        """Version and weights of the policy that shall drive."""
        ...


class Worker(Protocol):
    """What a driver runs in, as far as its end is concerned."""

    @property
    def exitcode(self) -> int | None:
        """How it ended; None while it runs."""
        ...

    def is_alive(self) -> bool:
        """Whether it runs."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Waits for its end."""
        ...

    def terminate(self) -> None:
        """Ends it."""
        ...


Start = Callable[[Post, Connection, Connection], Worker]
"""Lets somebody drive for a post, with connections from and to the learner that are theirs from now on."""


def start_process(post: Post, reader: Connection, writer: Connection) -> Worker:
    """Drives in a fresh process, the same way on every system."""
    process = multiprocessing.get_context("spawn").Process(
        target=collect, args=(post, reader, writer), name=f"actwin driver {post.car + 1}", daemon=True
    )
    process.start()
    for end in (reader, writer):  # or its death would not be seen here
        end.close()
    return process


class _Driver:
    """A driver and what is known of it."""

    def __init__(self, post: Post, deliver: Callable[[int, Message], None], start: Start) -> None:
        self.post, self._deliver, self._start = post, deliver, start
        self.ready: dict[str, Any] | None = None
        self.pulse: dict[str, Any] = {}
        self.deaths = 0
        self.start()

    def start(self) -> None:
        """Begins to drive."""
        (reader, writes), (reads, writer) = multiprocessing.Pipe(False), multiprocessing.Pipe(False)
        self.worker = self._start(self.post, reads, writes)
        car = self.post.car
        self.link = Link(reader, writer, lambda message: self._deliver(car, message))

    def stop(self) -> None:
        """Asks it to end."""
        self.link.insist(lambda: pack(STOP))

    def end(self, seconds: float) -> None:
        """Waits for its end, then ends it."""
        self.worker.join(max(seconds, 0.0))
        if self.worker.is_alive():
            self.worker.terminate()
            self.worker.join(1.0)
        self.link.close(flush=0.0)


class Games:
    """Drives all games of a run from processes of their own.

    Args:
        posts: One for each game.
        start: Lets somebody drive.

    Attributes:
        learner: Gets the chunks and gives the weights; set before the first weights are handed out.
        seen: Evaluations that came, oldest first; for the learner to take out.
        restarts: Drivers that were started again after their process had died.
    """

    learner: Learner

    def __init__(self, posts: Sequence[Post], start: Start = start_process) -> None:
        self._arrived: queue.Queue[tuple[int, Message]] = queue.Queue(MOST_WAITING)
        self._closed = False
        self.seen: list[Seen] = []
        self.restarts = 0
        self._problems: dict[int, str] = {}
        self._drivers = [_Driver(post, self._deliver, start) for post in posts]
        self._last_chunk = time.monotonic()

    def _deliver(self, car: int, message: Message) -> None:
        """Runs in the receiving threads; waits while the learner is busy."""
        while not self._closed:
            try:
                self._arrived.put((car, message), timeout=0.2)
                return
            except queue.Full:
                continue

    def await_ready(self, task: Task, seconds: float = STARTUP) -> None:
        """Returns when every driver has found its game.

        Args:
            task: Of the run, to say how a game is started.
            seconds: [s] To wait.

        Raises:
            SourceError: Some did not; which, and how to start them.
        """
        end = time.monotonic() + seconds
        while any(one.ready is None and one.post.car not in self._problems for one in self._drivers):
            self.deliver(0.1)
            for one in self._drivers:
                if not one.worker.is_alive() and one.ready is None:
                    self.deliver(0.0)
                    self._problems.setdefault(one.post.car, "Its driver's process ended without a word.")
            if time.monotonic() > end:
                break
        late = {one.post.car: "It does not answer." for one in self._drivers if one.ready is None} | self._problems
        if late:
            lines = [
                f"Game {car + 1} ({self._drivers[car].post.game.name}): {why} "
                f"To emulate it: {how_to_start(task, self._drivers[car].post.game)}"
                for car, why in sorted(late.items())
            ]
            raise SourceError("\n".join(lines))

    def deliver(self, seconds: float) -> int:
        """Hands on what has arrived, but not more than `AT_ONCE` messages: a learner has other things to do, too.

        Args:
            seconds: [s] To wait for something.

        Returns:
            Chunks that the learner got.
        """
        chunks = 0
        try:
            car, message = self._arrived.get(timeout=seconds) if seconds > 0.0 else self._arrived.get_nowait()
            for _ in range(AT_ONCE):
                chunks += self._take(self._drivers[car], message)
                car, message = self._arrived.get_nowait()
            chunks += self._take(self._drivers[car], message)
        except queue.Empty:
            pass
        return chunks

    def _take(self, driver: _Driver, message: Message) -> bool:
        if message.kind == live_chunks.KIND:
            driver.deaths, self._last_chunk = 0, time.monotonic()
            self.learner.take(live_chunks.chunk_of(message))
            return True
        if message.kind == live_evaluation.KIND:
            self.seen.append(seen_of(message))
        elif message.kind == READY:
            driver.ready = message.facts
        elif message.kind == PULSE:
            episodes = driver.pulse.get("episodes", [])
            driver.pulse = message.facts | {"episodes": episodes + message.facts.get("episodes", [])}
        elif message.kind == FAILED:
            self._problems[driver.post.car] = str(message.facts.get("error", ""))
        return False

    def renew(self) -> None:
        """Hands the present weights to all drivers, unless they have them."""
        version, weights = self.learner.weights()
        data = pack(WEIGHTS, {"version": version}, {name: tensor.numpy() for name, tensor in weights.items()})
        for driver in self._drivers:
            driver.link.post_latest(lambda: data)

    def evaluate(self, car: int) -> int:
        """Asks one driver to drive the present weights without exploration; their version.

        Args:
            car: Number of the game.
        """
        version, weights = self.learner.weights()
        data = pack(EVALUATE, {"version": version}, {name: tensor.numpy() for name, tensor in weights.items()})
        self._drivers[car].link.insist(lambda: data)
        return version

    def watch(self, patience: float) -> None:
        """Starts drivers again whose processes have died.

        Args:
            patience: [s] Without any chunk after which nothing is to be hoped for.

        Raises:
            ActwinError: A driver cannot go on, or nothing has come for too long.
        """
        for driver in self._drivers:
            name = f"Game {driver.post.car + 1} ({driver.post.game.name})"
            if driver.post.car in self._problems:
                raise ActwinError(f"{name}: {self._problems[driver.post.car]}")
            if driver.worker.is_alive() or self._closed:
                continue
            driver.deaths += 1
            if driver.deaths > RESTARTS:
                raise ActwinError(f"{name}: its driver's process dies again and again (exit {driver.worker.exitcode}).")
            driver.link.close(flush=0.0)
            driver.start()
            self.restarts += 1
            self.renew()
        if any(pulse.get("doing") == EVALUATING for pulse in self.pulses):
            self.wait_no_longer()
        if time.monotonic() - self._last_chunk > patience:
            doing = "; ".join(f"game {n + 1}: {pulse.get('doing', 'silent')}" for n, pulse in enumerate(self.pulses))
            raise SourceError(f"No car has driven for {patience:.0f} s ({doing}). Start the games and use --resume.")

    def wait_no_longer(self) -> None:
        """Counts patience from now: what came before, such as a long evaluation, is nobody's fault."""
        self._last_chunk = time.monotonic()

    @property
    def pulses(self) -> list[dict[str, Any]]:
        """The last report of each driver; what it says is explained at `LiveCar.report`."""
        return [driver.pulse for driver in self._drivers]

    def episodes(self) -> list[dict[str, float]]:
        """Books of the episodes that ended since the last call."""
        books = [book for driver in self._drivers for book in driver.pulse.get("episodes", [])]
        for driver in self._drivers:
            driver.pulse = driver.pulse | {"episodes": []}
        return books

    def close(self) -> None:
        """Ends all drivers; each leaves its car neutral."""
        for driver in self._drivers:
            driver.stop()
        end = time.monotonic() + ENDING
        # What still comes is of no use, but a driver must not wait to be heard.
        while time.monotonic() < end and any(driver.worker.is_alive() for driver in self._drivers):
            try:
                self._arrived.get(timeout=0.05)
            except queue.Empty:
                continue
        self._closed = True
        for driver in self._drivers:
            driver.end(end - time.monotonic())
