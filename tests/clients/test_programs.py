"""Programs in other languages make the same calls in the ways that are usual there, and get the same answers.

Languages that are not installed are left out here; test_replicas sends the same bytes in any case.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from orders.ledger import audit
from orders.models import Cancellation, Order, Service
from tests.clients.stage import NO_ORDER, Stage, is_price_list, plain, refill_of, status_of, statuses_of

pytestmark = pytest.mark.django_db(transaction=True)
PROGRAMS = Path(__file__).parent / "programs"
Calls = list[dict[str, Any]]


def run(command: list[str], said: str) -> str:
    done = subprocess.run(command, input=said, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def script(*command: str) -> Any:
    """Return a program that takes a list of calls and gives a list of answers."""
    *interpreter, name, manner = command

    def call(url: str, calls: Calls) -> list[list[Any]]:
        return json.loads(run([*interpreter, str(PROGRAMS / name), manner, url], json.dumps(calls)))

    return call


def java(url: str, calls: Calls) -> list[list[Any]]:
    told = run(["java", str(PROGRAMS / "Panel.java"), "form", url], "".join(urlencode(call) + "\n" for call in calls))
    answers = (line.partition(" ") for line in told.splitlines())
    return [[int(status), json.loads(body)] for status, _, body in answers]


def curl(*options: str) -> Any:
    """Each call in a process of its own; ``{name}`` in the options is where a field goes."""

    def call(url: str, calls: Calls) -> list[list[Any]]:
        answers = []
        for fields in calls:
            flag, *fixed = options
            sent = [part for name, value in fields.items() for part in (flag, f"{name}={value}")]
            told = run(["curl", "-sS", "--max-time", "30", "-w", "\n%{http_code}", *fixed, *sent, url], "")
            body, _, status = told.rpartition("\n")
            answers.append([int(status), json.loads(body)])
        return answers

    return call


def curl_json(url: str, calls: Calls) -> list[list[Any]]:
    told = [run(["curl", "-sS", "-w", "\n%{http_code}", "--json", json.dumps(call), url], "") for call in calls]
    return [[int(one.rpartition("\n")[2]), json.loads(one.rpartition("\n")[0])] for one in told]


def wget(url: str, calls: Calls) -> list[list[Any]]:
    """It ends with an error for anything but HTTP 200."""
    return [[200, json.loads(run(["wget", "-q", "-O-", f"--post-data={urlencode(call)}", url], ""))] for call in calls]


MANNERS = {
    "node urlsearchparams": script("node", "panel.mjs", "urlsearchparams"),
    "node query": script("node", "panel.mjs", "query"),
    "node json": script("node", "panel.mjs", "json"),
    "node bearer": script("node", "panel.mjs", "bearer"),
    "node formdata": script("node", "panel.mjs", "formdata"),
    "node byhand": script("node", "panel.mjs", "byhand"),
    "node chunked": script("node", "panel.mjs", "chunked"),
    "perl form": script("perl", "panel.pl", "form"),
    "perl query": script("perl", "panel.pl", "query"),
    "perl json": script("perl", "panel.pl", "json"),
    "php form": script("php", "panel.php", "form"),
    "php multipart": script("php", "panel.php", "multipart"),
    "java http/2": java,
    "curl form": curl("--data-urlencode"),
    "curl multipart": curl("--form-string"),
    "curl get": curl("--data-urlencode", "--get"),
    "curl http/1.0": curl("--data-urlencode", "--http1.0"),
    "curl http/2": curl("--data-urlencode", "--http2"),
    "curl expect": curl("--data-urlencode", "-H", "Expect: 100-continue"),
    "curl chunked": curl("--data-urlencode", "-H", "Transfer-Encoding: chunked"),
    "curl redirects": curl("--data-urlencode", "--location"),
    "curl json": curl_json,
    "wget": wget,
}
HERE = {name: act for name, act in MANNERS.items() if shutil.which(name.split()[0])}
#: One manner of each program is tried at the address with a slash as well.
SLASHED = {"node json", "perl form", "php form", "java http/2", "curl redirects", "wget"}
CASES = [(name, "") for name in HERE] + [(name, "/") for name in HERE if name in SLASHED]


@pytest.mark.parametrize(("name", "slash"), CASES, ids=[name + slash for name, slash in CASES])
def test_a_program_lists_services_orders_and_checks_the_status(stage: Stage, name: str, slash: str) -> None:
    own, sold = stage.orders, stage.services
    ids = [own[status].pk for status in ("completed", "in_progress", "canceled")]
    asked = ",".join(map(str, [*ids, stage.theirs.pk]))
    buying = {"action": "add", "link": "https://example.com/p?a=1&b=2#ф", "quantity": 100}
    talking = {"action": "add", "service": sold["custom_comments"].pk, "link": "someuser", "comments": "so, so\nдва\n"}
    calls: Calls = [
        {"action": "balance"},
        {"action": "services"},
        {"action": "status", "order": ids[1]},
        {"action": "status", "orders": asked},
        {**buying, "service": sold["default"].pk},
        talking,
        {**buying, "service": 999_999},
        {"action": "refill", "order": ids[0]},
        {"action": "cancel", "orders": asked},
    ]
    money = stage.reseller.balance
    answers = HERE[name](stage.url + slash, [{"key": stage.key, **call} for call in calls])
    assert [status for status, _ in answers] == [200] * len(calls)
    balance, services, status, statuses, first, second, refused, refill, cancel = (body for _, body in answers)
    bought = Order.objects.filter(source="api").order_by("pk")
    assert balance == {"balance": plain(money), "currency": "USD"}
    assert is_price_list(services)
    assert status == status_of(own["in_progress"])
    shown = [own[word] for word in ("completed", "in_progress", "canceled")]
    assert statuses == {**statuses_of(shown), str(stage.theirs.pk): NO_ORDER}
    assert [first, second] == [{"order": order.pk} for order in bought]
    assert [(order.link, order.quantity) for order in bought] == [(buying["link"], 100), ("someuser", 2)]
    assert bought[1].fields == {"comments": ["so, so", "два"]}
    assert refused == {"error": "Incorrect service ID"}
    assert refill == {"refill": str(refill_of(own["completed"]))}
    assert [row["order"] for row in cancel] == [*ids, stage.theirs.pk]
    assert [row["cancel"] == 1 for row in cancel] == [False, True, False, False]
    assert Cancellation.objects.get().order == own["in_progress"]
    assert stage.reseller.balance == money - sum(order.charge for order in bought)
    assert list(audit.findings()) == []


def test_undefined_values_of_javascript_count_as_absent(stage: Stage) -> None:
    if not shutil.which("node"):
        pytest.skip("there is no node on this machine")
    words = {"runs": "undefined", "interval": "NaN", "comments": "null", "username": ""}
    for number, manner in enumerate(["urlsearchparams", "json", "formdata", "byhand", "query"]):
        what: Service = stage.services["default"]
        call = {"key": stage.key, "action": "add", "service": what.pk, "link": f"x{number}", "quantity": "10", **words}
        money = stage.reseller.balance
        ((status, answer),) = script("node", "panel.mjs", manner)(stage.url, [call])
        assert status == 200
        assert stage.bought(answer, after=money).runs == 1
