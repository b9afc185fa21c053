"""A name server of the tests' own for public names: says what a test wants, and remembers what it was asked."""
import contextlib
import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

class PublicDns:
    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.records = {}  # (name, type) → (ttl, [rdata])
        self.asked = []    # (name, type)
        self.is_silent = False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def say(self, name, rdtype, *rdatas, ttl=60):
        self.records[name.lower(), rdtype] = (ttl, rdatas)

    def forget(self):
        self.records.clear()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)

    def _serve(self):
        while True:
            try:
                wire, peer = self.socket.recvfrom(4096)
                if not wire:
                    return
                answer = self._answer(dns.message.from_wire(wire))
                if not self.is_silent:
                    self.socket.sendto(answer.to_wire(), peer)
            except OSError:
                return

    def _answer(self, query):
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        rdtype = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, rdtype))
        answer = dns.message.make_response(query, recursion_available=True)
        ttl, rdatas = self.records.get((name, rdtype), (0, ()))
        if rdatas:
            answer.answer.append(dns.rrset.from_text(question.name, ttl, "IN", question.rdtype, *rdatas))
        else:
            if not any(n == name for n, _ in self.records):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            answer.authority.append(dns.rrset.from_text("test.", 60, "IN", "SOA", "ns.test. noc.test. 1 3600 600 604800 60"))
        return answer
