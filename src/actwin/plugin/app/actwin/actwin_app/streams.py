"""The TCP ports: questions about the session and the stream of opponents."""

from . import sockets, wire

MOST_PEERS = 8
MOST_WAITING = 1 << 23
"""[byte] Replies that wait to be taken; a peer that asks for more without reading is closed."""
LONGEST = 256
"""[byte] Of requests that are not run yet; more is left with the sender."""
MOST_COMMANDS = 4
"""Commands run for a peer in one frame."""
IDLE = 60.0
"""[s] Without a byte in either direction before a peer is closed."""
GREETING_PAUSE = 0.1
"""[s] Between the number of opponents and the first list: readers expect the number alone."""


class Peer:
    """One connection."""

    def __init__(self, connection, now):
        self.connection = connection
        self.seen = self.since = now
        self.request = b""
        self.waiting = bytearray()
        self.ended = False


class StreamServer:
    """Accepts connections and moves bytes; never waits.

    Args:
        socket: Python's module.
        address: Host and port to bind.

    Attributes:
        address: Host and port as bound.
        peers: Open connections.

    Raises:
        OSError: The address is taken.
    """

    def __init__(self, socket, address):
        self._module = socket
        self._socket = sockets.listener(socket, "tcp", address)
        self.address = self._socket.getsockname()
        self.peers = []

    def poll(self, now):
        """Accept, read, answer and send as far as it goes without waiting.

        Args:
            now: [s].
        """
        self._accept(now)
        for peer in list(self.peers):
            try:
                self._read(peer, now)
                if peer.request:
                    self.take(peer)
                self._flush(peer, now)
            except OSError:
                self._drop(peer)
                continue
            done = peer.ended and not peer.waiting and not peer.request
            if done or len(peer.waiting) > MOST_WAITING or now - peer.seen > IDLE:
                self._drop(peer)

    def greet(self, peer):
        """Called for a new connection."""

    def take(self, peer):
        """Called in each frame while `peer.request` holds something."""
        peer.request = b""

    def close(self):
        """Close every connection and the port."""
        for peer in list(self.peers):
            self._drop(peer)
        self._socket.close()

    def _accept(self, now):
        """Take new connections; beyond the limit the oldest one goes."""
        for _ in range(MOST_PEERS):
            try:
                connection, _ = self._socket.accept()
            except OSError:  # nobody waits, or has gone again
                return
            connection.setblocking(False)
            try:
                connection.setsockopt(self._module.SOL_SOCKET, self._module.SO_SNDBUF, 1 << 20)
                connection.setsockopt(self._module.IPPROTO_TCP, self._module.TCP_NODELAY, 1)
            except OSError:  # a help, no need
                pass
            if len(self.peers) >= MOST_PEERS:
                self._drop(min(self.peers, key=lambda known: known.seen))
            peer = Peer(connection, now)
            self.peers.append(peer)
            self.greet(peer)

    def _read(self, peer, now):
        """Read what a peer sent, as far as it is not behind with its requests."""
        if peer.ended or len(peer.request) >= LONGEST:
            return
        try:
            data = peer.connection.recv(LONGEST)
        except BlockingIOError:
            return
        if not data:
            peer.ended = True
            return
        peer.seen = now
        peer.request += data

    def _flush(self, peer, now):
        """Send what waits."""
        if peer.waiting:
            try:
                # All at once: a reader that receives only once then gets as much as the system can hand over.
                with memoryview(peer.waiting) as everything:
                    sent = peer.connection.send(everything)
            except BlockingIOError:
                return
            del peer.waiting[:sent]
            peer.seen = now

    def _drop(self, peer):
        """Close a connection."""
        peer.connection.close()
        if peer in self.peers:
            self.peers.remove(peer)


class Management(StreamServer):
    """Answers commands, however TCP splits or joins them.

    Args:
        socket, address: As for `StreamServer`.
        commands: Function by command; it returns bytes to send or None. No command may begin with another.
    """

    def __init__(self, socket, address, commands):
        StreamServer.__init__(self, socket, address)
        self._commands = {name.encode("ascii"): function for name, function in commands.items()}

    def take(self, peer):
        """Run complete commands; close a peer that asks for anything else."""
        for _ in range(MOST_COMMANDS):
            peer.request = peer.request.lstrip(b"\r\n\t \0")
            known = [name for name in self._commands if peer.request.startswith(name)]
            if not known:
                begun = any(name.startswith(peer.request) for name in self._commands)
                if peer.ended or not begun:
                    peer.request = b""
                    peer.ended = True
                return
            peer.request = peer.request[len(known[0]) :]
            answer = self._commands[known[0]]()
            if answer is not None and len(peer.waiting) <= MOST_WAITING:
                peer.waiting += answer


class Opponents(StreamServer):
    """Sends the other cars, `<length>HEADER-END<list>`, after their number.

    Args:
        socket, address: As for `StreamServer`.
        count: Function that returns the number of opponents.
    """

    def __init__(self, socket, address, count):
        StreamServer.__init__(self, socket, address)
        self._count = count

    def greet(self, peer):
        """Send the number of opponents."""
        peer.waiting += str(self._count()).encode("ascii")

    def wanted(self, now):
        """Peers that have taken everything so far."""
        return [peer for peer in self.peers if not peer.waiting and now - peer.since >= GREETING_PAUSE]

    def publish(self, cars, now):
        """Send a list to everybody who keeps up.

        Args:
            cars: List of dicts.
            now: [s].
        """
        ready = self.wanted(now)
        if ready:
            payload = wire.encode(cars)
            for peer in ready:
                peer.waiting += str(len(payload.decode("utf-8"))).encode("ascii") + b"HEADER-END" + payload
