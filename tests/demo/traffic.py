"""Counts what crosses the wire between the visited network server and the rest of the world.

`Capture` listens on the loopback interface with a packet socket (CAP_NET_RAW) and keeps the TCP packets of the given server
ports; Summary boils them down to a row of the table. Loopback hands large sends over in one piece: they are counted as the
Ethernet packets they would be (MSS 1448). Bytes are those of IP, TCP and what they carry; link-layer headers are not counted."""
import collections
import socket
import struct
import threading

ETH_P_IP = 0x0800
PACKET_HOST = 0
SYN = 0x02
MSS = 1448

Packet = collections.namedtuple("Packet", "connection to_server flags payload header")
Summary = collections.namedtuple("Summary", "packets rtts tls_packets tls_bytes connections")


def may_capture():
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP)).close()
        return True
    except OSError:
        return False


class Capture:
    """Packets to and from `ports` (name -> TCP port of a server) on the loopback interface."""

    def __init__(self, ports):
        self.names = {port: name for name, port in ports.items()}
        self.packets = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.bind(("lo", ETH_P_IP))
        self._socket.settimeout(0.2)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def _run(self):
        while not self._stop.is_set():
            try:
                data, address = self._socket.recvfrom(70000)
            except socket.timeout:
                continue
            packet = self._parse(data) if address[2] == PACKET_HOST else None
            if packet:
                with self._lock:
                    self.packets.append(packet)

    def _parse(self, data):
        if len(data) < 40 or data[0] >> 4 != 4 or data[9] != socket.IPPROTO_TCP:
            return None
        ip_header = (data[0] & 15) * 4
        total = struct.unpack_from(">H", data, 2)[0] or len(data)
        source, target = struct.unpack_from(">HH", data, ip_header)
        if target in self.names:
            connection, to_server = (self.names[target], source), True
        elif source in self.names:
            connection, to_server = (self.names[source], target), False
        else:
            return None
        header = ip_header + (data[ip_header + 12] >> 4) * 4
        return Packet(connection, to_server, data[ip_header + 13], total - header, header)

    def mark(self):
        """A point in the capture; summary(since=mark) looks only at what came after."""
        with self._lock:
            return len(self.packets)

    def summary(self, since=0, only=None):
        """What was sent since `since`, on the connections to the server named `only`, or to all."""
        with self._lock:
            packets = [p for p in self.packets[since:] if only is None or p.connection[0] == only]
        return Summary(packets=sum(segments(p) for p in packets),
                       rtts=round_trips(packets),
                       tls_packets=sum(segments(p) for p in packets if p.payload),
                       tls_bytes=sum(segments(p) * p.header + p.payload for p in packets if p.payload),
                       connections=sum(bool(p.flags & SYN) and p.to_server for p in packets))


def segments(packet):
    """How many Ethernet packets this one would be."""
    return max(1, -(-packet.payload // MSS))


def round_trips(packets):
    """How often the client had to wait: on each connection, the answers that follow something it said (SYN or data)."""
    waits = {}
    trips = 0
    for p in packets:
        if p.payload == 0 and not p.flags & SYN:
            continue
        if not p.to_server and waits.get(p.connection):
            trips += 1
        waits[p.connection] = p.to_server
    return trips
