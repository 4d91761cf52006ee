"""What people use plugins for, in one plugin that asks for no rights."""

from __future__ import annotations

SOURCE = """\
import os
from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {"id": "worker", "version": "1.0.0"}

class Worker(Plugin):
    @operation
    def numpy(self):
        import numpy as np
        matrix = np.random.default_rng(1).normal(size=(300, 300))
        left, middle, right = np.linalg.svd(matrix)
        return bool(np.allclose(left * middle @ right, matrix))

    @operation
    def pandas(self):
        import io
        import pandas as pd
        frame = pd.DataFrame({"who": list("abab"), "much": [1, 2, 3, 4]})
        again = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
        path = self.context.scratch_dir / "frame.parquet"
        again.to_parquet(path)
        return pd.read_parquet(path).groupby("who").much.sum().to_dict()

    @operation
    def matplotlib(self):
        import matplotlib
        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
        plt.plot([1, 2, 3])
        plt.title("naïve $x^2$")
        path = self.context.scratch_dir / "figure.png"
        plt.savefig(path)
        return path.read_bytes()[:4]

    @operation
    def sqlite3(self):
        import sqlite3
        with sqlite3.connect(self.context.scratch_dir / "base.db") as base:
            base.execute("pragma journal_mode = wal")
            base.execute("create table if not exists t (n)")
            base.executemany("insert into t values (?)", [(n,) for n in range(100)])
        base = sqlite3.connect(self.context.scratch_dir / "base.db")
        found = base.execute("select sum(n) from t").fetchone()[0]
        base.close()
        return found

    @operation
    def ssl(self):
        import ssl
        return ssl.create_default_context().check_hostname

    @operation
    def threads(self):
        import threading
        found = []
        several = [threading.Thread(target=found.append, args=(n,)) for n in range(20)]
        for thread in several:
            thread.start()
        for thread in several:
            thread.join()
        return sorted(found) == list(range(20))

    @operation
    def asyncio(self):
        import asyncio, threading
        async def main():
            loop = asyncio.get_running_loop()
            reader = loop.run_in_executor(None, sum, range(10))
            await asyncio.sleep(0)
            return await asyncio.gather(reader, asyncio.to_thread(len, "abc"))
        found = []
        thread = threading.Thread(target=lambda: found.append(asyncio.run(main())))
        thread.start()
        thread.join()
        return found[0]

    @operation
    async def awaited(self):
        import asyncio
        await asyncio.sleep(0)
        return "awaited"

    @operation
    def decimal(self):
        from decimal import Decimal, getcontext
        getcontext().prec = 30
        return str(Decimal(2).sqrt())

    @operation
    def regular_expressions(self):
        import re
        return re.findall(r"(?<=a)b+", "abbb cb ab")

    @operation
    def zlib(self):
        import bz2, lzma, zlib
        data = b"x" * 100_000
        return all(m.decompress(m.compress(data)) == data for m in (zlib, bz2, lzma))

    @operation
    def zoneinfo(self):
        import datetime, zoneinfo
        try:
            zone = zoneinfo.ZoneInfo("Europe/Zurich")
        except zoneinfo.ZoneInfoNotFoundError:
            return "absent"
        return datetime.datetime(2026, 7, 1, tzinfo=zone).utcoffset().total_seconds()

    @operation
    def tempfile(self):
        import tempfile
        with tempfile.NamedTemporaryFile() as file, tempfile.TemporaryDirectory() as folder:
            file.write(b"x")
            return os.path.exists(file.name) and os.path.isdir(folder)

    @operation
    def logging(self):
        import logging
        logging.getLogger("work").warning("a line")
        handler = logging.FileHandler(self.context.scratch_dir / "log")
        logging.getLogger("file").addHandler(handler)
        logging.getLogger("file").error("kept")
        handler.close()
        return (self.context.scratch_dir / "log").read_text()

    @operation
    def json(self):
        import json
        return json.loads(json.dumps({"a": [1, 2.5, None]}))

    @operation
    def uuid(self):
        import uuid
        return len({uuid.uuid1(), uuid.uuid4(), uuid.uuid4()})

    @operation
    def hashlib(self):
        import hashlib
        return hashlib.scrypt(b"x", salt=b"y", n=2, r=1, p=1, dklen=4).hex()

    @operation
    def thread_pool_of_multiprocessing(self):
        from multiprocessing.pool import ThreadPool
        with ThreadPool(4) as pool:
            return pool.map(abs, [-1, -2])

    @operation
    def executor(self):
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(abs, [-1, -2]))

    @operation
    def files(self):
        import pathlib, shutil
        folder = self.context.scratch_dir / "deep" / "er"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a").write_text("a")
        shutil.copy2(folder / "a", folder / "b")
        os.rename(folder / "b", folder / "c")
        (folder / "l").unlink(missing_ok=True)
        (folder / "l").symlink_to("c")
        os.chmod(folder / "c", 0o600)
        os.utime(folder / "c")
        names = sorted(path.name for path in folder.iterdir())
        shutil.rmtree(self.context.scratch_dir / "deep")
        return names

    @operation
    def memory_map(self):
        import mmap
        with open(self.context.scratch_dir / "map", "w+b") as file:
            file.truncate(4096)
            with mmap.mmap(file.fileno(), 4096) as mapped:
                mapped[:3] = b"abc"
                return mapped[:3]

    @operation
    def time(self):
        import time
        time.sleep(0.001)
        return time.time() > 1e9 and time.process_time() > 0 and bool(time.strftime("%Z"))

    @operation
    def randomness(self):
        import random, secrets
        return len({random.random(), secrets.token_hex(), os.urandom(8)})

    @operation
    def c_library(self):
        import ctypes, ctypes.util
        return ctypes.CDLL(None).abs(-3)

def plugin_entry():
    return Worker()
"""

# What each operation gives.
RESULTS = {
    "numpy": True,
    "pandas": {"a": 4, "b": 6},
    "matplotlib": b"\x89PNG",
    "sqlite3": 4950,
    "ssl": True,
    "threads": True,
    "asyncio": [45, 3],
    "awaited": "awaited",
    "decimal": "1.41421356237309504880168872421",
    "regular_expressions": ["bbb", "b"],
    "zlib": True,
    "zoneinfo": 7200.0,
    "tempfile": True,
    "logging": "kept\n",
    "json": {"a": [1, 2.5, None]},
    "uuid": 3,
    "hashlib": "6d3bc874",
    "thread_pool_of_multiprocessing": [1, 2],
    "executor": [1, 2],
    "files": ["a", "c", "l"],
    "memory_map": b"abc",
    "time": True,
    "randomness": 3,
    "c_library": 3,
}
