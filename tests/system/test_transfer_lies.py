"""A member's name server that lies: clear words, nothing lost, nothing taken."""
import pytest

from liar import Liar
from nameservers import EUIS, ZONE, secret_of
from transfers import Broker


@pytest.fixture
def broker(tmp_path):
    federation = Broker(tmp_path)
    yield federation
    federation.stop()


# each lie, and what the operator reads of it
LIES = {
    "cut_tcp": "closed", "silence": "silent", "trickle": "silent", "goes_back": "went back", "other_end": "another serial",
    "never_ends": "too many records", "other_zone": "another zone", "truncated": "cut short", "garbage": "damaged", "huge": "too many records",
    "unsigned_end": "not signed", "bad_mac": "BADSIG", "reordered": "BADSIG", "loop": "damaged", "past_end": "damaged",
    "empty_messages": "without records", "other_id": "another ID",
}


def test_a_server_that_lies_changes_nothing(broker):
    """One lie after the other; after each the set is the one before, and the same server telling the truth is believed again."""
    liar = Liar(ZONE, secret_of(broker.key), [(e, "000013") for e in EUIS[:10]])
    broker.servers.append(liar)
    broker.primary(liar.port)
    broker.wait_devices(EUIS[:10])
    for lie, fault in LIES.items():
        liar.lie, liar.devices, liar.serial = lie, [(e, "000013") for e in EUIS[10:20]], liar.serial + 1
        broker.ring()
        broker.wait_fault(fault)
        assert broker.devices_of() == EUIS[:10], lie
        liar.lie, liar.devices, liar.serial = None, [(e, "000013") for e in EUIS[:10]], liar.serial + 1
        broker.ring()
        broker.wait_state(state="good", serial=liar.serial)
    assert broker.devices_of() == EUIS[:10] and broker.broker.is_running()
    # texts of other people, many and long, do no harm
    liar.extra, liar.devices, liar.serial = 300, [(e, "000013") for e in EUIS[:12]], liar.serial + 1
    broker.ring()
    broker.wait_devices(EUIS[:12])
