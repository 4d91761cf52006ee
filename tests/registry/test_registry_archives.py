"""What is in an archive that we make, and what may be in one of a stranger's."""

from __future__ import annotations

import contextlib
import io
import stat
import struct
import tracemalloc
import zipfile
import zlib
from hashlib import sha256

import pytest
from msgspec.structs import replace
from registry_world import write_package, write_plugin

from nebula_lab.discovery import read_descriptor
from nebula_lab.errors import ArchiveError, PublishingError
from nebula_lab.registry.agreement import require_as_promised
from nebula_lab.registry.archives import open_archive, pack
from nebula_lab.registry.archives.opening import unpack
from nebula_lab.registry.building.version import packed
from nebula_lab.registry.format.documents import Archive
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.contents import PluginFiles, StoredFile


@pytest.fixture
def package(tmp_path):
    """A version as it is published."""
    return packed(read_descriptor(write_package(tmp_path, "words", table="WORDS = 1\n")))


def promised(version, content):
    """What a registry would say of that archive, if it were to lie."""
    return replace(version, archive=Archive(sha256(content).hexdigest(), len(content)))


def zipped(*entries, method=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for entry, content in entries:
            if isinstance(entry, str):
                named = zipfile.ZipInfo("x")
                named.filename = entry  # the constructor would clean it
                named.external_attr = 0o100644 << 16
                entry = named
            entry.compress_type = method
            archive.writestr(entry, content)
    return buffer.getvalue()


def opened(package, content):
    return open_archive(content, "words", promised(package.version, content), None)


def refused(package, content) -> str:
    with pytest.raises(ArchiveError) as caught:
        opened(package, content)
    assert caught.value.plugin_id == "words"
    assert "Nothing of it was unpacked" in str(caught.value)
    return caught.value.message


# What we make


def test_the_same_files_make_the_same_archive(tmp_path):
    made = []
    for folder in ("one", "other"):
        path = write_package(tmp_path / folder, "words", table="WORDS = 1\n")
        (path / "__init__.py").touch()
        made.append(pack(collect(read_descriptor(path))))
    assert made[0] == made[1]


def test_an_archive_has_nothing_of_the_machine_that_made_it(package):
    with zipfile.ZipFile(io.BytesIO(package.archive)) as archive:
        entries = archive.infolist()
    assert [one.filename for one in entries] == sorted(one.filename for one in entries)
    assert {one.date_time for one in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {one.external_attr >> 16 for one in entries} == {stat.S_IFREG | 0o644}
    assert not any(one.extra or one.comment for one in entries)


def test_what_was_packed_is_what_is_opened(tmp_path):
    path = write_package(tmp_path, "words", table="WORDS = 1\n")
    (path / "run.sh").write_text("#!/bin/sh\n")
    (path / "run.sh").chmod(0o775)
    (path / "ünï").mkdir()
    (path / "ünï" / "leer.txt").write_bytes(b"")
    descriptor = read_descriptor(path)
    before, made = collect(descriptor), packed(descriptor)
    after = open_archive(made.archive, "words", made.version, path.parent)
    assert after == before


def test_a_single_file_takes_along_what_it_imports(tmp_path):
    path = write_plugin(tmp_path, "counter")
    path.write_text("import beside\n" + path.read_text())
    (tmp_path / "beside.py").write_text("X = 1\n")
    made = packed(read_descriptor(path))
    assert set(open_archive(made.archive, "counter", made.version, tmp_path).contents) == {
        "counter.py",
        "beside.py",
    }


def test_an_archive_may_be_deflated(package):
    with zipfile.ZipFile(io.BytesIO(package.archive)) as archive:
        entries = [(one, archive.read(one)) for one in archive.infolist()]
    content = zipped(*entries, method=zipfile.ZIP_DEFLATED)
    assert opened(package, content).files.digest == package.version.tree


def test_a_plugin_that_is_described_elsewhere_is_not_published(tmp_path):
    path = write_plugin(tmp_path, "counter")
    descriptor = read_descriptor(path).model_copy(update={"declared_in": None})
    with pytest.raises(PublishingError, match="not among its files"):
        packed(descriptor)


# What may not be in it


def test_another_archive_than_was_promised_is_not_opened(package):
    with pytest.raises(ArchiveError, match="its hash is another"):
        open_archive(package.archive[:-1] + b"x", "words", package.version, None)


def test_other_files_than_were_promised_are_not_taken(package):
    assert "not those that the registry promised" in refused(
        package, zipped(("words/__init__.py", b""), ("words/plugin.toml", b""))
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../words.py", "leads out"),
        ("words/../../x", "leads out"),
        ("words\\..\\..\\x", "leads out"),
        ("/etc/passwd", "absolute path"),
        ("\\\\host\\share", "absolute path"),
        ("C:\\x", "absolute path"),
        ("words/", "is a folder"),
        ("words//x", "can't be kept"),
        ("words/./x", "can't be kept"),
        ("words/a\nb", "can't be kept"),
        ("words/\x1b[2J", "can't be kept"),
        ("words/.hidden", "is hidden"),
        (".git/config", "is hidden"),
        ("words/__pycache__/x.pyc", "is hidden"),
        (f"words/{'x' * 300}", "too long"),
        (f"words/{'x/' * 600}y", "can't be kept"),
    ],
)
def test_a_name_that_is_a_trap_is_refused(package, name, said):
    assert said in refused(package, zipped(("words/__init__.py", b""), (name, b"x")))


def test_a_name_with_a_null_byte_is_refused(package):
    content = zipped(("words/__init__.py", b""), ("words/okNbad", b"x"))
    assert "can't be kept" in refused(package, content.replace(b"okNbad", b"ok\0bad"))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (stat.S_IFLNK, "is a link"),
        (stat.S_IFIFO, "is a fifo"),
        (stat.S_IFCHR, "is a device"),
        (stat.S_IFBLK, "is a device"),
        (stat.S_IFSOCK, "is a socket"),
        (stat.S_IFDIR, "is a folder"),
    ],
)
def test_what_is_no_file_is_refused(package, kind, said):
    entry = zipfile.ZipInfo("words/x")
    entry.create_system = 3
    entry.external_attr = (kind | 0o644) << 16
    assert said in refused(package, zipped(("words/__init__.py", b""), (entry, b"/etc/passwd")))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("words/x", "words/x"),
        ("words/x", "words/X"),
        ("words/straße", "words/STRASSE"),
        ("words/\u00fc", "words/u\u0308"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_names_that_are_one_somewhere_are_refused(package, one, other):
    assert "would be one file" in refused(package, zipped((one, b"1"), (other, b"2")))


def test_a_file_that_is_a_folder_too_is_refused(package):
    assert "a file and a folder" in refused(package, zipped(("words", b"1"), ("Words/x", b"2")))


def test_a_bomb_is_refused_before_it_goes_off(package):
    content = zipped(("words/x", bytes(20 * 2**20)), method=zipfile.ZIP_DEFLATED)
    assert "times as large" in refused(package, content)


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_says(package):
    content = bytearray(zipped(("words/x", bytes(2**20)), method=zipfile.ZIP_DEFLATED))
    for at in (content.index(b"PK\x03\x04") + 22, content.index(b"PK\x01\x02") + 24):
        content[at : at + 4] = struct.pack("<L", 100)
    assert "damaged" in refused(package, bytes(content))


def test_more_than_a_plugin_may_have_is_refused(package):
    content = bytearray(zipped(("words/x", b"1"), ("words/y", b"2")))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<L", 2**29)
    assert "MiB" in refused(package, bytes(content))


def test_more_files_than_a_plugin_may_have_are_refused(package):
    content = zipped(*((f"words/{number}", b"") for number in range(10_001)))
    assert "10,001 entries" in refused(package, content)


def test_a_list_of_files_that_is_too_long_is_not_read(package):
    assert "lists more files" in refused(
        package, package.archive[:-10] + struct.pack("<LLH", 2**30, 0, 0)
    )


def test_an_archive_of_the_large_kind_is_not_read(package):
    end = package.archive[-22:]
    assert "lists more files" in refused(
        package, package.archive[:-22] + b"PK\x06\x07" + bytes(16) + end
    )


@pytest.mark.parametrize("flag", [0x1, 0x40])
def test_an_encrypted_entry_is_refused(package, flag):
    content = bytearray(package.archive)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= flag
    assert "is encrypted" in refused(package, bytes(content))


def test_another_compression_is_refused(package):
    content = zipped(("words/__init__.py", b"x"), method=zipfile.ZIP_BZIP2)
    assert "compressed in a way" in refused(package, content)


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"<html>", bytes(1000), b"PK\x05\x06" + bytes(18), b"x" + b"PK\x05\x06" * 6],
)
def test_what_is_no_archive_is_refused(package, content):
    refused(package, content)


@pytest.mark.parametrize("start", range(0, 40, 3))
def test_an_archive_that_is_damaged_anywhere_is_refused_or_the_same(package, start):
    good = open_archive(package.archive, "words", package.version, None)
    for at in range(start, len(package.archive), 40):
        content = bytearray(package.archive)
        content[at] ^= 0xFF
        try:
            assert opened(package, bytes(content)).contents == good.contents
        except ArchiveError:
            continue


def test_a_plugin_that_is_not_in_its_archive_is_refused(package):
    for source in ("other", "../words", "words/x", ""):
        version = promised(replace(package.version, source=source), package.archive)
        with pytest.raises(ArchiveError, match=r"the plugin|promised"):
            open_archive(package.archive, "words", version, None)


def test_a_description_that_is_not_in_its_archive_is_refused(package):
    version = replace(package.version, described_by="words/other.toml")
    with pytest.raises(ArchiveError, match="to describe it"):
        open_archive(package.archive, "words", version, None)


def test_the_sum_of_a_file_is_checked(package):
    content = bytearray(package.archive)
    at = content.index(b"WORDS = 1")
    content[at] ^= 1
    assert "damaged" in refused(package, bytes(content))


def test_a_tree_of_a_liar_is_still_what_is_there(package):
    """Even where everything that a registry says fits together, only plain files come of it."""
    content = zipped(("words/__init__.py", b""), ("words/plugin.toml", b""))
    empty = sha256(b"").hexdigest()
    tree = PluginFiles(
        "words",
        (StoredFile("words/__init__.py", empty, 0), StoredFile("words/plugin.toml", empty, 0)),
    )
    version = promised(replace(package.version, tree=tree.digest), content)
    assert open_archive(content, "words", version, None).files == tree
    assert zlib.crc32(b"") == 0


def test_an_entry_that_is_longer_than_it_says_is_not_unpacked(package):
    """`ZipFile.read` would unpack all of it, and cut it then."""
    body = b"0" * 50_000_000
    content = bytearray(zipped(("words/bomb.py", body), method=zipfile.ZIP_DEFLATED))
    said, short = struct.pack("<L", len(body)), struct.pack("<L", 1000)
    crc = struct.pack("<L", zlib.crc32(body)), struct.pack("<L", zlib.crc32(body[:1000]))
    content = bytes(content).replace(said, short).replace(*crc)
    tracemalloc.start()
    try:
        with contextlib.suppress(ArchiveError):
            unpack(content)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_two_entries_do_not_share_their_content(package):
    content = zipped(("words/a.py", b"x" * 100), ("words/b.py", b"y" * 100))
    first, second = content.index(b"PK\x01\x02"), content.rindex(b"PK\x01\x02")
    shared = bytearray(content)
    shared[second + 42 : second + 46] = content[first + 42 : first + 46]  # where its header is
    assert "shares its content with another" in refused(package, bytes(shared))


def test_files_that_are_no_part_of_the_plugin_are_refused(tmp_path):
    """In a folder of plugins each would be a plugin, or describe one."""
    version = packed(read_descriptor(write_plugin(tmp_path / "honest", "counter"))).version
    folder = tmp_path / "sent"
    write_plugin(folder, "counter")
    require_as_promised(folder, "counter", version)
    write_plugin(folder, "core", "9.9.9")
    both = tuple(
        StoredFile(path.name, sha256(path.read_bytes()).hexdigest(), path.stat().st_size, False)
        for path in sorted(folder.iterdir())
    )
    lying = replace(version, tree=PluginFiles(version.source, both).digest)
    with pytest.raises(ArchiveError, match="files that are no part of the plugin"):
        require_as_promised(folder, "counter", lying)
