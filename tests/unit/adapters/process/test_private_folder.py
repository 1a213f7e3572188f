"""What lies in memory, and folders there that go when they are no longer needed."""

from pathlib import Path

import pytest

from trimtab.adapters.process.private_folder import in_memory, memory_folder, private_folder

MOUNTS = """\
21 1 8:1 / / rw - ext4 /dev/root rw
22 21 0:5 / /dev rw,nosuid - devtmpfs udev rw
23 22 0:20 / /dev/shm rw - tmpfs tmpfs rw
24 21 0:21 / /data rw shared:1 master:2 - tmpfs tmpfs rw
25 24 8:2 / /data rw - xfs /dev/sdb rw
26 21 0:22 / /with\\040space rw - ramfs none rw
broken line
27 21 0:23 / /nothing
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/dev/shm/x", True),
        ("/dev/x", False),
        ("/dev/shmx", False),
        ("/home", False),
        ("/data/x", False),
        ("/with space/x", True),
        ("/nothing/x", False),
    ],
)
def test_the_innermost_and_latest_mount_decides(path, expected):
    assert in_memory(Path(path), MOUNTS) is expected


def test_a_private_folder_is_ours_alone_and_goes():
    with private_folder(None, "trimtab-test-") as folder:
        (folder / "key").write_text("x")
        assert folder.stat().st_mode & 0o777 == 0o700
        memory = memory_folder()
        assert memory is None or (folder.is_relative_to(memory) and in_memory(folder))
    assert not folder.exists()
