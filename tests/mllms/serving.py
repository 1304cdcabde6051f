"""A model behind a real HTTP server that speaks the OpenAI protocol, on this machine alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from snellen.mllms.base import MultimodalModel
from snellen.records import Ask


@contextmanager
def serving(model: MultimodalModel) -> Iterator[str]:
    """Serve a model; yield the endpoint's address."""
    one_at_a_time = Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            [message] = body["messages"]
            parts = message["content"]
            parts = [{"type": "text", "text": parts}] if isinstance(parts, str) else parts
            images = [part["image_url"]["url"].partition("base64,")[2] for part in parts if part["type"] == "image_url"]
            text = "".join(part["text"] for part in parts if part["type"] == "text")
            ask = Ask("q", text, base64.b64decode(images[0]) if images else None)
            with one_at_a_time:
                [response] = model.answer([ask])
            self.reply(
                {
                    "id": "1",
                    "object": "chat.completion",
                    "created": 0,
                    "model": "served",
                    "choices": [
                        {
                            "index": 0,
                            "finish_reason": response.finish,
                            "message": {"role": "assistant", "content": response.text},
                        }
                    ],
                    "usage": {
                        "prompt_tokens": response.tokens_in,
                        "completion_tokens": response.tokens_out,
                        "total_tokens": (response.tokens_in or 0) + (response.tokens_out or 0),
                    },
                }
            )

        def reply(self, value: Any) -> None:
            data = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
