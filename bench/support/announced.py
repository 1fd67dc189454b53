"""uvicorn in a thread of this process, for whoever has to know when it answers."""

import socket
import threading

import uvicorn


class Announced(uvicorn.Server):
    """Says when it answers, or has failed to begin."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.begun.set()
