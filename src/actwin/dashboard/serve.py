"""The server of the dashboard: one process, this machine only unless told otherwise, nothing fetched from elsewhere."""

from __future__ import annotations

import base64
import gzip
import hashlib
import ipaddress
import re
import threading
from functools import lru_cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from actwin.analysis.figure_style import SCREEN
from actwin.dashboard import figure_store, live_desk
from actwin.dashboard import settings as dashboard_settings
from actwin.errors import ConfigError, MissingExtraError

ASSETS: Final = ("base.js", "figures.js", "cockpit.js", "plotly.js")
PREFIX: Final = "/actwin/"
_INLINE: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
POLICY: Final = (
    "default-src 'self'; script-src 'self' blob:{inline}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; frame-src 'none'; "
    "object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""Scripts come from this server only: a script in a name that got into a page would not run."""


def serve(
    settings: dashboard_settings.Settings, host: str = "127.0.0.1", port: int = 8501, browser: bool = True
) -> None:
    """Serves the dashboard until Ctrl-C.

    Args:
        settings: Where it looks.
        host: Address to listen on; other machines can reach it only when this is not loopback.
        port: To listen on.
        browser: Show it in the browser.

    Raises:
        MissingExtraError: Streamlit or plotly is not installed.
        ConfigError: The port is taken, or the host is no address of this machine.
    """
    try:
        import plotly  # noqa: F401
        import streamlit as st
    except ImportError as error:
        raise MissingExtraError("streamlit", "dashboard") from error
    from starlette.middleware import Middleware
    from starlette.routing import Route

    _require_free(host, port)
    dashboard_settings.configure(settings)
    # What the pages compute with takes seconds to load: meanwhile the browser opens.
    threading.Thread(target=import_module, args=("actwin.analysis.session_report",), daemon=True).start()
    app = st.App(
        Path(__file__).with_name("app.py"),
        routes=[
            Route(figure_store.PREFIX + "{name}", _figure_response),
            Route(live_desk.PREFIX + "{name}", _live_response),
            Route(PREFIX + "{name}", _asset_response),
            *(Route(f"/{address}", _page_response) for address in ("", *_addresses())),
        ],
        middleware=[Middleware(_Headers)],
    )
    app.run(config=options(host, port, browser))


def options(host: str, port: int, browser: bool) -> dict[str, Any]:
    """Streamlit's options, stronger than any settings file: nothing is reported anywhere, no question is asked."""
    theme = {
        "base": "dark", "primaryColor": "#56b4e9", "backgroundColor": SCREEN.paper,
        "secondaryBackgroundColor": "#1a2027", "textColor": SCREEN.ink,
        "borderColor": SCREEN.frame, "font": "sans-serif", "baseFontSize": 15,
        "baseRadius": "6px", "showWidgetBorder": True, "dataframeBorderColor": SCREEN.grid,
        "dataframeHeaderBackgroundColor": "#1a2027",
    }  # fmt: skip
    return {
        "browser.gatherUsageStats": False,
        "browser.serverAddress": "localhost" if is_loopback(host) else host,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        "logger.hideWelcomeMessage": True,
        "runner.magicEnabled": False,
        "server.address": host,
        "server.allowedHosts": _own_names(host),
        "server.enableAgentApi": False,
        "server.fileWatcherType": "none",
        "server.headless": not browser,
        "server.maxUploadSize": 1,
        "server.port": port,
        "server.showEmailPrompt": False,
        **{f"theme.{name}": value for name, value in theme.items()},
    }


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _own_names(host: str) -> list[str]:
    return ["localhost", "127.0.0.1", "[::1]", host] if is_loopback(host) else []


def _require_free(host: str, port: int) -> None:
    import socket

    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise ConfigError(
            f"The dashboard cannot listen on {host}, port {port} ({error.strerror or error}). Give another --port, or "
            "end the dashboard that runs there."
        ) from error


@lru_cache(maxsize=8)
def asset(name: str) -> bytes:
    """A script of the pages."""
    if name == "plotly.js":
        from plotly.offline import get_plotlyjs

        return str(get_plotlyjs()).encode()
    script = files("actwin.dashboard").joinpath("assets", name).read_text(encoding="utf-8")
    return script.replace("__PLOTLY__", asset_address("plotly.js") if "__PLOTLY__" in script else "").encode()


@lru_cache(maxsize=8)
def asset_address(name: str) -> str:
    """Where the browser finds a script; changes with its content, so that it can be kept for ever."""
    return f"{PREFIX}{name}?v={hashlib.sha256(asset(name)).hexdigest()[:16]}"


@lru_cache(maxsize=8)
def _packed(name: str) -> bytes:
    return gzip.compress(asset(name), 5, mtime=0)


async def _asset_response(request: Any) -> Any:
    from starlette.responses import PlainTextResponse, Response

    name = request.path_params["name"]
    if name not in ASSETS:
        return PlainTextResponse("There is no such script.", status_code=404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(_packed(name), media_type="text/javascript", headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset(name), media_type="text/javascript", headers=headers)


def _addresses() -> list[str]:
    """Addresses of the pages; told by the files, as loading them takes time."""
    return [file.stem.removeprefix("page_") for file in Path(__file__).parent.glob("page_*.py")]


async def _page_response(request: Any) -> Any:
    """Streamlit's page, told where its server is."""
    from starlette.responses import HTMLResponse

    script = f'<script src="{asset_address("base.js")}"></script>'.encode()
    page = _streamlit_page().replace(b"<head>", b"<head>" + script, 1)
    return HTMLResponse(page, headers={"Cache-Control": "no-cache"})


@lru_cache(maxsize=1)
def _streamlit_page() -> bytes:
    import streamlit

    return (Path(streamlit.__file__).parent / "static" / "index.html").read_bytes()


async def _figure_response(request: Any) -> Any:
    from starlette.responses import PlainTextResponse, Response

    found = figure_store.fetch(request.path_params["name"])
    if found is None:
        return PlainTextResponse("This figure is not kept any more.", status_code=404)
    return Response(found, media_type="application/json", headers={"Cache-Control": "private, max-age=600"})


async def _live_response(request: Any) -> Any:
    from starlette.responses import JSONResponse, Response

    asked = request.query_params
    try:
        shown = live_desk.look(request.path_params["name"], asked.get("seen", ""), asked.get("map", ""))
    except LookupError:
        return Response(status_code=404)
    fresh = {"Cache-Control": "no-store"}
    return Response(status_code=204, headers=fresh) if shown is None else JSONResponse(shown, headers=fresh)


def headers() -> dict[str, str]:
    """What keeps a page to itself; of scripts in the page only Streamlit's own, told by their hashes, may run."""
    digests = [base64.b64encode(hashlib.sha256(text).digest()).decode() for text in _INLINE.findall(_streamlit_page())]
    return {
        "Content-Security-Policy": POLICY.format(inline="".join(f" 'sha256-{digest}'" for digest in digests)),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


class _Headers:
    """Adds the headers that keep a page to itself."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._more = [(name.lower().encode(), value.encode()) for name, value in headers().items()]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *self._more]}
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
