"""An OpenAI-compatible server that misbehaves by plan, and never lies: each answer can be checked against its question.

    python -m tests.mllms.chaos --port 0 --seed 1 --latency 0.2 --faults 0.3

prints its URL. What goes wrong with the n-th request for a question is decided by the seed, the question and n alone,
whatever the order in which requests arrive; after `max_faults` faults a question is always answered. `GET /counts`
tells how many requests came for each question and how many were answered, `GET /log` when each arrived.
"""

from __future__ import annotations

import argparse
import base64
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

FAULTS = (
    "429",
    "429-after",
    "429-date",
    "500",
    "503",
    "408",
    "hang",
    "drip",
    "cut",
    "reset",
    "html",
    "invalid-json",
    "empty-choices",
    "null-content",
    "error-200",
    "no-body",
)
"""All that can go wrong and is worth another try."""

TOKENS_IN, TOKENS_OUT = 1_000, 10


def digest_of(prompt: str, image: bytes | None) -> str:
    """Name a question by what was sent: 12 hex digits."""
    return sha256(prompt.encode() + b"\0" + (image or b"no image")).hexdigest()[:12]


def answer_to(prompt: str, image: bytes | None) -> str:
    """Return the one right answer to a question, such as `(a) 0123456789ab`."""
    digest = digest_of(prompt, image)
    return f"({'ab'[int(digest, 16) % 2]}) {digest}"


@dataclass
class Plan:
    """How the server behaves.

    `latency` is the seconds from a request's arrival to its answer, with all that the server itself has to do.
    `faults` is the share of requests that go wrong in one of the ways of `kinds`; `hold` is how long a hanging one is
    held, `drip` the pause between bytes, in seconds, `wait` what a 429 asks for. `refuse` are parameters that get a
    400; `key` is demanded if given. `always` is a fault that every request meets, `status` an error that every request
    gets: (status, error object). `keep`: requests are kept for the test to look at.
    """

    seed: int = 0
    latency: float = 0.0
    faults: float = 0.0
    kinds: Sequence[str] = FAULTS
    max_faults: int = 3
    hold: float = 5.0
    drip: float = 0.2
    wait: int = 1
    key: str | None = None
    images: bool = True
    models: Sequence[str] | None = None
    refuse: Sequence[str] = ()
    always: str | None = None
    status: tuple[int, Any] | None = None
    usage: Mapping[str, Any] = field(
        default_factory=lambda: {"prompt_tokens": TOKENS_IN, "completion_tokens": TOKENS_OUT}
    )
    message: Mapping[str, Any] = field(default_factory=dict)
    finish_reason: str = "stop"
    logprobs: Any = None
    keep: bool = True


class Chaos(ThreadingHTTPServer):
    """The server; `requests` and `answers` count by question, `begun` holds the times at which requests arrived."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, plan: Plan, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.plan = plan
        self.requests: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.begun: list[float] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self.at_once = 0
        self.lock = threading.Lock()
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of the plan."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body waits 40 ms for the client to acknowledge the headers
    server: Chaos

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        server = self.server
        found = {"requests": server.requests, "answers": server.answers, "most_at_once": server.most_at_once}
        self.reply(200, {"begun": server.begun} if self.path.endswith("/log") else found)

    def do_POST(self) -> None:
        server, plan = self.server, self.server.plan
        arrived = time.monotonic()
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        with server.lock:
            server.begun.append(arrived)
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
        try:
            body = json.loads(raw)
            prompt, image = question_of(body)
            digest = digest_of(prompt, image)
            with server.lock:
                server.requests[digest] += 1
                number = server.requests[digest]
                if plan.keep:
                    server.bodies.append(body)
                server.headers.append(dict(self.headers))
            refused = self.refusal(body, image)
            if refused is not None:
                self.reply(*refused)
            elif (kind := plan.always or fault_of(plan, digest, number)) is not None:
                self.misbehave(kind, prompt, image)
            else:
                answer = completion(plan, body, prompt, image)
                server.ended.wait(max(0.0, arrived + plan.latency - time.monotonic()))
                self.reply(200, answer)
                with server.lock:
                    server.answers[digest] += 1
        finally:
            with server.lock:
                server.at_once -= 1

    def refusal(self, body: dict[str, Any], image: bytes | None) -> tuple[int, Any] | None:
        """What makes a request wrong in itself, as its status and error."""
        plan = self.server.plan
        authorization = self.headers.get("Authorization", "")
        if plan.key is not None and authorization != f"Bearer {plan.key}":
            return 401, error(f"Incorrect API key provided: {authorization}", code="invalid_api_key")
        if plan.models is not None and body["model"] not in plan.models:
            return 404, error(f"The model `{body['model']}` does not exist.", code="model_not_found")
        if image is not None and not plan.images:
            return 400, error("Invalid content type. image_url is only supported by certain models.")
        for name in plan.refuse:
            if name in body:
                message = f"Unsupported parameter: '{name}' is not supported with this model."
                return 400, error(message, code="unsupported_parameter", param=name)
        return plan.status

    def misbehave(self, kind: str, prompt: str, image: bytes | None) -> None:
        plan, ended = self.server.plan, self.server.ended
        if kind.isdigit():
            self.reply(int(kind), error("as planned"))
        elif kind == "429-after":
            self.reply(429, error("too many"), {"Retry-After": str(plan.wait)})
        elif kind == "429-date":
            date = format_datetime(datetime.now(UTC) + timedelta(seconds=plan.wait), usegmt=True)
            self.reply(429, error("too many"), {"Retry-After": date})
        elif kind == "error-200":
            self.reply(200, error("the provider failed", code=502))
        elif kind == "html":
            self.send(200, b"<html><body>Welcome to the hotel's network</body></html>", "text/html")
        elif kind == "invalid-json":
            self.send(200, b'{"choices": [{"message": {"content": "(a', "application/json")
        elif kind == "empty-choices":
            self.reply(200, {"choices": []})
        elif kind == "null-content":
            self.reply(200, {"choices": [{"finish_reason": "stop", "message": {"content": None}}]})
        elif kind == "no-body":
            self.send(200, b"", "application/json")
        else:
            self.close_connection = True
            self.break_off(kind, json.dumps(completion(plan, {}, prompt, image)).encode(), ended)

    def break_off(self, kind: str, data: bytes, ended: threading.Event) -> None:
        """Faults of the connection itself: what would be the right answer never arrives in time, or whole."""
        plan = self.server.plan
        if kind == "hang":
            ended.wait(plan.hold)
        elif kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()
        elif kind == "cut":
            self.send(200, data[: len(data) // 2], "application/json", len(data))
        elif kind == "drip":
            self.send(200, b"", "application/json", len(data) + 10_000)
            until = time.monotonic() + plan.hold
            for byte in data:
                if time.monotonic() > until or ended.wait(plan.drip):
                    break
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
        else:
            raise ValueError(f"no such fault: {kind}")

    def reply(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        self.send(status, json.dumps(value).encode(), "application/json", None, headers)

    def send(
        self, status: int, data: bytes, kind: str, length: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()


def question_of(body: Mapping[str, Any]) -> tuple[str, bytes | None]:
    """Return the prompt and the image of a request; anything but one user message is an error of the client."""
    [message] = body["messages"]
    assert message["role"] == "user"
    if isinstance(message["content"], str):
        return message["content"], None
    picture, text = message["content"]
    url = picture["image_url"]["url"]
    assert url.startswith("data:image/")
    return text["text"], base64.b64decode(url.partition("base64,")[2], validate=True)


def fault_of(plan: Plan, digest: str, number: int) -> str | None:
    """Return what goes wrong with the n-th request for a question, if anything does."""
    chance = Random(f"{plan.seed}/{digest}/{number}")
    return chance.choice(list(plan.kinds)) if number <= plan.max_faults and chance.random() < plan.faults else None


def completion(plan: Plan, body: Mapping[str, Any], prompt: str, image: bytes | None) -> dict[str, Any]:
    """Return the right answer to a question."""
    message = {"role": "assistant", "content": answer_to(prompt, image), **plan.message}
    choice = {"index": 0, "finish_reason": plan.finish_reason, "message": message}
    if body.get("logprobs") and plan.logprobs is not None:
        choice["logprobs"] = plan.logprobs
    return {"object": "chat.completion", "model": "chaos-1", "choices": [choice], "usage": dict(plan.usage)}


def error(message: str, **labels: Any) -> dict[str, Any]:
    """Return an error object as OpenAI words it."""
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **labels}}


@contextmanager
def chaos(plan: Plan | None = None) -> Iterator[Chaos]:
    """Run a server in this process."""
    server = Chaos(plan or Plan())
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Run a server until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--faults", type=float, default=0.0, help="share of requests that go wrong")
    parser.add_argument("--kinds", nargs="*", default=FAULTS, choices=FAULTS, help="what may go wrong")
    parser.add_argument("--max-faults", type=int, default=3, help="faults of one question at most")
    parser.add_argument("--hold", type=float, default=5.0, help="seconds that a hanging request is held")
    parser.add_argument("--key", help="the only key that is taken")
    parser.add_argument("--no-images", action="store_true", help="refuse images")
    arguments = parser.parse_args()
    plan = Plan(
        seed=arguments.seed,
        latency=arguments.latency,
        faults=arguments.faults,
        kinds=arguments.kinds,
        max_faults=arguments.max_faults,
        hold=arguments.hold,
        key=arguments.key,
        images=not arguments.no_images,
        keep=False,
    )
    server = Chaos(plan, arguments.port)
    print(server.url, flush=True)  # noqa: T201
    with suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
