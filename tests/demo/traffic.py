"""Counts what crosses the wire between the visited network server and the rest of the world.

`Capture` listens on the loopback interface with a packet socket (CAP_NET_RAW) and keeps the TCP packets of the given server
ports; `summary()` boils them down to the rows of the table. Loopback shows every packet twice, sent and received: only the
sent copy is counted. A packet is counted as the IP layer saw it; link-layer headers are not."""
import collections
import socket
import struct
import threading

ETH_P_IP = 0x0800
PACKET_OUTGOING = 4
SYN, FIN, RST = 0x02, 0x01, 0x04

Packet = collections.namedtuple("Packet", "connection to_server flags payload ip_bytes")
Summary = collections.namedtuple("Summary", "packets rtts tls_packets tls_bytes payload_bytes connections")


def may_capture():
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP)).close()
        return True
    except (PermissionError, OSError):
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
            if address[2] == PACKET_OUTGOING:
                packet = self._parse(data)
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
        tcp_header = (data[ip_header + 12] >> 4) * 4
        return Packet(connection, to_server, data[ip_header + 13], total - ip_header - tcp_header, total)

    def mark(self):
        """A point in the capture; pass it to summary() to look only at what came after."""
        with self._lock:
            return len(self.packets)

    def summary(self, since=0, only=None):
        """What was sent since `since`, on the connections to the server named `only`, or to all."""
        with self._lock:
            packets = [p for p in self.packets[since:] if only is None or p.connection[0] == only]
        return Summary(len(packets), round_trips(packets), sum(p.payload > 0 for p in packets),
                       sum(p.ip_bytes for p in packets if p.payload > 0), sum(p.payload for p in packets),
                       sum(p.flags & SYN != 0 and p.to_server for p in packets))


def round_trips(packets):
    """How often the client had to wait: on each connection, the turns from client to server that say something (SYN, data)."""
    last_from_client = {}
    trips = 0
    for p in packets:
        if p.payload == 0 and not p.flags & SYN:
            continue
        if not p.to_server and last_from_client.get(p.connection, False):
            trips += 1
        last_from_client[p.connection] = p.to_server
    return trips
