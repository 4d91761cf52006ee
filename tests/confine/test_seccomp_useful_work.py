"""What has to go on working under the strictest filter."""

from __future__ import annotations

import json

import pytest
from filtered_process import FilteredProcess

from nebula_lab.confine.seccomp import is_supported

pytestmark = pytest.mark.skipif(not is_supported(), reason="this machine can't filter system calls")

WORK = {
    "numpy": """
        import numpy
        result = float((numpy.ones((300, 300)) @ numpy.ones((300, 300))).sum())
        numpy.linalg.svd(numpy.random.default_rng(1).random((60, 60)))
        numpy.save("a.npy", numpy.arange(3)); assert numpy.load("a.npy", mmap_mode="r")[2] == 2
        """,
    "pandas": """
        import pandas
        table = pandas.DataFrame({"a": [1, 2, 2], "b": [3.0, 4.0, 5.0]})
        table.to_csv("t.csv"); table.to_parquet("t.parquet"); pandas.read_parquet("t.parquet")
        result = table.groupby("a").b.sum().tolist()
        pandas.Timestamp("2026-01-01", tz="Europe/Berlin")
        """,
    "polars": """
        import polars
        table = polars.DataFrame({"a": list(range(10_000))})
        table.write_parquet("p.parquet")
        result = polars.scan_parquet("p.parquet").select(polars.col("a").sum()).collect().item()
        """,
    "pyarrow": """
        import pyarrow, pyarrow.compute, pyarrow.dataset, pyarrow.parquet
        pyarrow.parquet.write_table(pyarrow.table({"a": [1, 2]}), "q.parquet")
        result = pyarrow.dataset.dataset("q.parquet").to_table().num_rows
        """,
    "matplotlib": """
        import matplotlib; matplotlib.use("agg")
        from matplotlib import pyplot
        pyplot.plot([1, 2, 3]); pyplot.title("a title"); pyplot.savefig("f.png")
        pyplot.savefig("f.pdf")
        result = open("f.png", "rb").read(4).hex()
        """,
    "pillow": """
        from PIL import Image
        Image.new("RGB", (64, 64), "red").resize((8, 8)).save("i.jpg")
        result = Image.open("i.jpg").size
        """,
    "sqlite3": """
        import sqlite3
        base = sqlite3.connect("b.sqlite"); base.execute("pragma journal_mode=wal")
        base.execute("create table t (a)"); base.execute("insert into t values (1)"); base.commit()
        result = base.execute("select * from t").fetchall(); base.execute("vacuum"); base.close()
        """,
    "ssl": "import ssl; ssl.create_default_context(); result = len(ssl.RAND_bytes(4))",
    "threads": """
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(8) as pool: result = sum(pool.map(len, ["a"] * 100))
        """,
    "asyncio": """
        import asyncio
        async def work():
            await asyncio.sleep(0.001)
            async with asyncio.timeout(5):
                return await asyncio.to_thread(len, "abc") + len(await asyncio.gather(*[nap()] * 1))
        async def nap(): await asyncio.sleep(0)
        result = asyncio.run(work())
        """,
    "decimal": "import decimal; result = str(decimal.Decimal(2).sqrt())[:6]",
    "regex": "import re; result = re.findall('[a-c]+', 'xabcx')",
    "zlib": "import zlib, lzma, bz2; result = len(zlib.decompress(zlib.compress(b'x' * 999)))",
    "files": """
        import pathlib, shutil, tempfile, os
        with tempfile.TemporaryDirectory(dir=".") as name:
            path = pathlib.Path(name, "a"); path.write_text("a"); path.rename(path.with_name("b"))
            shutil.copyfile(path.with_name("b"), path); os.mkfifo(path.with_name("f"))
            path.with_name("l").symlink_to(path); os.truncate(path, 0)
            result = len(os.listdir(name)); os.statvfs(name); os.getxattr
        """,
    "mmap": """
        import mmap
        with open("m", "wb+") as file:
            file.truncate(8192)
            with mmap.mmap(file.fileno(), 0) as view: view[:3] = b"abc"; view.flush()
            result = file.read(3).decode()
        """,
    "time": """
        import time, signal, select, random, uuid, secrets, os, zoneinfo
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0); signal.sigtimedwait([signal.SIGALRM], 1)
        result = time.process_time() > 0; uuid.uuid4(); os.cpu_count(); os.sched_getaffinity(0)
        """,
    "psutil": "import psutil; p = psutil.Process(); p.memory_info(); result = p.num_threads() > 0",
    "resource": """
        import resource
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); resource.prlimit(os.getpid(), 7)
        result = resource.getrusage(resource.RUSAGE_THREAD).ru_maxrss > 0
        """,
}
RESULTS = {
    "numpy": 27e6,
    "pandas": [3.0, 9.0],
    "polars": 49995000,
    "pyarrow": 2,
    "matplotlib": "89504e47",
    "pillow": [8, 8],
    "sqlite3": [[1]],
    "ssl": 4,
    "threads": 100,
    "asyncio": 4,
    "decimal": "1.4142",
    "regex": ["abc"],
    "zlib": 999,
    "files": 4,
    "mmap": "abc",
    "time": True,
    "psutil": True,
    "resource": True,
}


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    block_alarm = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])"
    with FilteredProcess("", before=block_alarm, cwd=tmp_path_factory.mktemp("work")) as process:
        yield process


@pytest.mark.parametrize("name", WORK)
def test_useful_work_goes_on(strict, name):
    code = f"import textwrap; exec(textwrap.dedent({json.dumps(WORK[name])}), globals())"
    assert strict.run(f"{code}; result = globals()['result']") == RESULTS[name]
