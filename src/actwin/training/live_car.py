"""One car in a running game that explores in real time, episode after episode, for a learner elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from actwin.agents.exploration import Explorer
from actwin.agents.registry import DrivingPolicy
from actwin.cockpit.live import REACTION
from actwin.driving.realtime import Drive, DriveClock
from actwin.env.assetto_corsa import GAME_REASONS, AssettoCorsaEnv
from actwin.env.ends import REASON_NAMES
from actwin.env.judge import MEMORY
from actwin.env.race import RECORDED
from actwin.env.rewards import TERMS
from actwin.training.live_chunks import Cutter

BOOKS_KEPT: Final = 1000
"""Episodes whose books wait to be asked for."""


class Renewal(NamedTuple):
    """A policy that came from the learner."""

    version: int
    policy: DrivingPolicy


class LiveCar:
    """Drives episodes of the task of `actwin/AssettoCorsa-v0` and cuts them into chunks.

    A step that lasted more than one control period is left out and ends the learner's episode as cut off, while the car
    drives on; so does everything by which the game interrupts (`GAME_REASONS`), after which the car is put back.

    Args:
        env: The game as an environment.
        explorer: Who decides.
        cutter: Takes the steps.
        seed: Of the starts.

    Attributes:
        drove: What was counted: controls sent, deadlines missed, laps.
        version: Of the policy that drives.
        steps: That were handed on.
        breaks: How often each of `GAME_REASONS` came.
    """

    def __init__(self, env: AssettoCorsaEnv, explorer: Explorer, cutter: Cutter, seed: int) -> None:
        self.env, self._explorer, self._cutter, self._seed = env, explorer, cutter, seed
        self.drove = Drive(env.task.config.period)
        self._clock = DriveClock(self.drove.period, self.drove)
        self.version, self.steps = 0, 0
        self.breaks = dict.fromkeys(GAME_REASONS, 0)
        # Appending and popping at an end is one act, whichever thread does it.
        self._renewals: deque[Renewal] = deque(maxlen=1)
        self._books: deque[dict[str, float]] = deque(maxlen=BOOKS_KEPT)
        self._began = False

    def renew(self, renewal: Renewal) -> None:
        """Drives on with another policy from the next step; may be called by any thread."""
        self._renewals.append(renewal)

    def drive(self, stop: Callable[[], bool]) -> None:
        """Drives one episode.

        Args:
            stop: Asked after each step; ends it as cut off.

        Raises:
            SourceError: There is no game, and none came in time.
        """
        env = self.env
        observation, _ = env.reset(seed=None if self._began else self._seed)
        self._began = True
        self._cutter.begin()
        self._clock.begin(env.frames)
        while not stop():
            self._take_renewal()
            action = self._explorer.act(observation[None])[0]
            following, reward, terminated, truncated, info = env.step(action)
            if "error" in info:
                self.breaks[info["reason"]] += 1
                break
            if self._in_time():
                self.steps += 1
                self._cutter.add(observation, action, reward, following, self.version, terminated, truncated)
            else:
                self._cutter.begin()
            observation = following
            if terminated or truncated:
                self._close_books()
                return
        self._cutter.cut()

    def _take_renewal(self) -> None:
        while self._renewals:
            renewal = self._renewals.popleft()
            self.version = renewal.version
            self._explorer.renew(renewal.policy)

    def _in_time(self) -> bool:
        """Counts the step that was just driven; whether it lasted one control period."""
        before = self.drove.missed
        self.drove.periods += 1
        began_anew = self._clock.advance(self.env.frames)
        return not began_anew and self.drove.missed == before

    def _close_books(self) -> None:
        """Keeps what the judge wrote down of the episode that ended."""
        judged = self.env.task.judged
        kept = dict(zip(MEMORY, judged.memory[0].tolist(), strict=True))
        periods = kept["periods"]
        book = {"reason": float(judged.reasons[0]), "periods": periods, "duration": periods * self.drove.period}
        book |= {name: kept[column] for name, column in RECORDED.items()}
        sums = judged.sums[0].tolist()
        book |= {f"term/{name}": sums[k] for k, name in enumerate(TERMS) if name in judged.terms}
        self._books.append(book)

    def report(self) -> dict[str, Any]:
        """What can be told about the driving so far, and the books of the episodes since the last report."""
        books = [self._books.popleft() for _ in range(len(self._books))]
        drove, spread = self.drove, self.env.cockpit.pacer.spreads().get(REACTION)
        p50, p99, worst = (1e3 * value for value in (spread.p50, spread.p99, spread.worst)) if spread else (0.0,) * 3
        return {
            "steps": self.steps, "periods": drove.periods, "missed": drove.missed, "version": self.version,
            "p50_ms": p50, "p99_ms": p99, "worst_ms": worst, "breaks": dict(self.breaks), "episodes": books,
        }  # fmt: skip


def summarise_episodes(books: list[dict[str, float]]) -> dict[str, float]:
    """Means over episodes, by name; empty without any.

    Args:
        books: As `LiveCar.report` hands them out.
    """
    if not books:
        return {}
    column = {name: np.array([book[name] for book in books]) for name in books[0]}
    kilometres = max(float(column["progress"].sum()) / 1000.0, 1e-3)
    shown = {
        "duration": float(column["duration"].mean()),
        "return": float(column["return"].mean()),
        "metres": float(column["progress"].mean()),
        "excursions_per_km": float(column["excursions"].sum()) / kilometres,
        "collision_per_km": float(column["collision"].sum()) / kilometres,
    }
    if (laps := column["best_lap"][column["best_lap"] > 0.0]).size:
        shown["best_lap"] = float(laps.min())
    for code, name in enumerate(REASON_NAMES[1:], start=1):
        shown[f"end_{name}"] = float((column["reason"] == code).mean())
    return shown
