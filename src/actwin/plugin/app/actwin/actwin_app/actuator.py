"""Moving the car through the Custom AI memory of the Custom Shaders Patch.

Whoever creates the mapping takes the car over at once, so it is created with the first control message, and only once
the session is live and its physics has run for a moment: earlier requests are ignored by the patch.
"""

import struct

from . import memory

NAME = "AcTools.CSP.NewBehaviour.CustomAI.CarControls0.v0"
SIZE = 72
OLDEST = (0, 1, 78)
"""Version of the patch that brought Custom AI."""

SETTLED = 1.0
"""[s] How long the session is live before the car is taken."""
PULSE = 0.1
"""[s] How long a shift or a teleport is asked for."""
SHIFT_PAUSE = 0.3
"""[s] From one shift to the next, so that the gearbox can follow."""

PEDALS = struct.Struct("<5f")
GEAR_UP, GEAR_DOWN, DRS = 20, 21, 22
TELEPORT, AUTOCLUTCH_START, AUTOCLUTCH_CHANGE, AUTOBLIP, AUTOSHIFT = 40, 41, 42, 43, 68
TO_PITS = 1

PRESSED, RELEASED = 0.5, 0.05
"""[-] A pedal that is wanted above the first and stays below the second does not obey."""
DEAF_AFTER = 1.0
"""[s] Of not obeying before it is told."""


class CustomAi:
    """Writes the controls of car 0.

    Args:
        open_mapping: Takes a name and a size, returns a writable buffer or None.
        neutral_brake: [-] Brake while nobody drives.

    Attributes:
        obeyed: Whether the car does what it is asked to do; None before it was asked.
    """

    name = "custom_ai"

    def __init__(self, open_mapping, neutral_brake):
        self._open = open_mapping
        self._brake = neutral_brake
        self._view = None
        self._refused = False
        self._live_since = None
        self._step = None
        self._wanted = None
        self._shift_from = -SHIFT_PAUSE
        self._shift = 0
        self._teleport_until = None
        self._deaf_since = None
        self.obeyed = None

    @property
    def ready(self):
        """Whether controls reach the game."""
        return self._view is not None

    @property
    def refused(self):
        """Whether the platform gave no mapping."""
        return self._refused

    def watch(self, status, step, now):
        """Note whether the session runs.

        Args:
            status: `graphics.status`.
            step: Number of the physics step.
            now: [s].
        """
        if status != memory.LIVE or step is None:
            self._live_since = None
        elif self._live_since is None and self._step is not None and step != self._step:
            self._live_since = now
        self._step = step

    def drive(self, controls, now):
        """Take over what a client wants.

        Args:
            controls: Entries of the client's message: `steer`, `acc`, `brake` in -1..1; see docs/app_protocol.md.
            now: [s].
        """
        self._wanted = controls
        settled = self._live_since is not None and now - self._live_since >= SETTLED
        if self._view is None and not self._refused and settled:
            self._view = self._open(NAME, SIZE)
            self._refused = self._view is None

    def neutral(self):
        """Pedals up, wheel straight, brake as configured."""
        self._wanted = None

    def to_pits(self, now):
        """Ask for a teleport to the pits.

        Returns:
            Whether it can be asked for.
        """
        if self._view is None:
            return False
        self._teleport_until = now + PULSE
        return True

    def apply(self, gear, now):
        """Write the controls; once in each frame.

        Args:
            gear: Engaged gear as the game counts, or None.
            now: [s].
        """
        if self._view is None:
            return
        record = bytearray(SIZE)
        wanted = self._wanted
        if wanted is None:
            PEDALS.pack_into(record, 0, 0.0, self._brake, 0.0, 0.0, 0.0)
            wanted = {}
        else:
            clutch = 1.0 - _pedal(wanted["clutch"]) if wanted["enable_clutch"] else 0.0
            PEDALS.pack_into(
                record, 0, _pedal(wanted["acc"]), _pedal(wanted["brake"]), clutch, _within(wanted["steer"]), 0.0
            )
        by_hand = wanted.get("enable_gear_shift", 0.0) > 0.5
        foot = wanted.get("enable_clutch", 0.0) > 0.5
        record[AUTOCLUTCH_START] = record[AUTOCLUTCH_CHANGE] = 0 if foot else 1
        record[AUTOBLIP] = 1
        record[AUTOSHIFT] = 0 if by_hand else 1
        record[DRS] = 1 if wanted.get("drs", 0.0) > 0.5 else 0
        if by_hand:
            self._press_shift(record, wanted, gear, now)
        if self._teleport_until is not None:
            if now < self._teleport_until:
                record[TELEPORT] = TO_PITS
            else:
                self._teleport_until = None
        self._view[:SIZE] = bytes(record)

    def observe(self, gas, brake, now):
        """Compare what the car does with what it was asked to do.

        Args:
            gas, brake: Pedals as the game shows them, 0..1 or None.
            now: [s].
        """
        wanted = self._wanted
        if self._view is None or self._live_since is None or wanted is None or gas is None or brake is None:
            self._deaf_since = None
            return
        asked = [(_pedal(wanted["acc"]), gas), (_pedal(wanted["brake"]), brake)]
        pressed = [real for wish, real in asked if wish >= PRESSED]
        if not pressed or max(pressed) > RELEASED:
            self._deaf_since = None
            self.obeyed = True if pressed else self.obeyed
        elif self._deaf_since is None:
            self._deaf_since = now
        elif now - self._deaf_since >= DEAF_AFTER:
            self.obeyed = False

    def close(self):
        """Leave the car alone, pedals up."""
        if self._view is not None:
            self._wanted = None
            self._teleport_until = None
            self.apply(None, 0.0)
            close = getattr(self._view, "close", None)
            if close is not None:
                close()
            self._view = None

    def _press_shift(self, record, wanted, gear, now):
        """Hold a shift for a moment: the one asked for, or the one that leads to the wanted gear."""
        if now - self._shift_from >= SHIFT_PAUSE:
            self._shift = 0
            if "gear" in wanted and gear is not None:
                ahead = round(wanted["gear"]) + 1 - int(gear)
                self._shift = (ahead > 0) - (ahead < 0)
            elif wanted["shift_up"] > 0.5 or wanted["shift_down"] > 0.5:
                self._shift = 1 if wanted["shift_up"] > 0.5 else -1
            if self._shift:
                self._shift_from = now
        if self._shift and now - self._shift_from < PULSE:
            record[GEAR_UP if self._shift > 0 else GEAR_DOWN] = 1


class Outside:
    """A virtual controller outside the game moves the car: controls that arrive here are not obeyed."""

    name = "none"
    ready = False
    refused = False
    obeyed = None

    def watch(self, status, step, now):
        """Nothing to note."""

    def drive(self, controls, now):
        """Not obeyed."""

    def neutral(self):
        """Not ours."""

    def to_pits(self, now):
        """Cannot be asked for."""
        return False

    def apply(self, gear, now):
        """Nothing to write."""

    def observe(self, gas, brake, now):
        """Nothing to compare."""

    def close(self):
        """Nothing to leave."""


def choose(wanted, patch_version, open_mapping, neutral_brake):
    """The actuator that settings and game allow, and a sentence when they differ.

    Args:
        wanted: Setting `actuator`.
        patch_version: Text of the patch's version, None without the patch.
        open_mapping, neutral_brake: As for `CustomAi`.
    """
    if wanted != "custom_ai":
        return Outside(), ""
    if patch_version is None:
        return Outside(), "no Custom Shaders Patch, so controls must come from a virtual controller."
    if not recent(patch_version):
        return Outside(), "Custom Shaders Patch %s has no Custom AI; install 0.1.78 or newer." % patch_version
    return CustomAi(open_mapping, neutral_brake), ""


def recent(version):
    """Whether a version of the patch has Custom AI; one that cannot be read counts as recent.

    Args:
        version: Text such as "0.1.79" or "0.2.3-preview1".
    """
    numbers = []
    for part in str(version).split("-")[0].split(".")[:3]:
        if not part.isdigit():
            return True
        numbers.append(int(part))
    return tuple(numbers) >= OLDEST


def _within(value):
    """The value within -1 and 1."""
    return max(-1.0, min(1.0, value))


def _pedal(value):
    """Pedal travel 0..1 from -1..1."""
    return (_within(value) + 1.0) / 2.0
