"""The engine against a server that misbehaves by plan (`tests.mllms.chaos`)."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from io import BytesIO
from math import log
from typing import Any

import pytest

from snellen.errors import Incomplete, ModelError, SnellenError, StudyError
from snellen.mllms import traffic as patience
from snellen.mllms.base import Decoding, MultimodalModel, Traffic
from snellen.providers import load_mllm
from snellen.records import Ask, Response
from tests.conftest import REPOSITORY
from tests.mllms.chaos import FAULTS, TOKENS_IN, TOKENS_OUT, Chaos, Plan, answer_to, chaos, digest_of, error
from tests.pictures import picture

KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "BASE", 0.02)
    monkeypatch.setenv("MY_KEY", KEY)


def image(seed: int) -> bytes:
    file = BytesIO()
    picture(seed).save(file, "PNG")
    return file.getvalue()


def questions(count: int, images: int = 4) -> list[Ask]:
    shown = [image(seed) for seed in range(images)]
    return [
        Ask(f"p{n}-a", f"Question {n}? (a) yes (b) no", shown[n % images], letters=("(a)", "(b)")) for n in range(count)
    ]


def model_at(server: Chaos, decoding: Decoding | None = None, **traffic: Any) -> MultimodalModel:
    given = {"concurrency": 4, "timeout": 5.0, "retries": 4, **traffic}
    return load_mllm(f"openai/m@{server.url}", decoding=decoding, traffic=Traffic(**given))


def until_stopped(model: MultimodalModel, asks: Any) -> tuple[list[Response], SnellenError | None]:
    came = []
    try:
        for response in model.answer(asks):
            came.append(response)
    except SnellenError as stop:
        return came, stop
    return came, None


def assert_each_answered_rightly(asks: Sequence[Ask], responses: Sequence[Response]) -> None:
    assert Counter(response.key for response in responses) == Counter(ask.key for ask in asks)
    right = {ask.key: answer_to(ask.prompt, ask.image) for ask in asks}
    assert {response.key: response.text for response in responses} == right
    assert {response.finish for response in responses} == {"stop"}


# -- answers --------------------------------------------------------------------------------------------------------


def test_a_plain_question() -> None:
    with chaos() as server:
        model = model_at(server)
        [response] = model.answer(questions(1))
    ask = questions(1)[0]
    assert response.text == answer_to(ask.prompt, ask.image)
    assert (response.finish, response.error, response.prompt) == ("stop", None, ask.prompt)
    assert (response.tokens_in, response.tokens_out, response.cost_usd) == (TOKENS_IN, TOKENS_OUT, None)
    assert (response.model_reported, response.logprobs) == ("chaos-1", None)
    assert model.name == f"openai/m@{server.url}"
    [body] = server.bodies
    assert set(body) == {"model", "messages", "max_tokens", "temperature", "logprobs", "top_logprobs"}
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 0.0, 1024)


def test_questions_without_an_image_and_a_second_round() -> None:
    asks = [Ask(f"p{n}-a", f"{n}?", None, repeat=n, control="no_image") for n in range(9)]
    with chaos() as server:
        model = model_at(server)
        assert_each_answered_rightly(asks, list(model.answer(asks)))
        assert list(model.answer([])) == []
        assert_each_answered_rightly(asks, list(model.answer(asks)))
    assert set(server.requests.values()) == {2}


def test_300_questions_survive_everything_at_once() -> None:
    asks = questions(300)
    plan = Plan(seed=7, latency=0.01, faults=0.4, hold=4.0, wait=0)
    with chaos(plan) as server:
        responses = list(model_at(server, concurrency=16, timeout=1.5).answer(asks))
    assert_each_answered_rightly(asks, responses)
    digests = [digest_of(ask.prompt, ask.image) for ask in asks]
    assert set(server.requests) == set(digests)
    assert sum(server.requests.values()) > 400  # much went wrong
    assert all(server.answers[digest] == 1 for digest in digests)  # and none was asked on after its answer


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_alone(kind: str) -> None:
    asks = questions(5)
    with chaos(Plan(faults=1.0, kinds=[kind], max_faults=1, hold=3.0, wait=0)) as server:
        responses = list(model_at(server, timeout=1.0).answer(asks))
    assert_each_answered_rightly(asks, responses)
    assert set(server.requests.values()) == {2}


@pytest.mark.parametrize("kind", ["429-after", "429-date"])
def test_as_long_as_the_endpoint_asks_for(kind: str) -> None:
    with chaos(Plan(faults=1.0, kinds=[kind], max_faults=1, wait=1 if kind == "429-after" else 2)) as server:
        [response] = model_at(server).answer(questions(1))
    assert response.finish == "stop"
    assert server.begun[1] - server.begun[0] >= 0.95


@pytest.mark.parametrize("kind", FAULTS)
def test_retries_end(kind: str) -> None:
    with chaos(Plan(always=kind, hold=1.0, wait=0)) as server:
        responses = list(model_at(server, retries=2, timeout=0.2).answer(questions(3)))
    assert [response.finish for response in responses] == ["error"] * 3
    assert all(response.text is None and "(tried 3 times)" in str(response.error) for response in responses)
    assert set(server.requests.values()) == {3}


def test_a_drip_ends_at_the_deadline() -> None:
    """Every byte comes well within any time-out for a single read; the answer as a whole does not."""
    with chaos(Plan(always="drip", drip=0.05, hold=20.0)) as server:
        began = time.monotonic()
        [response] = model_at(server, retries=1, timeout=0.5).answer(questions(1))
        assert time.monotonic() - began < 2.5
    assert "no answer within 0.5 s" in str(response.error)


def test_an_image_that_cannot_be_decoded_costs_its_question_alone() -> None:
    asks = questions(3)
    broken = Ask("broken-a", "?", b"not an image")
    with chaos() as server:
        responses = list(model_at(server).answer([asks[0], broken, *asks[1:]]))
    [failed] = [response for response in responses if response.question_id == "broken-a"]
    assert "cannot be decoded (not_an_image)" in str(failed.error)
    assert_each_answered_rightly(asks, [response for response in responses if response is not failed])


@pytest.mark.parametrize(
    ("plan", "finish", "text"),
    [
        (Plan(finish_reason="length"), "length", None),
        (Plan(finish_reason="content_filter", message={"content": None}), "refusal", ""),
        (Plan(message={"content": None, "refusal": "I cannot help."}), "refusal", "I cannot help."),
        (Plan(status=(400, error("rejected by our safety system"))), "refusal", "rejected by our safety system"),
    ],
)
def test_how_answers_end(plan: Plan, finish: str, text: str | None) -> None:
    ask = questions(1)[0]
    with chaos(plan) as server:
        [response] = model_at(server).answer([ask])
    assert (response.finish, response.error) == (finish, None)
    assert response.text == (answer_to(ask.prompt, ask.image) if text is None else text)
    assert sum(server.requests.values()) == 1


def test_log_probabilities() -> None:
    top = [{"token": "a", "logprob": log(0.7)}, {"token": "b", "logprob": log(0.2)}]
    found = {"content": [{"token": "(", "logprob": 0.0}, {"token": "a", "logprob": log(0.7), "top_logprobs": top}]}
    with chaos(Plan(logprobs=found)) as server:
        model = model_at(server)
        [response] = model.answer(questions(1))
        [free] = model.answer([Ask("p-a", "What do you see?", None)])
    assert response.logprobs is not None
    assert dict(response.logprobs) == pytest.approx({"a": log(0.7), "b": log(0.2)})
    assert free.logprobs is None and "logprobs" not in server.bodies[1]
    assert model.supports.logprobs


# -- parameters that endpoints refuse -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refuse", "left"),
    [
        (["max_tokens"], {"max_completion_tokens", "temperature", "seed", "logprobs", "top_logprobs"}),
        (["seed"], {"max_tokens", "temperature", "logprobs", "top_logprobs"}),
        (["logprobs"], {"max_tokens", "temperature", "seed"}),
        (["top_logprobs"], {"max_tokens", "temperature", "seed"}),
        (["seed", "logprobs", "max_tokens"], {"max_completion_tokens", "temperature"}),
    ],
)
def test_what_is_refused_is_done_without(refuse: list[str], left: set[str]) -> None:
    asks = questions(20)
    with chaos(Plan(refuse=refuse)) as server:
        model = model_at(server, Decoding(temperature=0.5), retries=0)
        assert_each_answered_rightly(asks, list(model.answer(asks)))
    assert set(server.bodies[-1]) - {"model", "messages"} == left
    assert len(server.bodies) <= 20 + 4 * (len(refuse) + 1)  # learnt once, by those that were under way
    assert model.supports.logprobs == ("logprobs" in left)


def test_temperature_is_not_dropped_in_silence() -> None:
    with chaos(Plan(refuse=["temperature"])) as server:
        came, stop = until_stopped(model_at(server), questions(20))
        assert came == [] and isinstance(stop, ModelError) and "--temperature 1" in str(stop)
        assert len(server.bodies) <= 4
        asks = questions(5)
        assert_each_answered_rightly(asks, list(model_at(server, Decoding(temperature=1.0)).answer(asks)))


# -- what ends a run ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (Plan(images=False), "takes no images"),
        (Plan(models=["other"]), "is not to be found"),
        (Plan(key="another"), "refuses the key in MY_KEY"),
        (Plan(status=(302, {})), "redirection"),
    ],
)
def test_nothing_can_be_answered(plan: Plan, says: str) -> None:
    with chaos(plan) as server:
        came, stop = until_stopped(model_at(server, key_variable="MY_KEY"), questions(50))
    assert came == []
    assert isinstance(stop, ModelError)
    assert says in str(stop)
    assert "\n" not in str(stop)
    assert len(server.bodies) <= 4


def test_no_credit_left_is_incomplete() -> None:
    with chaos(Plan(status=(429, error("You exceeded your current quota", code="insufficient_quota")))) as server:
        came, stop = until_stopped(model_at(server), questions(50))
    assert came == [] and isinstance(stop, Incomplete) and "no credit" in str(stop)


def test_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = load_mllm(f"openai/m@http://127.0.0.1:{port}/v1", traffic=Traffic())
    came, stop = until_stopped(model, questions(50))
    assert came == []
    assert isinstance(stop, ModelError) and f"Nothing answers at http://127.0.0.1:{port}/v1" in str(stop)


def test_a_server_that_only_fails() -> None:
    with chaos(Plan(always="503")) as server:
        came, stop = until_stopped(model_at(server, retries=1), questions(50))
    assert isinstance(stop, Incomplete) and "10 questions in a row" in str(stop) and "HTTP 503" in str(stop)
    assert 10 <= len(came) <= 14
    assert {response.finish for response in came} == {"error"}


def test_a_server_that_goes_away_costs_no_answer() -> None:
    asks = questions(60)

    def closing(server: Chaos) -> Iterator[Ask]:
        for number, ask in enumerate(asks):
            if number == 30:
                server.plan.always = "reset"
            yield ask

    with chaos() as server:
        came, stop = until_stopped(model_at(server, retries=1), closing(server))
        answered = [response for response in came if response.finish == "stop"]
        assert isinstance(stop, Incomplete)
        assert len(answered) == sum(server.answers.values()) >= 26
        server.plan.always = None
        done = {response.key for response in answered}
        rest = [ask for ask in asks if ask.key not in done]
        answered += model_at(server).answer(rest)
    assert_each_answered_rightly(asks, answered)


def test_a_question_that_cannot_be_made_costs_none_under_way() -> None:
    def failing() -> Iterator[Ask]:
        yield from questions(6)
        raise StudyError("an image is gone")

    with chaos(Plan(latency=0.1)) as server:
        came, stop = until_stopped(model_at(server), failing())
    assert_each_answered_rightly(questions(6), came)
    assert isinstance(stop, StudyError)


# -- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plan",
    [
        Plan(key="another"),  # whose 401 repeats the whole header
        Plan(status=(400, error(f"Authorization: Bearer {KEY} is odd"))),
        Plan(status=(500, {"detail": KEY})),
        Plan(status=(400, error(f"content policy: {KEY}"))),
        Plan(message={"content": f"Your key is {KEY}."}),
        Plan(message={"refusal": f"Your key is {KEY}."}),
        Plan(status=(404, error(KEY))),
    ],
)
def test_the_key_appears_nowhere(plan: Plan, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with chaos(plan) as server:
        model = model_at(server, key_variable="MY_KEY", retries=1)
        came, stop = until_stopped(model, questions(3))
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert came or stop
    for shown in (*map(repr, came), str(stop), repr(stop), model.name, model.fingerprint, caplog.text):
        assert KEY not in shown


def test_what_the_environment_holds_for_openai_goes_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-yours")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-not-yours")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-not-yours")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: not-yours\nAuthorization: Bearer not-yours")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/not-yours")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with chaos() as server:
        [response] = model_at(server).answer(questions(1))
    assert response.finish == "stop"
    assert "not-yours" not in str(server.headers)


# -- pace and money -------------------------------------------------------------------------------------------------


def test_the_rate_limit_holds_for_all_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "MINUTE", 0.8)
    asks = questions(14)
    with chaos(Plan(faults=0.3, kinds=["500"], seed=3)) as server:
        responses = list(model_at(server, concurrency=16, per_minute=6).answer(asks))
    assert_each_answered_rightly(asks, responses)
    assert len(server.begun) > 14  # tries count, not questions
    begun = sorted(server.begun)
    for first, later in zip(begun, begun[6:], strict=False):
        assert later - first > 0.7


def test_cost_by_hand() -> None:
    with chaos() as server:
        [priced] = model_at(server, price_in=2.0, price_out=8.0).answer(questions(1))
        assert priced.cost_usd == pytest.approx((TOKENS_IN * 2 + TOKENS_OUT * 8) / 1e6)
        server.plan.usage = {**server.plan.usage, "cost": 0.125}
        [reported] = model_at(server).answer(questions(1))
        assert reported.cost_usd == 0.125
        server.plan.usage = {}
        [unknown] = model_at(server, price_in=2.0, price_out=8.0).answer(questions(1))
        assert (unknown.cost_usd, unknown.tokens_in) == (None, None)


@pytest.mark.parametrize("concurrency", [1, 16])
def test_the_budget_is_used_and_never_exceeded(concurrency: int) -> None:
    each = (TOKENS_IN + TOKENS_OUT) * 10 / 1e6
    budget = 20.5 * each
    with chaos(Plan(latency=0.02)) as server:
        model = model_at(
            server, Decoding(max_tokens=50), concurrency=concurrency, price_in=10, price_out=10, budget_usd=budget
        )
        came, stop = until_stopped(model, questions(60))
        spent = sum(server.answers.values()) * each
        assert spent <= budget
        assert sum(response.cost_usd or 0 for response in came) == pytest.approx(spent)
        assert 18 <= len(came) <= 20
        assert isinstance(stop, Incomplete) and f"spent: {spent:,.4f} USD" in str(stop)
        before = sum(server.requests.values())
        assert isinstance(until_stopped(model, questions(5))[1], Incomplete)  # it holds for the model, not for a call
        assert sum(server.requests.values()) == before


def test_a_budget_that_does_not_cover_one_question() -> None:
    with chaos() as server:
        model = model_at(server, price_in=1000, price_out=1000, budget_usd=0.001)
        came, stop = until_stopped(model, questions(5))
    assert came == [] and isinstance(stop, Incomplete)
    assert not server.bodies


def test_images_that_are_dearer_than_anyone_would_guess() -> None:
    """Until one answer has told what a question costs, no other is begun."""
    each = 40_000 * 10 / 1e6
    with chaos(Plan(latency=0.02, usage={"prompt_tokens": 40_000, "completion_tokens": 0})) as server:
        model = model_at(
            server, Decoding(max_tokens=50), concurrency=16, price_in=10, price_out=10, budget_usd=3 * each
        )
        came, stop = until_stopped(model, questions(30))
    assert 2 <= len(came) <= 3 and isinstance(stop, Incomplete)
    assert sum(server.answers.values()) == len(came)


def test_answers_that_are_lost_count_against_the_budget() -> None:
    """A server may charge for what it wrote, whether or not it arrived."""
    with chaos(Plan(always="cut")) as server:
        model = model_at(server, Decoding(max_tokens=10), retries=8, price_in=10, price_out=10, budget_usd=0.1)
        came, stop = until_stopped(model, questions(5))
    assert came == [] and isinstance(stop, Incomplete) and "lost" in str(stop)
    assert len(server.bodies) <= 5  # at about 0.02 each


# -- concurrency ----------------------------------------------------------------------------------------------------


def test_questions_are_drawn_as_they_are_needed() -> None:
    drawn = 0

    def counted() -> Iterator[Ask]:
        nonlocal drawn
        for ask in questions(60):
            drawn += 1
            yield ask

    with chaos(Plan(latency=0.005)) as server:
        responses = model_at(server, concurrency=5).answer(counted())
        assert drawn == 0
        for number, _ in enumerate(responses, 1):
            assert drawn <= number + 5
            if number % 10 == 0:
                time.sleep(0.05)  # a slow caller is not run away from
                assert drawn <= number + 5
        assert drawn == 60
    assert server.most_at_once <= 5


def test_answers_come_as_soon_as_they_are_there() -> None:
    with chaos(Plan(faults=1.0, kinds=["hang"], max_faults=1, hold=30.0)) as server:
        slow = questions(1)
        server.requests.update({digest_of(ask.prompt, ask.image): 1 for ask in questions(9)[1:]})  # these are past it
        responses = model_at(server, timeout=3.0).answer([*slow, *questions(9)[1:]])
        began = time.monotonic()
        first = [next(responses) for _ in range(8)]
        assert time.monotonic() - began < 2.0
        assert slow[0].key not in {response.key for response in first}
        assert next(responses).key == slow[0].key


def test_leaving_early_ends_what_is_under_way() -> None:
    with chaos(Plan(latency=0.05)) as server:
        responses = model_at(server).answer(questions(100))
        next(responses)
        began = time.monotonic()
        responses.close()  # type: ignore[attr-defined]
        assert time.monotonic() - began < 1.0
        count = len(server.bodies)
        time.sleep(0.3)
        assert len(server.bodies) <= count + 4 < 100


INTERRUPTED = """
import sys
from snellen.mllms.base import Traffic
from snellen.providers import load_mllm
from snellen.records import Ask
model = load_mllm(f"openai/m@{sys.argv[1]}", traffic=Traffic(concurrency=8, timeout=60.0))
for response in model.answer(Ask(f"p{n}-a", f"{n}?", None) for n in range(100)):
    print(response.text, flush=True)
"""


@pytest.mark.parametrize("plan", [Plan(always="hang", hold=60.0), Plan(latency=0.05), Plan(always="503")])
def test_ctrl_c_ends_at_once(plan: Plan) -> None:
    with chaos(plan) as server:
        command = [sys.executable, "-W", "error", "-c", INTERRUPTED, server.url]
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until = time.monotonic() + 60
        while len(server.bodies) < 8 and time.monotonic() < until:
            time.sleep(0.02)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert time.monotonic() - began < 2.5
    assert process.returncode == -signal.SIGINT
    assert errors.strip().endswith("KeyboardInterrupt")
    assert "Exception ignored" not in errors and "was destroyed" not in errors


def test_a_server_in_its_own_process() -> None:
    command = [sys.executable, "-m", "tests.mllms.chaos", "--seed", "1", "--faults", "0.3", "--kinds", "500", "cut"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        asks = questions(10)
        model = load_mllm(f"openai/m@{url}", traffic=Traffic())
        assert_each_answered_rightly(asks, list(model.answer(asks)))
        process.terminate()
