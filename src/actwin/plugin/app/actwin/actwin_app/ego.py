"""The UDP port: messages about the driven car out, controls in."""

from . import sockets, wire

MOST_PER_FRAME = 64
"""Datagrams read in one frame; what waits longer is the sender's loss."""
FAILURES = 50
"""Messages in a row that could not be sent before a client is given up."""
RELEASED = {
    "steer": 0.0,
    "acc": -1.0,
    "brake": -1.0,
    "enable_clutch": 0.0,
    "clutch": -1.0,
    "enable_gear_shift": 0.0,
    "shift_up": 0.0,
    "shift_down": 0.0,
    "drs": 0.0,
}


class Client:
    """One who said `connect`."""

    def __init__(self, address, now):
        self.address = address
        self.connect(now)

    def connect(self, now):
        """Start again from step 0."""
        self.seen = now
        self.steps = 0
        self.late = 0
        self.failures = 0
        self.superseded = False
        self.driven_at = None
        self.controls = dict(RELEASED)


class EgoServer:
    """Talks to the clients; never waits.

    Every client gets every message. The one who began to drive last drives; who is superseded drives again after a new
    `connect`.

    Args:
        socket: Python's module.
        address: Host and port to bind.
        most: Clients at a time; a new one replaces the one that was silent for longest.
        log: A `Log`.

    Attributes:
        address: Host and port as bound.
        clients: By address.
        driver: The client that drives, or None.
        rejected: Datagrams that made no sense.

    Raises:
        OSError: The address is taken.
    """

    def __init__(self, socket, address, most, log):
        self._socket = sockets.listener(socket, "udp", address)
        self.address = self._socket.getsockname()
        self._most = most
        self._log = log
        self.clients = {}
        self.driver = None
        self.rejected = 0
        self.reset_wanted = False

    def poll(self, now):
        """Read what has arrived.

        Args:
            now: [s].
        """
        for _ in range(MOST_PER_FRAME):
            try:
                data, address = self._socket.recvfrom(2 * wire.MAX_CONTROLS)
            except BlockingIOError:
                return
            except OSError:  # Windows: an earlier message was refused by a closed port, or this one is too long
                self._drop_refusing(now)
                continue
            self._take(data, address, now)

    def send(self, message):
        """Send one message to every client.

        Args:
            message: A dict.
        """
        if not self.clients:
            return
        rest = wire.encode(message)[1:]
        for client in list(self.clients.values()):
            head = '{"steps": %d, "total_errors_out_of_sync": %d, ' % (client.steps + 1, client.late)
            if self._send(client, head.encode("ascii") + rest):
                client.steps += 1

    def expire(self, now, limit):
        """Note a driver's silence.

        Args:
            now: [s].
            limit: [s] Of silence that is allowed.

        Returns:
            Whether nobody drives now.
        """
        driver = self.driver
        if driver is not None and now - driver.driven_at >= limit:
            self._log.now_and_then("silence", "no controls for %.1f s: the car is neutral." % limit)
            driver.controls = dict(RELEASED)
            self.driver = None
        return self.driver is None

    def close(self):
        """Tell every client and close the port."""
        for client in list(self.clients.values()):
            self._send(client, b"disconnect")
        self.clients.clear()
        self.driver = None
        self._socket.close()

    def _take(self, data, address, now):
        """Handle one datagram."""
        word = data.strip() if len(data) < 32 else b""
        client = self.clients.get(address)
        if word == b"connect":
            self._connect(client, address, now)
        elif client is None:
            self.rejected += 1
        elif word == b"disconnect":
            self._forget(client)
        elif word == b"reset":
            client.seen = now
            self.reset_wanted = True
        else:
            self._control(client, wire.parse_controls(data), now)

    def _connect(self, client, address, now):
        """Greet a client, whether it is new or starts again."""
        if client is None:
            if len(self.clients) >= self._most:
                silent = [known for known in self.clients.values() if known is not self.driver]
                self._forget(min(silent or self.clients.values(), key=lambda known: known.seen))
            client = self.clients[address] = Client(address, now)
        else:
            if client is self.driver:
                self.driver = None
            client.connect(now)
        self._send(client, b"identified")

    def _control(self, client, values, now):
        """Obey a control message, unless another client has taken over."""
        if values is None:
            self.rejected += 1
            self._log.now_and_then("rejected", "a message from %s:%s made no sense and was left out." % client.address)
            return
        client.seen = now
        if client.superseded:
            return
        if self.driver is not client:
            if self.driver is not None:
                self.driver.superseded = True
                self._log.now_and_then("driver", "another client drives now.")
            self.driver = client
        client.driven_at = now
        client.controls.pop("gear", None)
        client.controls.update(values)
        if "server_steps" in values and int(values["server_steps"]) != client.steps:
            client.late += 1

    def _send(self, client, data):
        """Send bytes to a client; one that refuses too often is forgotten."""
        try:
            self._socket.sendto(data, client.address)
        except OSError:
            client.failures += 1
            if client.failures >= FAILURES:
                self._forget(client)
            return False
        client.failures = 0
        return True

    def _drop_refusing(self, now):
        """Forget the only client when its port is closed; among several nobody knows whose it is."""
        if len(self.clients) == 1:
            (client,) = self.clients.values()
            if now - client.seen > 2.0:
                self._forget(client)

    def _forget(self, client):
        """Drop a client."""
        self.clients.pop(client.address, None)
        if self.driver is client:
            self.driver = None
