"""Settings of training in running games: which games, how often their drivers are renewed and looked at."""

from __future__ import annotations

from itertools import combinations
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from actwin.telemetry.ac.opening import address

APP_PORT: Final = 2345
UDP_PORT: Final = 9996
APP_PORTS: Final = 3
"""The in-game app listens on its port and on the two after it."""
LOCAL: Final = ("127.0.0.1", "localhost", "::1")


class GameConfig(BaseModel):
    """One running game, or `actwin serve`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(default="auto", description="where its telemetry comes from: memory:FOLDER, app:HOST:PORT, …")
    actuator: str = Field(default="auto", description="what moves its controls: custom_ai, app, vigem, …")
    car: str | None = Field(
        default=None, description="what this game calls the car of env.car, where actwin does not know the name"
    )

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.source} driven by {self.actuator}"

    def place(self) -> tuple[str, str, int]:
        """Kind of the source, and where: a folder or a host, and a port (0 for none).

        Raises:
            ConfigError: A port that is none.
        """
        kind, _, rest = self.source.strip().partition(":")
        if kind not in ("app", "udp"):
            return kind, rest.rstrip("/\\"), 0
        host, port = address(rest, LOCAL[0], APP_PORT if kind == "app" else UDP_PORT)
        return kind, LOCAL[0] if host in LOCAL else host, port


class LiveConfig(BaseModel):
    """Cars in running games that learn together, in real time."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    games: tuple[GameConfig, ...] = Field(min_length=1, max_length=64)
    renew_every: float = Field(default=2.0, gt=0, description="[s] between two hand-outs of weights to the drivers")
    least_ratio: float = Field(
        default=0.1, ge=0,
        description="updates for each step below which no more experience is taken in; the oldest is then lost",
    )  # fmt: skip
    waiting: int = Field(default=64, ge=1, description="chunks of up to 50 steps that may wait, in each game")
    evaluation_laps: int = Field(
        default=1, ge=1, le=20, description="flying laps of an evaluation, after the one from the grid"
    )
    reconnect: float = Field(default=60.0, gt=0, description="[s] a game that vanished is looked for at a stretch")
    patience: float = Field(default=300.0, gt=0, description="[s] without any experience after which the run ends")

    @model_validator(mode="after")
    def _each_its_own(self) -> Self:
        for (i, one), (j, other) in combinations(enumerate(self.games, start=1), 2):
            if "auto" in (one.source, other.source):
                raise ValueError(f"games {i} and {j}: with several games each needs its source, such as app:HOST:PORT")
            (kind, place, port), (kind2, place2, port2) = one.place(), other.place()
            if (kind, place) != (kind2, place2):
                continue
            if port == port2:
                raise ValueError(f"games {i} and {j} are the same one, {one.source}. Give each another port or folder")
            if kind == "app" and abs(port - port2) < APP_PORTS:
                raise ValueError(
                    f"games {i} and {j}: the app needs its port and the two after it, so {port} and {port2} overlap. "
                    f"Take {port} and {port + APP_PORTS}, say"
                )
        return self
