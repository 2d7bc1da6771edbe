"""The in-game app as a source of telemetry."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import Any, Final

from actwin.errors import SourceError
from actwin.telemetry.ac.app_client import PORT, AppClient
from actwin.telemetry.ac.app_frames import frames_from_app, static_from_app
from actwin.telemetry.ac.app_questions import CURE
from actwin.telemetry.ac.pages import PHYSICS_STEP, Status
from actwin.telemetry.ac.source import GameInfo, Health, Sample
from actwin.units import FUEL_DENSITY

PAUSED_AFTER: Final = 0.25
DEAD_AFTER: Final = 1.0
"""[s] Without a new message. The app may be as slow as 25 a second, so a pause shows later than in shared memory."""
RATE_OVER: Final = 32
LONGEST_STEP: Final = 1.0
"""[s] Between two messages that still belong together."""


class AppSource:
    """Reads the driven car from the in-game app, ours or assetto_corsa_gym's plugin.

    The plugin does not tell the number of the physics step: there `packet_id` counts the steps of the lap time, which
    is exact while the game runs. A new session is found by itself; when car or track have changed, `read` says so and
    `connect` is due.

    Args:
        host: Where the app runs.
        port: UDP port of the driven car.
        steer_lock: [rad] Steering-wheel angle at full lock, for `steer` where the app does not tell it.
        client: To use instead of one made from host and port.

    Attributes:
        client: For controls, resets and opponents over the same connection.
    """

    name = "app"

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = PORT,
        steer_lock: float = math.nan,
        client: AppClient | None = None,
    ) -> None:
        self.client = client if client is not None else AppClient(host, port)
        self._steer_lock = steer_lock
        self._static = static_from_app({})
        self._serial: int | None = None
        self._arrivals: deque[float] = deque(maxlen=RATE_OVER)
        self._steps = 0
        self._step = -1
        self._before: dict[str, Any] | None = None
        self._game_status = int(Status.LIVE)

    def connect(self, timeout: float = 2.0) -> GameInfo:
        """Finds the app and asks who and where it is.

        Args:
            timeout: [s] To wait for the app; its management port may take as long again.

        Raises:
            SourceError: No app, or one without a session.
        """
        self.client.connect(timeout)
        facts = self.client.static_info(max(timeout, 1.0))
        serial = facts.get("static_serial")
        self._serial = int(serial) if isinstance(serial, int | float) else None
        self._static = static_from_app(facts)
        self._arrivals.clear()
        self._before, self._steps, self._step = None, 0, -1
        return info_from_app(facts, self._steer_lock)

    def read(self, timeout: float = 0.1) -> Sample | None:
        """The newest sample that was not read before.

        Args:
            timeout: [s] To wait for one.

        Returns:
            The sample, None when nothing new came in time.

        Raises:
            SourceError: Not connected, or the game has another car or track than at `connect`.
        """
        end = time.perf_counter() + timeout
        while True:
            message = self.client.receive(max(end - time.perf_counter(), 0.0))
            if message is None:
                return None
            if self._serial != message.get("static_serial", self._serial):
                raise SourceError("The game has changed car, track or field of cars. Connect again.")
            sample = self._sample(message, self.client.arrived)
            if sample is not None:
                return sample

    def _sample(self, message: dict[str, Any], now: float) -> Sample | None:
        """The sample of a message; None when physics stood still since the one before."""
        frames, games = frames_from_app([message], self._static, self._steer_lock)
        if "physics.packetId" not in message:
            frames["packet_id"] = self._count_steps(message)
            games["status"] = Status.LIVE
        step, before = int(frames["packet_id"][0]), self._step
        self._step, self._game_status = step, int(games["status"][0])
        if step == before:
            return None
        self._arrivals.append(now)
        return Sample(now, frames, games)

    def health(self) -> Health:
        """How fresh and complete the samples are."""
        dropped = self.client.dropped
        if not self._arrivals:
            return Health("dead", 0.0, dropped, math.inf)
        now = time.perf_counter()
        age, silence = now - self._arrivals[-1], now - self.client.arrived
        span = self._arrivals[-1] - self._arrivals[0]
        rate = (len(self._arrivals) - 1) / span if span > 0.0 and age < DEAD_AFTER else 0.0
        if silence >= DEAD_AFTER or self.client.ended:
            return Health("dead", rate, dropped, age)
        paused = age >= PAUSED_AFTER or self._game_status != Status.LIVE
        return Health("paused" if paused else "live", rate, dropped, age)

    def close(self) -> None:
        """Says goodbye; harmless when nothing is open."""
        self.client.close()

    def _count_steps(self, message: dict[str, Any]) -> int:
        """Physics steps since `connect`, from the lap time; across the line from the sender's clock."""
        before, self._before = self._before, message
        if before is not None:
            passed = 1e-3 * (message["currentTime"] - before["currentTime"])
            if not 0.0 <= passed <= LONGEST_STEP:
                passed = message.get("timestamp_ac", 0.0) - before.get("timestamp_ac", 0.0)
            self._steps += round(min(max(passed, 0.0), LONGEST_STEP) / PHYSICS_STEP)
        return self._steps


def info_from_app(facts: dict[str, Any], steer_lock: float = math.nan) -> GameInfo:
    """The session as `get_static_info` tells it.

    Args:
        facts: The answer.
        steer_lock: [rad] When known from elsewhere.

    Raises:
        SourceError: It names no car or no track.
    """
    if not (_text(facts, "CarName") and _text(facts, "TrackName")):
        raise SourceError(f"The in-game app names no car or no track. {CURE}")
    return GameInfo(
        source="app",
        car=_text(facts, "CarName"),
        track=_text(facts, "TrackName"),
        layout=_text(facts, "TrackConfiguration"),
        driver=_text(facts, "DriverName"),
        ac_version=_text(facts, "static.acVersion"),
        sm_version=_text(facts, "static.smVersion"),
        track_length=_number(facts, "TrackLength"),
        max_rpm=_number(facts, "static.maxRpm"),
        max_fuel=_number(facts, "static.maxFuel") * FUEL_DENSITY,
        max_torque=_number(facts, "static.maxTorque"),
        max_power=_number(facts, "static.maxPower"),
        sector_count=int(_number(facts, "static.sectorCount", 0.0)),
        steer_lock=steer_lock,
        csp_version=_text(facts, "csp_version"),
    )


def _text(facts: dict[str, Any], name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""


def _number(facts: dict[str, Any], name: str, unknown: float = math.nan) -> float:
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) else unknown
