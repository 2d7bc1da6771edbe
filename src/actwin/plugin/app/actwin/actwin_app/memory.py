"""The game's shared memory, for what its Python interface does not tell.

Offsets are those of the official shared-memory document for game version 1.16.
"""

import mmap
import struct

PHYSICS = (
    ("packetId", "i", 0),
    ("fuel", "f", 12),
    ("steerAngle", "f", 24),
    ("accG", "3f", 44),
    ("wheelSlip", "4f", 56),
    ("tyreWear", "4f", 120),
    ("tyreDirtyLevel", "4f", 136),
    ("drs", "f", 200),
    ("tc", "f", 204),
    ("heading", "f", 208),
    ("pitch", "f", 212),
    ("roll", "f", 216),
    ("carDamage", "5f", 224),
    ("numberOfTyresOut", "i", 244),
    ("pitLimiterOn", "i", 248),
    ("abs", "f", 252),
    ("kersCharge", "f", 256),
    ("kersInput", "f", 260),
    ("autoShifterOn", "i", 264),
    ("rideHeight", "2f", 268),
    ("turboBoost", "f", 276),
    ("ballast", "f", 280),
    ("airDensity", "f", 284),
    ("airTemp", "f", 288),
    ("roadTemp", "f", 292),
    ("performanceMeter", "f", 312),
    ("engineBrake", "i", 316),
    ("drsAvailable", "i", 340),
    ("brakeTemp", "4f", 348),
    ("clutch", "f", 364),
    ("tyreTempI", "4f", 368),
    ("tyreTempM", "4f", 384),
    ("tyreTempO", "4f", 400),
    ("isAIControlled", "i", 416),
    ("brakeBias", "f", 564),
)
GRAPHICS = (
    ("packetId", "i", 0),
    ("status", "i", 4),
    ("session", "i", 8),
    ("completedLaps", "i", 132),
    ("position", "i", 136),
    ("iCurrentTime", "i", 140),
    ("iLastTime", "i", 144),
    ("iBestTime", "i", 148),
    ("sessionTimeLeft", "f", 152),
    ("distanceTraveled", "f", 156),
    ("isInPit", "i", 160),
    ("currentSectorIndex", "i", 164),
    ("lastSectorTime", "i", 168),
    ("normalizedCarPosition", "f", 248),
    ("penaltyTime", "f", 264),
    ("flag", "i", 268),
    ("isInPitLane", "i", 276),
    ("surfaceGrip", "f", 280),
    ("windSpeed", "f", 288),
    ("windDirection", "f", 292),
)
STATIC = (
    ("smVersion", "30s", 0),
    ("acVersion", "30s", 30),
    ("playerNick", "66s", 332),
    ("sectorCount", "i", 400),
    ("maxTorque", "f", 404),
    ("maxPower", "f", 408),
    ("maxRpm", "i", 412),
    ("maxFuel", "f", 416),
    ("tyreRadius", "4f", 436),
    ("maxTurboBoost", "f", 452),
    ("penaltiesEnabled", "i", 464),
)
PAGES = {
    "physics": ("acpmf_physics", 580, PHYSICS),
    "graphics": ("acpmf_graphics", 296, GRAPHICS),
    "static": ("acpmf_static", 684, STATIC),
}

LIVE = 2
"""`graphics.status` while somebody drives."""


class Pages:
    """Reads the three pages.

    Args:
        read: To use instead of the game's memory: takes a mapping's name and size, returns bytes or None.
    """

    def __init__(self, read=None):
        self._read = read or self._map
        self._maps = {}

    def fields(self, page):
        """Every field of a page that the app uses.

        Args:
            page: `"physics"`, `"graphics"` or `"static"`.

        Returns:
            A dict of numbers, texts and tuples; empty when the page cannot be read.
        """
        name, size, table = PAGES[page]
        data = self._read(name, size)
        if data is None or len(data) < size:
            return {}
        values = {}
        for field, form, offset in table:
            found = struct.unpack_from("<" + form, data, offset)
            value = found if len(found) > 1 else found[0]
            values[field] = _text(value) if isinstance(value, bytes) else value
        return values

    def number(self, page, field):
        """One field of a page, None when the page cannot be read.

        Args:
            page: `"physics"`, `"graphics"` or `"static"`.
            field: Name of a field with a single number.
        """
        name, size, table = PAGES[page]
        data = self._read(name, size)
        if data is None or len(data) < size:
            return None
        for known, form, offset in table:
            if known == field:
                return struct.unpack_from("<" + form, data, offset)[0]
        return None

    def close(self):
        """Let go of the mappings."""
        for opened in self._maps.values():
            opened.close()
        self._maps.clear()

    def _map(self, name, size):
        """Bytes of one of the game's mappings."""
        if name not in self._maps:
            # Writable, as other apps map it: were the page not there yet, a read-only one would shut the game out.
            self._maps[name] = mmap.mmap(-1, size, tagname="Local\\" + name)
        return self._maps[name][:size]


def open_mapping(name, size):
    """A writable named mapping, which is created where it does not exist.

    Returns:
        A buffer of `size` bytes, or None where the platform has no named mappings.
    """
    try:
        return mmap.mmap(-1, size, tagname=name, access=mmap.ACCESS_WRITE)
    except (TypeError, OSError, ValueError):
        return None


def _text(data):
    """Characters of a 16-bit text up to its NUL."""
    return data.decode("utf-16-le", "replace").split("\0", 1)[0]
