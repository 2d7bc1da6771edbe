"""The process that drives one game: explores with the newest weights, sends what it lived through, judges on demand.

The loop of control waits for nothing but the game. Weights come and experience goes in threads, through queues whose
ends never wait: weights replace each other, experience that cannot go is left out, the oldest first.
"""

from __future__ import annotations

import copy
import gc
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

import torch

from actwin.agents.exploration import explorer
from actwin.agents.networks import ActionSpec
from actwin.agents.registry import DrivingPolicy, new_network
from actwin.cockpit.actuators.opening import open_actuator
from actwin.cockpit.live import LiveCockpit
from actwin.content.library import load_car, load_track
from actwin.driving.priority import raised
from actwin.env.assetto_corsa import AssettoCorsaEnv
from actwin.env.task import TaskConfig
from actwin.errors import ActwinError, SourceError
from actwin.telemetry.ac.opening import open_source
from actwin.training.config import RunConfig
from actwin.training.live_car import LiveCar, Renewal
from actwin.training.live_chunks import Cutter, pack_chunk
from actwin.training.live_config import GameConfig, LiveConfig
from actwin.training.live_evaluation import drive_to_be_judged, pack_seen
from actwin.training.live_link import Link
from actwin.training.live_match import require_the_same_game
from actwin.training.live_wire import Message, pack

WEIGHTS, EVALUATE, STOP = "weights", "evaluate", "stop"
"""What a learner says."""
READY, FAILED, PULSE = "ready", "failed", "pulse"
"""What a driver says, beside chunks and evaluations."""
DRIVING, EVALUATING = "driving", "evaluating"
"""What a driver is doing, when it is neither preparing nor looking for its game."""
BEAT: Final = 2.0
"""[s] Between two reports."""
SWITCH: Final = 0.0005
"""[s] For which another thread of this process may keep the loop of control from the interpreter; 5 ms are usual."""
FIRST: Final = 3.0
"""[s] For a game to answer at the start."""


@dataclass(frozen=True)
class Post:
    """What a driver is told when its process starts.

    Attributes:
        config: The run.
        car: Number of its game, from 0.
        cloned: Whether learning begins with a clone.
    """

    config: RunConfig
    car: int
    cloned: bool

    @property
    def live(self) -> LiveConfig:
        """Settings of live training."""
        assert self.config.live is not None
        return self.config.live

    @property
    def game(self) -> GameConfig:
        """Its game."""
        return self.live.games[self.car]


def collect(post: Post, reader: Connection, writer: Connection) -> None:
    """Drives a game until the learner says stop, or is gone. What a process runs.

    Args:
        post: What to drive.
        reader, writer: From and to the learner.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the learner passes it on
    torch.set_num_threads(1)
    sys.setswitchinterval(SWITCH)
    Collector(post, reader, writer).run(raised)


class Collector:
    """Drives one game for a learner.

    Args:
        post: What to drive.
        reader, writer: From and to the learner.
        cockpit: A seat of one's own instead of the game's.
    """

    def __init__(self, post: Post, reader: Connection, writer: Connection, cockpit: LiveCockpit | None = None) -> None:
        self.post, self._seat = post, cockpit
        self._stopped, self._begin = threading.Event(), threading.Event()
        self._orders: deque[Renewal] = deque(maxlen=1)
        self._doing = "preparing"
        self._template: DrivingPolicy | None = None
        self._first: Renewal | None = None
        self.car: LiveCar | None = None
        self.link = Link(reader, writer, self._on_message, post.live.waiting)

    @property
    def over(self) -> bool:
        """Whether the learner wants no more, or is gone."""
        return self._stopped.is_set() or self.link.lost

    def run(self, ahead: Callable[[], AbstractContextManager[object]] = nullcontext) -> None:
        """Drives until it is over; the car is left neutral.

        Args:
            ahead: Gives the loop of control its place before other programs.
        """
        env = None
        try:
            env = self._prepare()
            with ahead():  # not before: to prepare takes all of a core for a while
                self._drive(env)
        except ActwinError as error:
            if not self.over:
                told = {"error": str(error)}
                self.link.insist(lambda: pack(FAILED, told))
        finally:
            self._stopped.set()
            if env is not None:
                env.close()
            self.link.close()

    def _prepare(self) -> AssettoCorsaEnv:
        """The game as an environment: found, of the right track and car, and let go again until weights come."""
        config = self.post.config
        cockpit = self._seat or self._open_seat(config.env)
        env = AssettoCorsaEnv(task=config.env, cockpit=cockpit)
        task = env.task
        self._template = new_network(config.agent, task.observation_size, ActionSpec(*task.action_space))
        try:
            info = cockpit.connect(FIRST)
            require_the_same_game(task, info, self.post.game)
            env.require_what_is_shown()
            facts = {"track": info.track, "car": info.car, "source": info.source, "actuator": cockpit.actuator.name}
        finally:
            cockpit.close()
        self.link.insist(lambda: pack(READY, facts))
        return env

    def _open_seat(self, task: TaskConfig) -> LiveCockpit:
        game, source = self.post.game, open_source(self.post.game.source)

        def pause(seconds: float) -> None:
            if self._stopped.wait(seconds) or self.link.lost:
                raise SourceError("Stopped while looking for the game.")

        return LiveCockpit(
            source, lambda: open_actuator(game.actuator, source), load_track(task.track), load_car(task.car),
            task.period, reconnect=self.post.live.reconnect, sleep=pause,
        )  # fmt: skip

    def _drive(self, env: AssettoCorsaEnv) -> None:
        self._doing = "waiting"
        while self._first is None:
            if self.over:
                return
            self._begin.wait(0.1)
        self.car = self._new_car(env, self._first)
        threading.Thread(target=self._beat, daemon=True).start()
        # What was made so far stays; looking through it again and again would cost milliseconds on the track.
        gc.collect()
        gc.freeze()
        while not self.over:
            try:
                if self._orders:
                    self._evaluate(env, self._orders.popleft())
                else:
                    self._doing = DRIVING
                    self.car.drive(lambda: self.over or bool(self._orders))
            except SourceError as error:
                self._doing = f"looking for the game: {error}"
                self._stopped.wait(0.5)

    def _new_car(self, env: AssettoCorsaEnv, first: Renewal) -> LiveCar:
        post, task = self.post, env.task
        drives = explorer(
            post.config.agent, first.policy, post.car, len(post.live.games), post.cloned, post.config.seed
        )
        # The first decision takes longer than any later one.
        drives.act(task.observation.copy())
        cutter = Cutter(
            post.car, task.observation_size, task.action_space.width,
            lambda chunk: self.link.post(lambda: pack_chunk(chunk)),
        )  # fmt: skip
        return LiveCar(env, drives, cutter, post.config.seed + post.car)

    def _evaluate(self, env: AssettoCorsaEnv, order: Renewal) -> None:
        self._doing = EVALUATING
        assert self.car is not None
        laps = self.post.live.evaluation_laps
        seen = drive_to_be_judged(env.cockpit, env.task, order.policy, order.version, laps, lambda: self.over)
        self.car.drove.missed += seen.missed
        self.car.drove.periods += len(seen.frames)
        self.link.insist(lambda: pack_seen(seen))

    def _on_message(self, message: Message) -> None:
        """What the learner says; runs in the receiving thread."""
        if message.kind == STOP:
            self._stopped.set()
        elif message.kind in (WEIGHTS, EVALUATE) and self._template is not None:
            renewal = self._renewal(message)
            if message.kind == EVALUATE:
                self._orders.append(renewal)
            elif self.car is None:
                self._first = renewal
            else:
                self.car.renew(renewal)
        self._begin.set()

    def _renewal(self, message: Message) -> Renewal:
        policy = copy.deepcopy(self._template)
        assert policy is not None
        try:
            policy.load_state_dict({name: torch.from_numpy(array) for name, array in message.arrays.items()})
        except RuntimeError as error:
            raise SourceError(f"Weights came for another network ({error}).") from error
        return Renewal(int(message.facts["version"]), policy)

    def _beat(self) -> None:
        """Reports every now and then, also while the loop of control waits for a game."""
        while not self._stopped.wait(BEAT):
            self.link.insist(self._report)

    def _report(self) -> bytes:
        assert self.car is not None
        facts: dict[str, Any] = self.car.report()
        doing, status = self._doing, self.car.env.cockpit.status
        if doing in (DRIVING, EVALUATING) and status != "live":
            doing = f"looking for the game, which is {status}"
        now = {"doing": doing, "dropped": self.link.dropped, "waiting": self.link.waiting, "time": time.time()}
        return pack(PULSE, facts | now)
