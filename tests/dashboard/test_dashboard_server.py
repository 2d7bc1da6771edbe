"""The server: what it answers, what it keeps to itself."""

from __future__ import annotations

import re
import socket

import pytest

from actwin.cli import main
from actwin.dashboard import serve
from actwin.errors import ConfigError


def test_nothing_is_reported_anywhere_and_no_question_asked() -> None:
    options = serve.options("127.0.0.1", 8501, browser=False)
    assert options["browser.gatherUsageStats"] is False
    assert options["server.showEmailPrompt"] is False
    assert options["server.fileWatcherType"] == "none"
    assert options["client.showErrorDetails"] == "none"
    assert options["server.allowedHosts"]
    from streamlit import config

    known = set(config.get_config_options())
    assert set(options) <= known, set(options) - known


def test_scripts_in_a_page_may_not_run() -> None:
    policy = serve.headers()["Content-Security-Policy"]
    scripts = re.search(r"script-src ([^;]*)", policy).group(1)
    assert "unsafe" not in scripts
    assert "http" not in policy
    assert "'sha256-" in scripts  # Streamlit's own


@pytest.mark.parametrize("name", serve.ASSETS)
def test_scripts_come_with_the_package(name) -> None:
    address = serve.asset_address(name)
    assert address.startswith("/actwin/")
    assert len(serve.asset(name)) > 100
    assert b"__PLOTLY__" not in serve.asset(name)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_is_told_from_the_network(host) -> None:
    assert serve.is_loopback(host)
    assert not serve.is_loopback("0.0.0.0")
    assert not serve.is_loopback("192.168.1.20")


def test_a_taken_port_is_an_error_with_a_cure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="--port"):
            serve._require_free("127.0.0.1", taken.getsockname()[1])


def test_help_names_the_options(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dashboard", "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for option in ("--port", "--host", "--sessions", "--runs", "--configs", "--source"):
        assert option in shown
