import pytest

from actwin.pacing import Durations, Pacer


class FakeClock:
    """A clock that only moves when told."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        self.now += 1e-6
        return self.now

    def sleep(self, duration):
        self.now += duration


@pytest.fixture
def clock():
    return FakeClock()


def pacer(clock, period):
    return Pacer(period, clock, clock.sleep)


def test_deadlines_are_whole_periods_from_the_start(clock):
    loop = pacer(clock, 0.04)
    begin = clock.now
    for turn in range(1, 50):
        clock.now += 0.013
        assert loop.wait() == 0.0
        assert clock.now - begin == pytest.approx(0.04 * turn, abs=1e-4)
    assert loop.missed == 0


def test_a_late_turn_is_counted_and_does_not_shift_the_others(clock):
    loop = pacer(clock, 0.04)
    begin = clock.now
    clock.now += 0.05
    assert loop.wait() == pytest.approx(0.01, abs=1e-4)
    loop.wait()
    assert clock.now - begin == pytest.approx(0.08, abs=1e-4)
    assert (loop.turns, loop.missed) == (2, 1)


def test_deadlines_slept_through_are_left_out(clock):
    loop = pacer(clock, 0.04)
    begin = clock.now
    clock.now += 0.175  # the deadlines at 0.04, 0.08, 0.12 and 0.16 have passed
    loop.wait()
    assert loop.missed == 4
    loop.wait()
    assert clock.now - begin == pytest.approx(0.20, abs=1e-4)


def test_restart_forgives_a_pause(clock):
    loop = pacer(clock, 0.04)
    clock.now += 7.0
    loop.restart()
    assert loop.wait() == 0.0
    assert loop.missed == 0


def test_sections_keep_count_percentiles_and_worst(clock):
    loop = pacer(clock, None)
    for duration in (0.001, 0.002, 0.003):
        with loop.section("read"):
            clock.now += duration
    spread = loop.spreads()["read"]
    assert spread.n == 3
    assert spread.p50 == pytest.approx(0.002, abs=1e-5)
    assert spread.worst == pytest.approx(0.003, abs=1e-5)
    assert loop.wait() == 0.0


def test_a_section_that_raises_is_still_timed(clock):
    loop = pacer(clock, None)
    with pytest.raises(KeyError), loop.section("broken"):
        raise KeyError
    assert loop.spreads()["broken"].n == 1


def test_the_worst_outlives_the_ring():
    durations = Durations()
    durations.add(9.0)
    for _ in range(70_000):
        durations.add(0.001)
    spread = durations.spread()
    assert spread.worst == 9.0
    assert spread.p99 == pytest.approx(0.001)


def test_a_period_of_nothing_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        Pacer(0.0)
