"""Counts what crosses the wire between the visited network server and the rest of the world.

`Capture` listens on the loopback interface with a packet socket (CAP_NET_RAW) and keeps the TCP packets of the given server
ports. Loopback hands large sends over in one piece: they are counted as the
Ethernet packets they would be (MSS 1448). Bytes are those of IP, TCP and what they carry; link-layer headers are not counted."""
import collections
import contextlib
import os
import pathlib
import socket
import struct
import threading
import time

ETH_P_IP = 0x0800
PACKET_HOST = 0
SYN = 0x02
MSS = 1448

Packet = collections.namedtuple("Packet", "connection to_server flags payload header")


class CaptureMeter:
    """Counts packets between start() and stop(). Round trips are what the server's connections waited for: connecting, the
    handshake, each request; packets that merely crossed do not show which of them was waited for."""
    how = "packets captured on loopback, round trips as waited for by the server"

    def __init__(self, server, ports):
        self.server = server
        self.capture = Capture(ports)

    def start(self):
        self.since = self.capture.mark()
        self.trips = self.server.upstream("round_trips")

    def stop(self):
        time.sleep(0.3)  # acknowledgements that are delayed belong to the join too
        cost = self.capture.cost(self.since, connections_of(self.server.process.pid))
        return {"packets": cost["packets"], "rtts": self.server.upstream("round_trips") - self.trips,
                "tls_bytes": cost["tls_bytes"]}

    def close(self):
        self.capture.close()


class CounterMeter:
    """Where packets may not be captured: the kernel's TCP_INFO and the byte counters of the visited server's connections."""
    how = "TCP_INFO and byte counters of the visited server's connections"

    def __init__(self, server):
        self.server = server

    def _read(self):
        return {what: self.server.upstream(what) for what in
                ("segments_in", "segments_out", "bytes_in", "bytes_out", "round_trips")}

    def start(self):
        self.before = self._read()

    def stop(self):
        time.sleep(0.3)
        now = {what: value - self.before[what] for what, value in self._read().items()}
        return {"packets": now["segments_in"] + now["segments_out"], "rtts": now["round_trips"],
                "tls_bytes": now["bytes_in"] + now["bytes_out"]}

    def close(self):
        pass


def meter(demo):
    """The best meter this machine allows."""
    if may_capture():
        return CaptureMeter(demo.visited, {demo.fed.port, demo.home.port})
    return CounterMeter(demo.visited)


def connections_of(pid):
    """Local TCP ports of a process's open connections (IPv4), from /proc."""
    inodes = set()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(os.readlink(fd))
    rows = (line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:])
    return {int(row[1].split(":")[1], 16) for row in rows if f"socket:[{row[9]}]" in inodes}


def may_capture():
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP)).close()
        return True
    except OSError:
        return False


class Capture:
    """Packets to and from `ports`, TCP ports of servers, on the loopback interface. A connection is its client's port."""

    def __init__(self, ports):
        self.ports = ports
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
        if target in self.ports:
            connection, to_server = source, True
        elif source in self.ports:
            connection, to_server = target, False
        else:
            return None
        header = ip_header + (data[ip_header + 12] >> 4) * 4
        return Packet(connection, to_server, data[ip_header + 13], total - header, header)

    def mark(self):
        """A point in the capture; cost() looks only at what came after."""
        with self._lock:
            return len(self.packets)

    def cost(self, since, ports):
        """What was sent since that mark, on the connections from these ports."""
        with self._lock:
            packets = [p for p in self.packets[since:] if p.connection in ports]
        return {"packets": sum(segments(p) for p in packets),
                "tls_bytes": sum(segments(p) * p.header + p.payload for p in packets if p.payload)}


def segments(packet):
    """How many Ethernet packets this one would be."""
    return max(1, -(-packet.payload // MSS))
