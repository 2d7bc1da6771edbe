"""The road as the game's own drivers know it: their line and the borders beside it."""

import os
import struct

VERSION = 7
MOST_POINTS = 200000
POINT = 20
DETAIL = 72


def read(root, track, layout):
    """Line and borders from the track's `fast_lane.ai`.

    Args:
        root: Folder of the game.
        track, layout: Folder names; the layout may be empty.

    Returns:
        `fast_lane`, `left_lane`, `right_lane` as lists of [the game's z, the game's x] in metres, and `throttle_arr`,
        `brake_arr`, `speed_arr` [m/s]; empty when there is no such file.
    """
    folder = os.path.join(root, "content", "tracks", track)
    paths = [os.path.join(folder, "ai", "fast_lane.ai")]
    if layout:
        paths.insert(0, os.path.join(folder, layout, "ai", "fast_lane.ai"))
    for path in paths:
        try:
            with open(path, "rb") as file:
                return decode(file.read(16 + MOST_POINTS * (POINT + DETAIL) + 4))
        except (OSError, ValueError, struct.error):
            continue
    return {}


def thinned(road, encode, limit):
    """The road as bytes, with every second, third, … point left out until they fit.

    Args:
        road: As `read` returns it.
        encode: Makes bytes of it.
        limit: [byte] At most; 0 for no limit.
    """
    data, stride = encode(road), 1
    while limit and len(data) > limit and all(len(row) > stride for row in road.values()):
        stride = max(stride + 1, stride * len(data) // limit)
        data = encode({name: row[::stride] for name, row in road.items()})
    return data


def decode(data):
    """Line and borders from the bytes of a `fast_lane.ai`.

    Raises:
        ValueError: Another version, or a count that cannot be.
        struct.error: The file is cut off.
    """
    version, count = struct.unpack_from("<2i", data, 0)
    if version != VERSION or not 2 < count <= MOST_POINTS:
        raise ValueError("no AI line of version %d" % VERSION)
    points = [struct.unpack_from("<3f", data, 16 + POINT * i) for i in range(count)]
    start = 16 + POINT * count
    (details,) = struct.unpack_from("<i", data, start)
    if details != count:
        raise ValueError("%d points but %d details" % (count, details))
    rows = [struct.unpack_from("<7f", data, start + 4 + DETAIL * i) for i in range(count)]
    left, right = [], []
    for i in range(count):
        x, _, z = points[i]
        to_left_x, to_left_z = _left(points[i - 1], points[(i + 1) % count])
        left.append(_pair(x + rows[i][5] * to_left_x, z + rows[i][5] * to_left_z))
        right.append(_pair(x - rows[i][6] * to_left_x, z - rows[i][6] * to_left_z))
    return {
        "left_lane": left,
        "right_lane": right,
        "fast_lane": [_pair(x, z) for x, _, z in points],
        "throttle_arr": [round(row[1], 3) for row in rows],
        "brake_arr": [round(row[2], 3) for row in rows],
        "speed_arr": [round(row[0], 2) for row in rows],
    }


def _left(before, after):
    """Unit vector to the left of the way from one point to another, in the game's x and z."""
    x, z = after[0] - before[0], after[2] - before[2]
    length = (x * x + z * z) ** 0.5 or 1.0
    return z / length, -x / length


def _pair(x, z):
    """A point in the protocol's axes, to the centimetre."""
    return [round(z, 2), round(x, 2)]
