"""Killed or refused and run again, `mine` against an earlier study leaves what mining from scratch leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from snellen.errors import UsageError
from snellen.study import Study
from tests.mining.conftest import planted
from tests.mining.earlier_study import copied, shuffled, write, written
from tests.mining.mine_study import run

PROGRAM = """
import sys
from snellen.mining import mine
from snellen.mining.join import order
from snellen.mining.asked import question
from snellen.mining.found import sort
from snellen.mining.join.tiles import Tiling
question.TILING = Tiling(rows=16, columns=64, stripe_pairs=4_000, buffer_pairs=100)
order.SAMPLE_ROWS = 30
sort.sort_records.__defaults__ = (50,)
mine(sys.argv[1], earlier=sys.argv[2], blind="control/blind", reference="control/reference")
"""


def start(study: Study, earlier: Study) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-W", "error", "-c", PROGRAM, os.fspath(study.root), os.fspath(earlier.root)]
    return subprocess.Popen(arguments, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})


def stripes(study: Study) -> int:
    """How many stripes are whole; a thousand once pairs are written."""
    return len(list(study.mining_parts.glob("pairs-*.json"))) + 1000 * study.pairs.exists()


def test_killed_at_random_moments(tmp_path: Path) -> None:
    values = planted(5, 900, 24, 0.95, 0.6)
    earlier = write(tmp_path / "earlier", values, shuffled(range(500), 1))
    study = write(tmp_path / "study", values, shuffled(range(900), 2))
    scratch = copied(study)
    run(earlier)
    assert run(scratch).n_pairs > 100
    chance = random.Random(3)
    killed = 0
    for at in (1, 20, 50, 1000):
        process = start(study, earlier)
        while process.poll() is None and stripes(study) < at:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
    assert killed >= 3  # the last one may have ended by itself
    assert start(study, earlier).wait() == 0
    assert written(study) == written(scratch)


@pytest.mark.parametrize("then", ["with the earlier number", "without --earlier", "mined again"])
def test_after_a_refusal_nothing_is_in_the_way(tmp_path: Path, then: str) -> None:
    """A quantile that moved is known only when work has begun; what that leaves is of no use, and does no harm."""
    values = planted(3, 120, 24, 0.95, 0.6)
    earlier, study = write(tmp_path / "earlier", values, range(90)), write(tmp_path / "study", values, range(120))
    scratch = copied(study)
    theirs, ours = (run(one, reference_max="q0.5").reference_max for one in (earlier, scratch))
    assert theirs != ours
    options: dict[str, Any] = {"reference_max": "q0.5", "earlier": earlier.root}
    with pytest.raises(UsageError, match="--reference-max is"):
        run(study, **options)
    assert study.mining_parts.exists()
    if then == "with the earlier number":
        options["reference_max"] = theirs
    elif then == "without --earlier":
        del options["earlier"]
    else:
        run(earlier, reference_max=ours)
    run(study, **options)
    run(scratch, reference_max=options["reference_max"])
    assert written(study) == written(scratch)
