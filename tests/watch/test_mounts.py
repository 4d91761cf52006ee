"""On which file systems to poll."""

from __future__ import annotations

import pytest

from nebula_lab.watch.mounts import file_system_of, why_to_poll

MOUNTS = r"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /mnt/nfs rw,relatime shared:2 - nfs4 server:/export rw,vers=4.2
31 22 0:41 / /mnt/nfs/local rw,relatime - tmpfs tmpfs rw
32 22 0:42 / /mnt/share rw,relatime - cifs //server/share rw
33 22 0:43 / /mnt/host rw - 9p host rw,trans=virtio
34 22 0:44 / /mnt/ssh rw - fuse.sshfs me@host: rw
35 22 8:2 / /mnt/disk rw - fuseblk /dev/sda2 rw
36 22 0:45 / /mnt/layers rw - overlay overlay rw,lowerdir=/a
37 22 0:46 / /mnt/with\040space rw - nfs server:/other rw
38 22 0:47 / /mnt/covered rw - nfs server:/x rw
39 22 0:48 / /mnt/covered rw - tmpfs tmpfs rw
"""
POLLED = ["/mnt/nfs/plugins", "/mnt/share", "/mnt/host/a/b", "/mnt/ssh/p", "/mnt/layers/x"]


@pytest.mark.parametrize("path", POLLED)
def test_what_others_may_change_unseen_is_polled(path):
    assert why_to_poll(path, MOUNTS)


@pytest.mark.parametrize("path", ["/home/me", "/mnt/nfs/local/x", "/mnt/disk/x", "/mnt/nfsnot"])
def test_a_disk_of_this_machine_is_not(path):
    assert why_to_poll(path, MOUNTS) is None


def test_the_reason_names_the_file_system():
    assert "nfs4" in why_to_poll("/mnt/nfs", MOUNTS)


def test_a_mount_with_a_space_in_its_name_is_read():
    assert file_system_of("/mnt/with space/x", MOUNTS) == "nfs"


def test_of_two_mounts_in_one_place_the_last_one_counts():
    assert file_system_of("/mnt/covered/x", MOUNTS) == "tmpfs"


def test_the_list_of_this_machine_is_read(tmp_path):
    assert file_system_of(str(tmp_path))
