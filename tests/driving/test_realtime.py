from __future__ import annotations

import signal

import numpy as np
import pytest

from actwin.cockpit.twin import TwinCockpit
from actwin.content.library import load_car, load_track
from actwin.driving.interruption import Interruption
from actwin.driving.realtime import ANSWER, DECIDE, SEND, WAIT, drive
from actwin.driving.recording import FixedControls
from actwin.errors import SourceError
from actwin.telemetry.channels import neutral_controls
from actwin.twin.simulator import Simulator


def throttle():
    controls = neutral_controls(1)
    controls["throttle"] = 0.6
    return FixedControls(controls)


@pytest.fixture(scope="module")
def simulator():
    return Simulator(load_track("oval"), load_car("ks_mazda_miata"))


class Game(TwinCockpit):
    """A cockpit that remembers what was sent, and does to its frames what a test wants."""

    def __init__(self, simulator, change=None) -> None:
        super().__init__(simulator)
        self.sent, self.change, self.reads = [], change, 0

    def send(self, controls):
        self.sent.append(controls.copy())
        return super().send(controls)

    def read(self):
        frames = super().read().copy()
        self.reads += 1
        if self.change:
            self.change(self.reads, frames)
        return frames


def test_it_drives_for_a_time_and_lets_go(simulator) -> None:
    game, seen = Game(simulator), []
    done = drive(game, throttle(), seconds=1.95, on_period=lambda drive, frames, sent: seen.append(sent.copy()))
    assert (done.ended, done.failed, done.missed) == ("time", False, 0)
    assert done.periods == len(seen) == 50
    assert done.game_time == pytest.approx(1.95)
    assert all(sent["throttle"] == np.float32(0.6) for sent in game.sent[:-1])
    assert game.sent[-1] == neutral_controls(1)
    assert set(done.sections) == {ANSWER, DECIDE, SEND, WAIT}
    assert {spread.n for spread in done.sections.values()} == {50}


def test_laps_are_those_of_the_games_clock(simulator) -> None:
    def laps(read, frames):
        frames["lap_count"], frames["last_lap_time"] = read // 10, 60.0 + read // 10
        frames["last_lap_valid"] = read != 20

    done = drive(Game(simulator, laps), throttle(), laps=3)
    assert done.ended == "laps"
    assert [(lap.number, lap.time, lap.valid) for lap in done.laps] == [
        (1, 61.0, True),
        (2, 62.0, False),
        (3, 63.0, True),
    ]
    assert done.best == done.laps[0]


def test_periods_the_game_ran_without_us_are_missed(simulator) -> None:
    late = {5: 1, 9: 13, 12: 20, 15: 33}
    behind = [0]

    def hang(read, frames):
        behind[0] += late.get(read, 0)
        frames["packet_id"] += behind[0]

    done = drive(Game(simulator, hang), throttle(), seconds=20 * 0.039 + sum(late.values()) * 0.003)
    assert done.missed == 1 + 2 + 3
    assert done.periods == 20


def test_a_game_that_comes_back_is_driven_on(simulator) -> None:
    def stand_still(read, frames):
        if read in (4, 9):
            raise SourceError("The game stands still.")

    done = drive(Game(simulator, stand_still), throttle(), seconds=1.0)
    assert (done.failed, done.ended) == (False, "time")
    assert done.breaks == ["The game stands still."] * 2


def test_a_vanished_game_ends_the_drive_with_its_reason(simulator) -> None:
    class Gone(Game):
        def read(self):
            raise SourceError("The game is gone.")

        def reset(self):
            if self.sent:
                raise SourceError("It did not come back.")
            return super().reset()

    done = drive(Gone(simulator), throttle())
    assert (done.periods, done.failed, done.ended) == (1, True, "It did not come back.")
    assert done.breaks == ["The game is gone."]


def test_a_restart_makes_the_driver_forget(simulator) -> None:
    class Forgetful(FixedControls):
        resets = 0

        def reset(self, index=None) -> None:
            self.resets += 1

    def restart(read, frames):
        frames["packet_id"] -= 1000 if read == 5 else 0

    driver = Forgetful(throttle().controls)
    assert drive(Game(simulator, restart), driver, seconds=1.0).missed > 0
    assert driver.resets == 2


def test_controls_are_let_go_when_the_driver_fails(simulator) -> None:
    class Broken(FixedControls):
        def act(self, frames):
            raise ZeroDivisionError

    game = Game(simulator)
    with pytest.raises(ZeroDivisionError):
        drive(game, Broken(neutral_controls(1)))
    assert game.sent == [neutral_controls(1)]


def test_ctrl_c_ends_the_turn_first(simulator) -> None:
    before = signal.getsignal(signal.SIGINT)

    def interrupt(read, frames):
        if read == 3:
            signal.raise_signal(signal.SIGINT)

    done = drive(Game(simulator, interrupt), throttle())
    assert (done.ended, done.periods) == ("stopped", 3)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_does_not_wait() -> None:
    with Interruption() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
