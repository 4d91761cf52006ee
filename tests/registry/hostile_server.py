"""A file server that does what its address says: the first part of a path is how to behave.

    python hostile_server.py FOLDER [CERTIFICATE KEY]

It prints its port, and serves until its standard input ends; with TLS, if it is given a
certificate. `/log` has every request so far.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import ssl
import sys
from collections import Counter
from pathlib import Path

TOKEN = "canary-0123456789-token"
RANGE = re.compile(r"bytes=([0-9]+)-")
WORDS = {200: "OK", 206: "Partial", 302: "Found", 304: "Same", 401: "No", 404: "None", 416: "Range"}


class Server:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.log: list[dict[str, object]] = []
        self.counts: Counter[str] = Counter()
        self.first: dict[str, str] = {}
        self.asked_again = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                path = line.split()[1].decode()
                headers = {}
                while (line := await reader.readline()).strip():
                    name, _, value = line.decode("latin-1").partition(":")
                    headers[name.strip().lower()] = value.strip()
                await self.answer(path, headers, writer)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def answer(self, path, headers, writer) -> None:
        if path == "/log":
            self.send(writer, 200, json.dumps(self.log).encode())
            return
        self.log.append({"path": path, "headers": headers})
        path = re.sub("^http://[^/]*", "", path)  # as a proxy is asked
        self.counts[path] += 1
        _, mode, rest = path.split("/", 2)
        behave = getattr(self, mode.partition("-")[0])
        await behave(mode, rest, headers, writer, self.counts[path])

    def send(self, writer, status, body=b"", **headers) -> None:
        lines = [f"HTTP/1.1 {status} {WORDS.get(status, 'Hm')}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    # How to behave

    async def plain(self, mode, rest, headers, writer, count) -> None:
        file = self.root / rest
        if not file.is_file():
            return self.send(writer, 404)
        body = file.read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if headers.get("if-none-match") == etag:
            return self.send(writer, 304, ETag=etag)
        found = RANGE.fullmatch(headers.get("range", ""))
        if found is None or headers.get("if-range", etag) != etag:
            return self.send(writer, 200, body, ETag=etag)
        start = int(found[1])
        if start >= len(body):
            return self.send(writer, 416)
        said = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return self.send(writer, 206, body[start:], ETag=etag, Content_Range=said)

    async def nameless(self, mode, rest, headers, writer, count) -> None:
        """No ETag, no Range."""
        self.send(writer, 200, (self.root / rest).read_bytes())

    async def html(self, mode, rest, headers, writer, count) -> None:
        self.send(writer, 200, b"<!doctype html><title>Please log in</title>")

    async def half(self, mode, rest, headers, writer, count) -> None:
        """Ends in the middle of an archive; at each attempt, or at the first so many."""
        often = int(mode.partition("-")[2] or 1000)
        if not rest.endswith(".zip") or count > often:
            return await self.plain(mode, rest, headers, writer, count)
        body = (self.root / rest).read_bytes()
        found = RANGE.fullmatch(headers.get("range", ""))
        start = int(found[1]) if found else 0
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        said = f"bytes {start}-{len(body) - 1}/{len(body)}"
        lines = [
            "HTTP/1.1 206 Partial" if start else "HTTP/1.1 200 OK",
            f"Content-Length: {len(body) - start}",
            f"ETag: {etag}",
            *([f"Content-Range: {said}"] if start else []),
        ]
        part = body[start : start + max(1, (len(body) - start) // 2)]
        writer.write("\r\n".join([*lines, "", ""]).encode() + part)
        await writer.drain()
        writer.close()
        return None

    async def wrong(self, mode, rest, headers, writer, count) -> None:
        """Another archive of the same size."""
        body = (self.root / rest).read_bytes()
        if rest.endswith(".zip"):
            body = body[:-1] + bytes([body[-1] ^ 1])
        self.send(writer, 200, body)

    async def huge(self, mode, rest, headers, writer, count) -> None:
        """A gigabyte of zeros, without saying so."""
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        block = bytes(2**20)
        for _ in range(1024):
            writer.write(f"{len(block):x}\r\n".encode() + block + b"\r\n")
            await writer.drain()
            self.counts["megabytes"] += 1
            self.log[-1]["megabytes"] = self.counts["megabytes"]
        writer.write(b"0\r\n\r\n")

    async def large(self, mode, rest, headers, writer, count) -> None:
        """Says that a gigabyte comes."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")

    async def loop(self, mode, rest, headers, writer, count) -> None:
        self.send(writer, 302, Location=f"/loop/{rest}")

    async def moved(self, mode, rest, headers, writer, count) -> None:
        """Refers to another server: moved-PORT-MODE, or to another scheme: moved-ftp."""
        _, port, *then = mode.split("-", 2)
        target = f"http://127.0.0.1:{port}/{then[0]}/{rest}" if then else f"{port}://h/{rest}"
        self.send(writer, 302, Location=target)

    async def named(self, mode, rest, headers, writer, count) -> None:
        """The same server by another name, which is another host."""
        port = writer.get_extra_info("sockname")[1]
        self.send(writer, 302, Location=f"http://localhost:{port}/plain/{rest}")

    async def token(self, mode, rest, headers, writer, count) -> None:
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return self.send(writer, 401, WWW_Authenticate="Bearer")
        return await self.plain(mode, rest, headers, writer, count)

    async def basic(self, mode, rest, headers, writer, count) -> None:
        if headers.get("authorization") != "Basic YWRhOnB3OmNhbmFyeQ==":  # ada:pw:canary
            return self.send(writer, 401)
        return await self.plain(mode, rest, headers, writer, count)

    async def mirror(self, mode, rest, headers, writer, count) -> None:
        """Puts the secret into what it says."""
        secret = headers.get("authorization", "").partition(" ")[2]
        self.send(writer, 200, json.dumps({"format": 1, secret: 1}).encode())

    async def busy(self, mode, rest, headers, writer, count) -> None:
        """busy-N-SECONDS: can't the first N times, and says when to come again."""
        _, often, seconds = mode.split("-")
        if count <= int(often):
            return self.send(writer, 503, Retry_After=seconds)
        return await self.plain(mode, rest, headers, writer, count)

    async def status(self, mode, rest, headers, writer, count) -> None:
        self.send(writer, int(mode.partition("-")[2]))

    async def silent(self, mode, rest, headers, writer, count) -> None:
        await asyncio.Event().wait()

    async def stuck(self, mode, rest, headers, writer, count) -> None:
        """Answers, but for archives, of which it gives a byte."""
        if not rest.endswith(".zip"):
            return await self.plain(mode, rest, headers, writer, count)
        size = (self.root / rest).stat().st_size
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\nP".encode())
        await writer.drain()
        await asyncio.Event().wait()
        return None

    async def drip(self, mode, rest, headers, writer, count) -> None:
        """A byte now and then, so that it is never silent for long."""
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"1\r\n \r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def trickle(self, mode, rest, headers, writer, count) -> None:
        """Of an archive after its beginning a byte now and then; when asked again, all of it."""
        if not rest.endswith(".zip") or count > 1:
            return await self.plain(mode, rest, headers, writer, count)
        body = (self.root / rest).read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nETag: {etag}\r\n\r\n"
        writer.write(head.encode() + body[:1000])
        for one in body[1000:]:
            if writer.is_closing():
                break
            writer.write(bytes([one]))
            await writer.drain()
            await asyncio.sleep(0.02)
        return None

    async def endless(self, mode, rest, headers, writer, count) -> None:
        """Headers, a letter at a time."""
        writer.write(b"HTTP/1.1 200 OK\r\nX-Much: ")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def late(self, mode, rest, headers, writer, count) -> None:
        """Of the archive that is asked for first, headers without an end at the first attempt.

        All others are half here until it is asked for again.
        """
        if not rest.endswith(".zip"):
            return await self.plain(mode, rest, headers, writer, count)
        first = self.first.setdefault(mode, rest)
        if rest != first:
            body = (self.root / rest).read_bytes()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body[:1])
            await writer.drain()
            await self.asked_again.wait()
            writer.write(body[1:])
            return None
        if count == 1:
            return await self.endless(mode, rest, headers, writer, count)
        self.asked_again.set()
        return await self.plain(mode, rest, headers, writer, count)

    async def gzip(self, mode, rest, headers, writer, count) -> None:
        self.send(writer, 200, b"\x1f\x8b", Content_Encoding="gzip")

    async def garbage(self, mode, rest, headers, writer, count) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n\r\n")

    async def nothing(self, mode, rest, headers, writer, count) -> None:
        writer.close()

    async def shifted(self, mode, rest, headers, writer, count) -> None:
        """Gives another part than the one that was asked for."""
        if "range" not in headers:
            return await self.half("half-1", rest, headers, writer, 1)
        if rest.endswith(".zip") and count <= 2:
            body = (self.root / rest).read_bytes()
            said = f"bytes 0-{len(body) - 1}/{len(body)}"
            return self.send(writer, 206, body, Content_Range=said)
        return await self.plain(mode, rest, headers, writer, count)


async def main() -> None:
    tls = None
    if files := sys.argv[2:]:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*files)
    serve = Server(Path(sys.argv[1])).serve
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
