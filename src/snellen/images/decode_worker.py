"""A decode worker: a process that turns images' bytes into the encoder's input, and may die doing so.

Decoders are the one place where hostile bytes meet C code, so they run apart: a crash costs one image, never the run.
The process imports Pillow and NumPy, and only what unpickling the preprocessing asks for; it never holds a network.

Protocol, on stdin and stdout: first a pickled (preprocess, limits), answered by one byte `READY`. Then jobs, one at a
time: `JOB` header (number of bytes, EXIF orientation known to the source or 0) and the image's bytes; answered by
`ANSWER` header (length of the JSON) and JSON `{status, flags, width, height, shape}`. The float32 values of that shape
stand at the beginning of the file whose descriptor is the only argument: half a megabyte takes one copy each way
there, and ten turns of a pipe. Nothing that comes back is a pickle, so that a hijacked decoder cannot make the parent
run anything.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import struct
import sys

JOB = struct.Struct("<QB")
ANSWER = struct.Struct("<I")
READY = b"R"


def main() -> None:
    """Serve jobs until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it closes our stdin
    # Libraries that print must not break the protocol: keep the pipe to ourselves, let their stdout be stderr.
    inbox, outbox, shared = sys.stdin.buffer, os.fdopen(os.dup(1), "wb"), int(sys.argv[1])
    os.dup2(2, 1)

    from snellen.images.decode import decode

    preprocess, limits = pickle.load(inbox)  # noqa: S301 - written by our own parent process
    outbox.write(READY)
    outbox.flush()
    while header := inbox.read(JOB.size):
        size, orientation = JOB.unpack(header)
        decoded = decode(inbox.read(size), limits, orientation or None)
        answer = {
            "status": decoded.status,
            "flags": decoded.flags,
            "width": decoded.width,
            "height": decoded.height,
            "shape": None,
        }
        if decoded.image is not None:
            array = preprocess(decoded.image)
            answer["shape"] = array.shape
            _write(shared, array.astype("<f4", order="C", copy=False).data.cast("B"))
        text = json.dumps(answer).encode()
        outbox.write(ANSWER.pack(len(text)) + text)
        outbox.flush()


def _write(descriptor: int, values: memoryview) -> None:
    """Write all of `values` to the beginning of the file."""
    done = 0
    while done < len(values):
        done += os.pwrite(descriptor, values[done:], done)


if __name__ == "__main__":
    main()
