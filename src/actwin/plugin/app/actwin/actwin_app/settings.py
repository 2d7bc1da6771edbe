"""Settings of the app, read from config.ini."""

import configparser

HOSTS = ("ego_server_host_name", "opponents_server_host_name", "simulation_management_server_host_name")
NUMBERS = {
    # name: (default, lowest, highest); whole where the default is
    "ego_server_port": (2345, 0, 65535),
    "opponents_server_port": (2346, 0, 65535),
    "simulation_management_server_port": (2347, 0, 65535),
    "ego_sampling_freq": (25, 1, 200),
    "sampling_freq": (50, 1, 1000),
    "extra_channels": (1, 0, 1),
    "max_clients": (4, 1, 16),
    "track_info_bytes": (0, 0, 1 << 24),
    "neutral_after": (0.4, 0.05, 0.5),
    "neutral_brake": (0.0, 0.0, 1.0),
}
WORDS = {"actuator": ("custom_ai", "none"), "reset": ("auto", "car", "pits")}


def defaults():
    """The settings of a file that says nothing."""
    values = dict.fromkeys(HOSTS, "127.0.0.1")
    values.update((name, default) for name, (default, _, _) in NUMBERS.items())
    values.update((name, words[0]) for name, words in WORDS.items())
    return values


def read(path, log):
    """Read the settings; what is absent or wrong keeps its default and is told to the log.

    Args:
        path: Of the file.
        log: A `Log`.

    Returns:
        A dict with every setting.
    """
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        with open(path, encoding="utf-8-sig") as file:
            parser.read_string(file.read(65536))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        log.say("%s cannot be read (%s); the defaults are used." % (path, error))
    texts = dict(parser.items("actwin")) if parser.has_section("actwin") else {}
    values, problems = check(texts)
    for problem in problems:
        log.say("config.ini: " + problem)
    return values


def check(texts):
    """Settings from their texts.

    Args:
        texts: Name and text of each setting.

    Returns:
        A dict with every setting, and a list of sentences about what was wrong.
    """
    values, problems = defaults(), []
    for name, text in sorted(texts.items()):
        if name not in values:
            problems.append("%s is not a setting." % name)
            continue
        value = _value(name, str(text).strip())
        if value is None:
            problems.append("%s = %s does not fit; %s is used." % (name, text, values[name]))
        else:
            values[name] = value
    return values, problems


def _value(name, text):
    """The value of a setting, None when the text does not fit."""
    if name in HOSTS:
        return text if 0 < len(text) < 256 else None
    if name in WORDS:
        return text if text in WORDS[name] else None
    default, low, high = NUMBERS[name]
    try:
        value = type(default)(text)
    except ValueError:
        return None
    return value if low <= value <= high else None
