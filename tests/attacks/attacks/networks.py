"""Talking to anybody: every address is one of the test's own listeners on this machine."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
import urllib.request
from pathlib import Path

from .attack import attack
from .system import call

_GREETING = b"attack"


@attack(leaves="tcp")
def tcp(target):
    with socket.create_connection(("127.0.0.1", target["tcp_port"]), 2) as connection:
        connection.sendall(_GREETING)
    return "sent"


@attack(leaves="tcp")
def tcp_by_system_calls(target):
    descriptor = call("socket", socket.AF_INET, socket.SOCK_STREAM, 0)
    try:
        port = socket.htons(target["tcp_port"])
        address = struct.pack("=HH4s8x", socket.AF_INET, port, bytes([127, 0, 0, 1]))
        call("connect", descriptor, address, len(address))
        return os.write(descriptor, _GREETING)
    finally:
        os.close(descriptor)


@attack(leaves="tcp")
def http(target):
    """The listener says nothing; that it was asked is enough."""
    url = f"http://127.0.0.1:{target['tcp_port']}/"
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=0.5)
    except TimeoutError:
        return "asked"
    except urllib.error.URLError as error:
        raise error.reason if isinstance(error.reason, OSError) else error from None
    return "answered"


@attack(leaves="tcp")
def tcp_by_asyncio(target):
    async def reach():
        _, writer = await asyncio.open_connection("127.0.0.1", target["tcp_port"])
        writer.write(_GREETING)
        await writer.drain()
        writer.close()

    _run_async(reach())
    return "sent"


def _run_async(coroutine):
    import threading

    result = []

    def run():
        try:
            result.append(asyncio.new_event_loop().run_until_complete(coroutine))
        except BaseException as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(result[0], BaseException):
        raise result[0]


@attack(leaves="tcp", absent={errno.EADDRNOTAVAIL: "no IPv6", errno.EAFNOSUPPORT: "no IPv6"})
def tcp_over_ipv6(target):
    with socket.create_connection(("::ffff:127.0.0.1", target["tcp_port"]), 2) as connection:
        connection.sendall(_GREETING)
    return "sent"


@attack()
def tcp_server(target):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        return server.getsockname()[1]


@attack()
def tcp_server_without_bind(target):
    """`listen` alone takes a port by itself, past rules on `bind`."""
    with socket.socket() as server:
        server.listen()
        return server.getsockname()[1]


@attack(leaves="udp")
def udp(target):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return sender.sendto(_GREETING, ("127.0.0.1", target["udp_port"]))


@attack(leaves="udp")
def dns(target):
    """A question for a name that carries what was stolen."""
    question = struct.pack(">6H", 1, 0x0100, 1, 0, 0, 0)
    for label in (b"attack", b"example", b""):
        question += bytes([len(label)]) + label
    question += struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(20)
        asker.connect(("127.0.0.1", target["udp_port"]))
        asker.send(question)
        return len(asker.recv(512))


@attack(needs="NET_RAW")
def raw_socket(target):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        echo = struct.pack(">BBHHH", 8, 0, 0xF7FD, 1, 1)
        return raw.sendto(echo, ("127.0.0.1", 0))


@attack(needs="NET_RAW")
def packet_socket(target):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3)) as raw:
        raw.bind(("lo", 0))
        return raw.getsockname()[0]


@attack()
def netlink(target):
    """What interfaces there are."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as route:
        route.bind((0, 0))
        route.send(struct.pack("=IHHII16x", 32, 18, 0x301, 1, 0))
        return len(route.recv(65536))


@attack(absent={errno.EAFNOSUPPORT: "no vsock in this kernel", errno.ENODEV: "no vsock here"})
def vsock(target):
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as server:
        server.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
        server.listen()
        return server.getsockname()[1]


@attack(absent={errno.EAFNOSUPPORT: "no AF_ALG in this kernel"})
def kernel_crypto(target):
    """Not a network, but a family with a long record of holes."""
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as algorithm:
        algorithm.bind(("hash", "sha1"))
        return "bound"


@attack(leaves="unix")
def unix_stream(target):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(target["unix_path"])
        connection.sendall(_GREETING)
    return "sent"


@attack(leaves="unix")
def unix_stream_by_symlink(target):
    link = Path(target["scratch"], "socket")
    link.unlink(missing_ok=True)
    link.symlink_to(target["unix_path"])
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(link))
        connection.sendall(_GREETING)
    return "sent"


@attack(leaves="datagram")
def unix_datagram(target):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        return sender.sendto(_GREETING, target["datagram_path"])


@attack(leaves="datagram")
def unix_datagram_from_a_pair(target):
    """A pair needs no `socket`, and each of its ends can send elsewhere."""
    ours, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, other:
        return ours.sendto(_GREETING, target["datagram_path"])


@attack(leaves="datagram")
def unix_datagram_from_a_pair_by_sendmsg(target):
    ours, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, other:
        return ours.sendmsg([_GREETING], [], 0, target["datagram_path"])


@attack(leaves="datagram")
def unix_datagram_from_a_pair_by_connect(target):
    ours, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, other:
        ours.connect(target["datagram_path"])
        return ours.send(_GREETING)


@attack(leaves="abstract")
def abstract_socket(target):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("\0" + target["abstract_name"])
        connection.sendall(_GREETING)
    return "sent"


@attack(leaves="abstract datagram")
def abstract_datagram_from_a_pair(target):
    ours, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, other:
        return ours.sendto(_GREETING, "\0" + target["abstract_name"] + "-datagram")


@attack(absent={errno.ENOENT: "no daemon listens at /dev/log"})
def system_log(target):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect("/dev/log")
        return "connected"


@attack()
def sibling_kernel(target):
    """The kernel of another plugin, with the key that is beside it."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(target["sibling_socket"])
        return "connected"
