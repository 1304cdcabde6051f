"""The parent's side of the decode workers: a pool that survives what its workers decode."""

from __future__ import annotations

import json
import os
import pickle
import select
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import IO, NamedTuple

import numpy as np

from snellen.encoders.base import FloatArray, Preprocess
from snellen.errors import EncoderError
from snellen.images.decode import Limits
from snellen.images.decode_worker import ANSWER, JOB, READY
from snellen.records import Flag, Status

JOB_SECONDS = 120.0
"""How long one image may take before its worker is taken for hung."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""There are as many workers as cores; their libraries need no threads of their own, which cost even to start."""

START_SECONDS = 300.0
"""How long a worker may take to start: a library's own preprocessing imports the library."""


class Prepared(NamedTuple):
    """What became of one image's bytes: `values` is the encoder's input, None unless `status` is ok."""

    status: Status
    flags: tuple[Flag, ...]
    width: int | None
    height: int | None
    values: FloatArray | None


class WorkerDied(Exception):
    """The worker process ended, or hung, in the middle of a job."""


class DecodePool:
    """Decodes and preprocesses images in `workers` processes, each fed by a thread of its own.

    A worker that dies or hangs on an image is replaced, and the image tried once more; when that kills a worker too,
    the image's status is `decoder_crash` and the run goes on.
    """

    def __init__(self, preprocess: Preprocess, limits: Limits, workers: int) -> None:
        try:
            self._setup = pickle.dumps((preprocess, limits))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise EncoderError(
                f"The encoder's preprocessing cannot be sent to the decode workers ({error}): make it an object that "
                "pickle can store, for example an instance of a class at the top of a module."
            ) from error
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._local = threading.local()
        self._lock = threading.Lock()
        self._workers: set[_Worker] = set()
        self._closed = False

    def submit(self, data: bytes, orientation: int | None) -> Future[Prepared]:
        """Decode one image's bytes in the background."""
        return self._threads.submit(self._decode, data, orientation)

    def __enter__(self) -> DecodePool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
            for worker in self._workers:
                worker.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _decode(self, data: bytes, orientation: int | None) -> Prepared:
        for _attempt in range(2):
            worker = self._worker()
            try:
                return worker.run(data, orientation)
            except WorkerDied:
                self._discard(worker)
        return Prepared("decoder_crash", (), None, None, None)

    def _worker(self) -> _Worker:
        worker: _Worker | None = getattr(self._local, "worker", None)
        if worker is None:
            with self._lock:
                if self._closed:
                    raise WorkerDied
                worker = _Worker()
                self._workers.add(worker)
            worker.begin(self._setup)
            self._local.worker = worker
        return worker

    def _discard(self, worker: _Worker) -> None:
        with self._lock:  # closing the pool kills too: never both at once
            worker.kill()
            self._workers.discard(worker)
        self._local.worker = None


class _Worker:
    """One worker process and the pipes to it."""

    def __init__(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._shared = _file_in_memory()
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "snellen.images.decode_worker", str(self._shared)],
            bufsize=0,  # `select` must see all that has not been read
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            pass_fds=[self._shared],
            env=os.environ | ONE_THREAD,
        )

    def begin(self, setup: bytes) -> None:
        """Hand over the preprocessing and wait until the worker is ready.

        Raises:
            EncoderError: the worker cannot start, most often because the preprocessing cannot be unpickled there.
        """
        try:
            self._send(setup)
            if self._read(1, START_SECONDS) == READY:
                return
        except WorkerDied:
            pass
        raise EncoderError(f"A decode worker could not start ({self._last_words()}): see the last line of its error.")

    def run(self, data: bytes, orientation: int | None) -> Prepared:
        """Do one job.

        Raises:
            WorkerDied: the process was killed or hung.
            EncoderError: the preprocessing raised an exception.
        """
        try:
            self._send(JOB.pack(len(data), orientation or 0), data)
            (text_size,) = ANSWER.unpack(self._read(ANSWER.size, JOB_SECONDS))
            answer = json.loads(self._read(text_size, JOB_SECONDS))
        except WorkerDied:
            if self._process.poll() == 1 and "MemoryError" not in self._last_words():
                # An exception, not a crash: our preprocessing or decoding is wrong, and would be for other images too.
                raise EncoderError(f"Preprocessing an image failed ({self._last_words()}).") from None
            raise
        values = None if answer["shape"] is None else self._values(answer["shape"])
        return Prepared(answer["status"], tuple(answer["flags"]), answer["width"], answer["height"], values)

    def kill(self) -> None:
        """End the process and free what it holds; once, for descriptors are used again."""
        if self._errors.closed:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            _not_none(pipe).close()
        self._errors.close()
        os.close(self._shared)

    def _values(self, shape: list[int]) -> FloatArray:
        values: FloatArray = np.empty(shape, dtype="<f4")
        free = memoryview(values.data).cast("B")
        done = 0
        while done < len(free):
            try:
                count = os.preadv(self._shared, [free[done:]], done)
            except OSError as error:  # closed by `kill` from another thread
                raise WorkerDied from error
            if count == 0:
                raise WorkerDied  # it said more than it wrote
            done += count
        return values

    def _send(self, *pieces: bytes) -> None:
        pipe = _not_none(self._process.stdin)
        try:
            for piece in pieces:
                unsent = memoryview(piece)
                while unsent:
                    unsent = unsent[pipe.write(unsent) :]
        except (BrokenPipeError, ValueError) as error:  # ValueError: closed by `kill` from another thread
            self._settle()
            raise WorkerDied from error

    def _read(self, size: int, seconds: float) -> bytearray:
        """Read exactly `size` bytes, waiting at most `seconds` for each piece of them."""
        pipe = _not_none(self._process.stdout)
        data = bytearray(size)
        free = memoryview(data)
        try:
            while free:
                ready, _, _ = select.select([pipe], [], [], seconds)
                count = os.readv(pipe.fileno(), [free]) if ready else 0
                if count == 0:
                    self._settle()
                    raise WorkerDied
                free = free[count:]
        except ValueError as error:
            raise WorkerDied from error
        return data

    def _settle(self) -> None:
        """Give a dying process a moment to leave its exit status; end a hung one."""
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _last_words(self) -> str:
        if self._errors.closed:
            return "it was stopped"
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def _file_in_memory() -> int:
    """Open a nameless file that never reaches the disk where the system has such a thing, and vanishes with us."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("snellen")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _not_none(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # both pipes were asked for
    return pipe
