"""SIGKILL at random moments: what is left, once the verb has run again, is as if nothing had happened."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.embedding.test_embed import fingerprint_of
from tests.pictures import draw_folder, picture

EMBED = """
import sys
from snellen.embedding import embed
for encoder in ("control/gradient-grid", "control/colour-histogram"):
    embed(sys.argv[1], images=sys.argv[2], encoder=encoder, device="cpu", batch_size=8, shard_rows=16)
"""


def start(study: Path, photos: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", EMBED, str(study), str(photos)], stderr=subprocess.PIPE)


@pytest.mark.slow
def test_ten_kills_leave_no_trace(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", 300)
    for index in range(0, 300, 7):  # duplicates that look back over shards, and bad files
        (photos / f"{index:03d}.png").write_bytes(
            (photos / f"{index // 2:03d}.png").read_bytes()[: None if index % 2 else 60]
        )
    picture(0).save(photos / "300.png")
    began = time.monotonic()
    with start(tmp_path / "undisturbed", photos) as process:
        assert process.wait() == 0
    whole = time.monotonic() - began

    moments = random.Random(0)
    kills = 0
    while kills < 10:
        with start(tmp_path / "s", photos) as process:
            time.sleep(moments.uniform(0.2, 0.9) * whole)
            process.send_signal(signal.SIGKILL)
            killed = process.wait() == -signal.SIGKILL
        kills += killed
        if not killed:  # it was quicker than the kill: begin again
            assert fingerprint_of(tmp_path / "s") == fingerprint_of(tmp_path / "undisturbed")
            shutil.rmtree(tmp_path / "s")
    with start(tmp_path / "s", photos) as process:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert fingerprint_of(tmp_path / "s") == fingerprint_of(tmp_path / "undisturbed")
