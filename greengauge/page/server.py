"""`PageServer`: uvicorn inside our event loop, on a socket that is bound before anything heavy is imported."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

from devices.errors import ConfigurationError, EnvironmentFailure

if TYPE_CHECKING:
    from starlette.applications import Starlette

TRIES = 100
BACKLOG = 128


class PageServer:
    """Binds and listens at once: `url` is true, and early visitors wait instead of being refused."""

    def __init__(self, host: str, port: int) -> None:
        """A busy port means the next free one, up to a hundred further. Raises EnvironmentFailure."""
        self._socket = _bound(host, port)
        self.port: int = self._socket.getsockname()[1]
        self._app: Starlette | None = None
        shown = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 - looked at, not bound
        self.url = f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"

    def serve(self, app: Starlette) -> None:
        """What `run` will serve."""
        self._app = app

    async def run(self) -> None:
        """Serve until cancelled; then ends within a second, open WebSockets or not."""
        import uvicorn  # heavy: after the address was printed

        class Server(uvicorn.Server):
            """Signals are the service's."""

            @contextlib.contextmanager
            def capture_signals(self) -> Iterator[None]:
                """Leave them alone."""
                yield

        assert self._app is not None, "serve(app) first"  # noqa: S101 - our own order of calls
        config = uvicorn.Config(
            self._app,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,  # `?token=` would be in it
            server_header=False,
            ws_max_size=4096,  # readers have nothing to say
            timeout_graceful_shutdown=1,
        )
        server = Server(config)
        serving = asyncio.create_task(server.serve(sockets=[self._socket]), name="uvicorn")
        try:
            await asyncio.shield(serving)
        finally:
            self._app.state.stream.close()
            server.should_exit = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(serving, 1.0)
            self._socket.close()


def _bound(host: str, port: int) -> socket.socket:
    for candidate in range(port, min(port + TRIES, 65_535) + 1) if port else (0,):
        try:
            return _listen(host, candidate)
        except UnicodeError:  # of a name that no resolver could be asked for
            raise ConfigurationError(f"{host!r} is no host name", where="setting host", mend="see --host") from None
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:
                raise EnvironmentFailure(
                    f"the page cannot listen: {problem.strerror or problem}",
                    where=f"{host}:{candidate}",
                    mend="choose another host or port",
                ) from None
    raise EnvironmentFailure(
        f"no free port from {port} to {port + TRIES}", where=host, mend="choose another with --port, or 0 for any"
    )


def _listen(host: str, port: int) -> socket.socket:
    family, kind, proto, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, proto)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
