"""A decode worker: a process that turns images' bytes into the encoder's input, and may die doing so.

Decoders are the one place where hostile bytes meet C code, so they run apart: a crash costs one image, never the run.
The process imports Pillow and NumPy, and only what unpickling the preprocessing asks for; it never holds a network.

Protocol, on stdin and stdout: first a pickled (preprocess, limits), answered by one byte `READY`. Then jobs, one at a
time: `JOB` header (number of bytes, EXIF orientation known to the source or 0) and the image's bytes; answered by
`ANSWER` header (length of the JSON, length of the array's bytes), JSON `{status, flags, width, height, shape}`, and
float32 values.
The pipe back carries no pickle, so that a hijacked decoder cannot make the parent run anything.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import struct
import sys

JOB = struct.Struct("<QB")
ANSWER = struct.Struct("<IQ")
READY = b"R"


def main() -> None:
    """Serve jobs until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it closes our stdin
    # Libraries that print must not break the protocol: keep the pipe to ourselves, let their stdout be stderr.
    inbox, outbox = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    from snellen.images.decode import decode

    preprocess, limits = pickle.load(inbox)  # noqa: S301 - written by our own parent process
    outbox.write(READY)
    outbox.flush()
    while header := inbox.read(JOB.size):
        size, orientation = JOB.unpack(header)
        decoded = decode(inbox.read(size), limits, orientation or None)
        values = b""
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
            values = array.astype("<f4", copy=False).tobytes()
        text = json.dumps(answer).encode()
        outbox.write(ANSWER.pack(len(text), len(values)) + text)
        outbox.write(values)
        outbox.flush()


if __name__ == "__main__":
    main()
