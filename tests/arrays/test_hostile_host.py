"""A host that does not keep to the protocol costs itself its life, and nobody else anything."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from nebula_lab.errors import PluginCrashedError, PluginTimeoutError
from nebula_lab.link import descriptors

# What a plugin needs to speak to the manager past its agent. `laden` puts a message together that
# has a manifest of the plugin's own making; `passing` tries to pass descriptors with it.
HEADER = """
import array, fcntl, mmap, socket, struct, tempfile
import msgspec
from nebula_lab.link.channel import Channel
from nebula_lab.wire.framing import LADEN

channel = next(one for one in gc.get_objects() if isinstance(one, Channel))
sock = channel._socket
encode = msgspec.msgpack.encode
REPLY = 31

def call():
    from nebula_lab.agent.job import current_job
    return current_job.get().call

def frame(payload, size=None):
    return struct.pack(">I", len(payload) if size is None else size) + payload

def reply(value=None):
    return encode([REPLY, call(), value])

def laden(slots=(), segments=(), released=(), forgotten=(), message=None, head=None):
    head = encode([slots, segments, released, forgotten]) if head is None else head
    content = struct.pack(">I", len(head)) + head + (reply() if message is None else message)
    return struct.pack(">I", len(content) | LADEN) + content

def passing(data, *descriptors):
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    try:
        sock.sendmsg([data], rights)
    except PermissionError:
        sock.send(data)  # the kernel does not let it through: what they belong to goes alone

def memfd(size, seals=0):
    made = os.memfd_create("x", os.MFD_ALLOW_SEALING)
    os.ftruncate(made, size)
    if seals:
        fcntl.fcntl(made, fcntl.F_ADD_SEALS, seals)
    return made

SHRINK = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
ALL = SHRINK | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
MINE = [[99, 4096, 2]]  # a segment of its own
IN_IT = [[99, 0, 4096]]
"""
ATTACKS = {
    "a frame of 4 GB": "sock.send(struct.pack('>I', 2**32 - 1) + b'x')",
    "a laden frame of 1 GB": "sock.send(struct.pack('>I', 2**31 - 1) + b'x')",
    "rubbish": "sock.send(frame(b'rubbish'))",
    "a deep nest": "sock.send(frame(reply()[:-1] + b'\\x91' * 100_000))",
    "a deep nest beside": "sock.send(laden(head=b'\\x91' * 100_000))",
    "no manifest": "sock.send(laden(head=b'rubbish'))",
    "a manifest longer than its frame": (
        "sock.send(struct.pack('>I', 8 | LADEN) + struct.pack('>I', 4096) + b'abcd')"
    ),
    "a manifest of 4 GB": (
        "sock.send(struct.pack('>I', 8 | LADEN) + struct.pack('>I', 2**32 - 1) + b'abcd')"
    ),
    "attachments of an Output": (
        "sock.send(laden([[0, 0, 8]], message=encode([34, 0, 'stdout', 'x'])))"
    ),
    "a terabyte behind": "sock.send(laden([[0, 0, 2**40]]))",
    "many gigabytes behind": "sock.send(laden([[0, 0, 2**30]] * 3))",
    "less than nothing behind": "sock.send(laden([[0, 0, -1]]))",
    "ever so many attachments": "sock.send(laden([[0, 0, 0]] * 70_000))",
    "a segment that nobody has": "sock.send(laden([[7, 0, 8]]))",
    "a segment of the other direction": "sock.send(laden([[PARAMS, 0, 8]]))",
    "bytes behind a segment's end": "sock.send(laden([[RESULTS, 0, 2**30]]))",
    "bytes that begin behind a segment's end": "sock.send(laden([[RESULTS, 2**62, 8]]))",
    "a segment twice": (
        "sock.send(2 * laden([[RESULTS, 0, 8]], message=encode([35, 0, 'display', {}])))"
    ),
    "a release of nothing": "sock.send(laden(released=[12345]))",
    "a release of what is not its own": "sock.send(laden(released=[RESULTS]))",
    "a release twice": "sock.send(laden(released=[PARAMS, PARAMS]))",
    "a release of less than nothing": "sock.send(laden(released=[-1]))",
    "an unasked farewell": "sock.send(laden(forgotten=[RESULTS]))",
    "a descriptor that nobody announced": "passing(laden([[RESULTS, 0, 2**40]]), memfd(4096, ALL))",
    "a descriptor fewer than announced": "sock.send(laden(IN_IT, MINE))",
    "a sparse memfd of a terabyte": "passing(laden(IN_IT, [[99, 2**40, 2]]), memfd(2**40, ALL))",
    "a memfd that can be written": "passing(laden(IN_IT, MINE), memfd(4096, SHRINK))",
    "a memfd without seals": "passing(laden(IN_IT, MINE), memfd(4096))",
    "a sealed memfd": "passing(laden(IN_IT, MINE), memfd(4096, ALL))",
    "a regular file": "passing(laden(IN_IT, MINE), os.open(__file__, os.O_RDONLY))",
    "a folder": "passing(laden(IN_IT, MINE), os.open('/', os.O_RDONLY))",
    "its own socket": "passing(laden(IN_IT, MINE), sock.fileno())",
    "a hundred descriptors": "passing(laden(IN_IT, MINE), *[memfd(4096) for _ in range(100)])",
    "more segments than may come": "sock.send(laden(segments=20 * MINE))",
    "half an array and the end": "sock.send(laden([[0, 0, 2**20]]) + b'x' * 1000); os._exit(0)",
}
SOON = 0.5  # seconds
STALLS = {"half a message": "sock.send(laden([[0, 0, 2**20]]) + b'x' * 1000)"}
OF_DESCRIPTORS = [name for name, attack in ATTACKS.items() if attack.startswith("passing")]
# As many as there are: what is shown here is not to rest on what keeps a plugin from an attempt.
RIGHTS = {
    "capabilities": ["Network", "FileSystem", "ProcessSpawn", "MemoryAllocation", "SystemCalls"]
}
METHODS = '''
@operation
def echo(self, value):
    return value

@operation
def attack(self, name: str):
    """Carry out one of the attacks, with the segments that have been lent by now."""
    lent = channel.freight._segments
    numbers = {lent[number].direction: number for number in lent}
    scope = {**globals(), "PARAMS": numbers.get(1), "RESULTS": numbers.get(2)}
    sock.setblocking(True)  # or what is large would go in part
    exec(ATTACKS[name], scope)
    time.sleep(60)
'''


@pytest.fixture
def plugins(write, manage):
    write("evil", METHODS, f"{HEADER}\nATTACKS = {ATTACKS | STALLS!r}", security=RIGHTS)
    write("good", METHODS, HEADER)
    # Without spares, which have descriptors of their own and come whenever there is time for them.
    return manage(
        restart={"max_restarts": 100, "window": 60, "backoff": 0},
        timeout=20.0,
        grace=0.5,
        security=RIGHTS,
        zygote={"spares": 0},
    )


def exchange(plugins, plugin_id):
    """A few arrays there and back, until there is a segment for each direction."""
    array = np.arange(50_000.0)
    for _ in range(4):
        assert (plugins.execute(plugin_id, "echo", {"value": array}) == array).all()


def targets():
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the listing's own
            yield str(entry.readlink())


def lent():
    """The descriptors of our own segments."""
    return [target for target in targets() if target.startswith("/memfd:nebula-")]


def not_lent():
    """How many descriptors there are besides them."""
    return sum(not target.startswith("/memfd:nebula-") for target in targets())


def attack(plugins, name):
    try:
        plugins.execute("evil", "attack", {"name": name})
    except PluginCrashedError as error:
        return str(error)
    except BaseException as error:
        error.add_note(f"the attack: {name}")
        raise
    pytest.fail(f"the attack worked: {name}")


@pytest.mark.parametrize("refuses", [True, False], ids=["kernel refuses", "we look"])
def test_every_attack_costs_the_host_its_life_and_nobody_else_anything(
    plugins, monkeypatch, refuses, wait_until
):
    if not refuses:  # as on a Linux before 6.16
        monkeypatch.setattr(descriptors, "_can_refuse", lambda: False)
    exchange(plugins, "good")
    most = 0
    for name in ATTACKS if refuses else OF_DESCRIPTORS:
        exchange(plugins, "evil")
        most = max(most, not_lent())  # some of a host's own come a moment after it
        error = attack(plugins, name)
        assert "makes no sense" in error or "middle of a message" in error, name
        exchange(plugins, "good")
        exchange(plugins, "evil")  # the new host, which has a pool of its own
        wait_until(lambda most=most: not_lent() <= most, f"descriptors after: {name}")
    for plugin_id in ("good", "evil"):
        plugins.unload_plugin(plugin_id)
    assert lent() == []


def test_half_a_message_costs_its_host_its_life_at_the_calls_deadline(plugins, wait_until):
    exchange(plugins, "evil")
    with pytest.raises(PluginTimeoutError, match="was replaced"):
        # By its end all descriptors of the host are there, of which some come a moment after it.
        plugins.execute("evil", "attack", {"name": "half a message"}, timeout=SOON)
    exchange(plugins, "evil")
    most = not_lent()
    with pytest.raises(PluginTimeoutError, match="was replaced"):
        plugins.execute("evil", "attack", {"name": "half a message"}, timeout=SOON)
    exchange(plugins, "evil")
    wait_until(lambda: not_lent() <= most, "the end of all descriptors of the hosts before")


SNEAK = """
@operation
def sneak(self):
    passing(frame(reply()), memfd(4096, ALL))
    time.sleep(60)
"""


def test_descriptors_with_a_message_that_is_in_order_are_never_taken(write, manage, monkeypatch):
    """With a kernel that refuses they can't be sent; with another the call fails."""
    write("evil", SNEAK, HEADER, security=RIGHTS)
    monkeypatch.setattr(descriptors, "_can_refuse", lambda: False)
    plugins = manage(security=RIGHTS)
    plugins.load_plugin("evil")
    with pytest.raises(PluginCrashedError, match="descriptors, which nobody takes"):
        plugins.execute("evil", "sneak")
    plugins.unload_plugin("evil")
    assert "/memfd:x (deleted)" not in targets()


SEGMENTS = '''
def lent(direction):
    """A descriptor for one of the segments that the manager lent."""
    for entry in os.listdir("/proc/self/fd"):
        try:
            if "nebula-" + direction in os.readlink(f"/proc/self/fd/{entry}"):
                return int(entry)
        except OSError:
            pass

def tried(work):
    try:
        work()
    except (OSError, ValueError) as error:
        return type(error).__name__
    return "it worked"

def fallocate(descriptor):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    punch_hole_and_keep_size = 3
    if libc.fallocate(descriptor, punch_hole_and_keep_size, ctypes.c_long(0), ctypes.c_long(4096)):
        raise OSError(ctypes.get_errno(), "fallocate")

def reopened(descriptor):
    again = os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR)
    os.pwrite(again, b"x", 0)
'''
PROBES = '''
@operation
def echo(self, value):
    return value

@operation
def probe(self, value, direction: str):
    descriptor = lent(direction)
    return {
        "shrink": tried(lambda: os.ftruncate(descriptor, 0)),
        "grow": tried(lambda: os.ftruncate(descriptor, 2**40)),
        "seal": tried(lambda: fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)),
        "write": tried(lambda: os.pwrite(descriptor, b"x", 0)),
        "reopen": tried(lambda: reopened(descriptor)),
        "map": tried(lambda: mmap.mmap(descriptor, 4096)),
        "hole": tried(lambda: fallocate(descriptor)),
    }

@operation
def punch(self, value):
    """A result whose segment loses its pages on its way to the manager."""
    import threading
    result = value + 1
    descriptor = lent("results")
    def again():
        for _ in range(2000):
            fallocate(descriptor)
    threading.Thread(target=again).start()
    return result
'''


@pytest.fixture
def probed(write, manage):
    write("probe", PROBES, HEADER + SEGMENTS)
    plugins = manage()
    exchange(plugins, "probe")
    return partial(plugins.execute, "probe")


def test_a_plugin_can_not_change_the_segment_of_its_params_in_any_way(probed):
    array = np.arange(50_000.0)
    tried = probed("probe", {"value": array, "direction": "params"})
    assert set(tried.values()) == {"PermissionError"}


def test_a_plugin_can_not_truncate_the_segment_of_its_results(probed):
    tried = probed("probe", {"value": 0, "direction": "results"})
    assert {tried[way] for way in ("shrink", "grow", "seal")} == {"PermissionError"}


def test_pages_that_a_plugin_takes_from_under_a_result_are_its_own_loss(probed):
    array = np.arange(50_000.0)
    for _ in range(5):
        result = probed("punch", {"value": array})
        assert ((result == array + 1) | (result == 0)).all()
    assert probed("echo", {"value": 1}) == 1


def test_what_a_plugin_writes_after_its_answer_does_not_reach_the_result(write, manage):
    write(
        "late",
        """
        @operation
        def echo(self, value):
            return value

        @operation
        def late(self, value):
            import threading
            segment = next(
                one.mapping for one in channel.freight._segments.values() if one.direction == 2
            )
            def scribble():
                for _ in range(300):
                    segment[:8] = os.urandom(8)
                    time.sleep(0.001)
            threading.Thread(target=scribble).start()
            return value
        """,
        HEADER,
    )
    plugins = manage()
    exchange(plugins, "late")
    result = plugins.execute("late", "late", {"value": np.arange(50_000.0)})
    copies = [result.copy() for _ in range(200)]
    assert all((copy == result).all() for copy in copies)
