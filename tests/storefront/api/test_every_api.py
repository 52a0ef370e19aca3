"""Random and described requests to the panel API, the REST API and the Admin API: no server error, no stranger's data.

`make test` sends a few hundred requests; `make prove` sends 20,000 and prints what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from orders.models import Order, Refill
from storefront.api.adminapi.urls import ROUTES
from storefront.api.panel.actions import ACTIONS
from storefront.support.models import Ticket
from storefront.wsgi import application
from tests.factories import INPUTS
from tests.storefront.api.adminapi.test_fuzz import fields as admin_fields
from tests.storefront.api.isolation import few_or_many
from tests.storefront.api.reseller import connection_kept
from tests.storefront.api.test_fuzz import NAMES, some_text
from tests.storefront.api.two_customers import Customer, Scene, send

V2, V3, ADMIN = "/api/v2", "/api/v3", "/adminapi"
#: The part of all requests that each of these sends, in percent.
SHARES = {
    "v2 random": 20, "v2 described": 10, "v3 random": 10, "v3 described": 30, "admin read": 10, "admin write": 20,
}  # fmt: skip
PATHS = (
    "services", "services/{}", "services/{}/delivery-times", "services/{}/price-history", "orders", "orders/{}",
    "orders/{}/events", "orders/bulk", "quotes", "refills", "refills/{}", "cancellations", "cancellations/{}",
    "balance", "transactions", "transactions/{}", "payments", "payments/{}", "webhook-endpoints",
    "webhook-endpoints/{}", "webhook-endpoints/{}/test", "webhook-endpoints/{}/rotate-secret", "events", "events/{}",
    "openapi.json", "nothing",
)  # fmt: skip
#: Parameters for ids. Those of the other customer may be sent in these only: what is stored comes back later.
ID_NAMES = ("order", "orders", "orders[]", "refill", "refills")
METHODS = ("GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", "HEAD")
KEYS = st.sampled_from(["live", "live", "sandbox"])
texts = st.text(max_size=20)
json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | some_text, lambda inner: st.lists(inner, max_size=3), max_leaves=4
)


def run(examples: int, test: Callable[..., None], **strategies: Any) -> None:
    """Call ``test`` with this many examples, or fewer if there are no more."""
    options = {"deadline": None, "database": None, "phases": [Phase.explicit, Phase.generate, Phase.shrink]}
    hypothesis_settings(max_examples=max(examples, 1), suppress_health_check=list(HealthCheck), **options)(
        given(**strategies)(test)
    )()


def several(numbers: list[int]) -> Any:
    """Generate ids as panels' clients write them."""
    return st.lists(st.sampled_from(numbers), min_size=1, max_size=4).map(lambda found: ",".join(map(str, found)))


def merged(*dictionaries: Any) -> Any:
    return st.tuples(*dictionaries).map(lambda found: {name: value for one in found for name, value in one.items()})


class Requests:
    """The requests of each part. ``numbers`` are ids of rows of both customers."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.customers = st.sampled_from(scene.customers)
        self.numbers = [number for one in scene.customers for number in one.ids.values()]

    # -------------------------------------------------------------------------------------------- panel API
    def v2_random(self, examples: int) -> None:
        given_fields = merged(
            st.dictionaries(st.sampled_from(NAMES), some_text, max_size=6),
            st.dictionaries(st.sampled_from(ID_NAMES), several(self.numbers), max_size=2),
        )
        manners = st.sampled_from(["form", "json", "query", "bytes"])

        def holds(
            customer: Customer, action: str, sold: int, given: dict[str, str], manner: str, raw: bytes, key: str
        ) -> None:
            link = f"https://{customer.mark}.example/{len(given)}"
            params = {"service": str(sold), **INPUTS, "link": link, "username": customer.mark, **given}
            whole = {"key": customer.keys[key], "action": action, **params}
            form = urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in whole.items()})
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            if manner == "query":
                response = send(customer.client, "GET", f"{V2}?{form}")
            elif manner == "json":
                body = json.dumps(whole).encode()
                response = send(customer.client, "POST", V2, body, content_type="application/json")
            elif manner == "form":
                response = send(customer.client, "POST", V2, form.encode(), content_type=headers["Content-Type"])
            else:
                query = urlencode({"key": customer.keys[key], "action": action})
                response = send(customer.client, "POST", f"{V2}?{query}", raw, content_type=headers["Content-Type"])
            self.scene.judge_customer(
                "v2 random", customer, response.status_code, response.content.decode(), asked=str(given) + str(raw)
            )

        run(
            examples, holds, customer=self.customers, action=st.sampled_from([*ACTIONS, "add", ""]),
            sold=st.sampled_from(self.scene.sold), given=given_fields, manner=manners, raw=st.binary(max_size=60),
            key=KEYS,
        )  # fmt: skip

    def v2_described(self, examples: int) -> None:
        self._described("/api/openapi.json", examples, self._as_customer("v2 described"))

    # -------------------------------------------------------------------------------------------- REST API
    def v3_random(self, examples: int) -> None:
        numbers = st.sampled_from([*self.numbers, 1, 0, 10**17]) | st.text(max_size=5)
        names = st.sampled_from([*NAMES, "status", "url", "events", "is_active", "limit", "cursor", "start_at"])
        given_fields = merged(
            st.dictionaries(names, json_values, max_size=5),
            st.dictionaries(st.sampled_from(["order", "service"]), st.sampled_from(self.numbers), max_size=1),
        )
        # Both customers use the same idempotency keys.
        once = st.sampled_from(["a", "b", "shop-7781", ""])

        def holds(
            customer: Customer,
            path: str,
            method: str,
            number: Any,
            given: dict[str, Any],
            key: str,
            once: str,
            in_query: bool,
        ) -> None:
            address = f"{V3}/{path.format(urlencode({'': number}, errors='replace')[1:])}"
            headers = {"Authorization": f"Bearer {customer.keys[key]}", **({"Idempotency-Key": once} if once else {})}
            body: Any = b""
            if in_query:
                address += "?" + urlencode({name: str(value) for name, value in given.items()}, errors="replace")
            else:
                body = json.dumps({"service": self.scene.sold[0], "quantity": 100, **given}).encode()
            response = send(customer.client, method, address, body, content_type="application/json", headers=headers)
            text = "" if method == "HEAD" else response.content.decode()
            asked = address + str(body)
            self.scene.judge_customer("v3 random", customer, response.status_code, text, asked=asked)

        run(
            examples, holds, customer=self.customers, path=st.sampled_from(PATHS), method=st.sampled_from(METHODS),
            number=numbers, given=given_fields, key=KEYS, once=once, in_query=st.booleans(),
        )  # fmt: skip

    def v3_described(self, examples: int) -> None:
        self._described("/api/v3/openapi.json", examples, self._as_customer("v3 described"))

    # -------------------------------------------------------------------------------------------- Admin API
    def admin_read(self, examples: int) -> None:
        """Send everything, also what writes, with a key that may only read."""
        with self.scene.nothing_changes():
            self._admin_random(examples // 2, self._as_reader)
            self._described("/adminapi/openapi.json", examples - examples // 2, self._as_reader)

    def admin_write(self, examples: int) -> None:
        self.scene.look_again()
        self._admin_random(examples // 2, self._as_writer)
        self._described("/adminapi/openapi.json", examples - examples // 2, self._as_writer)

    def _admin_random(self, examples: int, judged: Callable[..., None]) -> None:
        numbers = [*Order.objects.order_by("-pk").values_list("pk", flat=True)[:60], *self.numbers]
        ids = several(numbers)
        refills = [str(pk) for pk in Refill.objects.values_list("pk", flat=True)]
        statuses = st.sampled_from(["in_progress", "processing", "completed", "partial", "canceled", "nothing"])
        small = st.integers(-1, 120)
        emails = st.sampled_from([*(one.user.email for one in self.scene.customers), "nobody@example.com"])
        line = st.fixed_dictionaries(
            {"id": st.sampled_from(numbers)}, optional={"status": statuses, "start_count": small, "remains": small}
        )
        message = st.fixed_dictionaries({"username": emails, "subject": texts, "message": texts})
        tickets = [ticket.pk for ticket in Ticket.objects.all()[:20]]
        bodies: dict[str, Any] = {
            "orders/pull": st.fixed_dictionaries({"limit": st.integers(0, 5)}),
            "orders/update": st.fixed_dictionaries({"orders": st.lists(line, max_size=3)}),
            "orders/change-status": st.fixed_dictionaries({"ids": ids, "status": statuses}),
            "orders/<int:pk>/set-partial": st.fixed_dictionaries({"remains": small}),
            "orders/<int:pk>/edit-link": st.sampled_from([{"link": f"https://example.com/{word}"} for word in "abc"]),
            "refill/change-status": st.fixed_dictionaries({"ids": st.sampled_from(refills), "status": statuses}),
            "payments/add": st.fixed_dictionaries(
                {"username": emails, "amount": st.sampled_from(["0.01", 5, "12.50", -1, "x"]), "memo": texts}
            ),
            "users/add": st.fixed_dictionaries(
                {"email": st.from_regex(r"[a-z]{1,12}@example\.com", fullmatch=True), "username": texts}
            ),
            "tickets/add": message,
            "tickets/<int:pk>/reply": message,
        }
        any_ids = st.fixed_dictionaries({"ids": ids})

        @st.composite
        def calls(draw: Any) -> tuple[str, str, dict[str, Any]]:
            route, view = draw(st.sampled_from(ROUTES))
            body = draw(bodies.get(route, any_ids))
            if draw(st.integers(0, 4)) == 0:
                body = {**body, **draw(admin_fields)}
            number = draw(st.sampled_from(tickets if route.startswith("tickets") else numbers))
            method = "POST" if hasattr(view, "post") and draw(st.integers(0, 9)) else draw(st.sampled_from(METHODS))
            return method, f"{ADMIN}/v2/{route}".replace("<int:pk>", str(number)), body

        def holds(call: tuple[str, str, dict[str, Any]]) -> None:
            method, address, body = call
            if method == "GET":
                flat = {name: str(value).encode("utf-8", "replace") for name, value in body.items()}
                judged(lambda client, headers: send(client, method, f"{address}?{urlencode(flat)}"))
            else:
                data = json.dumps(body).encode()
                judged(lambda client, headers: send(client, method, address, data, content_type="application/json"))

        run(examples, holds, call=calls())

    # -------------------------------------------------------------------------------------------- who sends
    def _as_customer(self, part: str) -> Callable[..., None]:
        def judged(send_as: Callable[..., Any], asked: str, place: int) -> None:
            customer = self.scene.customers[place // 3 % 2]
            key = customer.keys["live" if place % 5 else "sandbox"]
            response = send_as(customer.client, {"Authorization": f"Bearer {key}"})
            status, text = status_and_text(response)
            self.scene.judge_customer(part, customer, status, text, asked=asked)

        return judged

    def _as_reader(self, send_as: Callable[..., Any], *_case: Any) -> None:
        program = self.scene.reader
        self.scene.count("admin read", *status_and_text(send_as(program.http, {"X-Api-Key": program.text})))

    def _as_writer(self, send_as: Callable[..., Any], *_case: Any) -> None:
        program = self.scene.writer
        response = self.scene.judge_writer(lambda: send_as(program.http, {"X-Api-Key": program.text}))
        self.scene.count("admin write", *status_and_text(response))

    def _described(self, document: str, examples: int, judged: Callable[..., None]) -> None:
        """Send requests that schemathesis makes from an OpenAPI document, valid and invalid ones, to each operation.

        Where there are fewer examples than operations, send one to every other operation, or to fewer.
        """
        strategies = self._strategies(document)

        def holds(case: Case, place: int) -> None:
            self._put_real_values(case, place)

            def send_case(client: Any, headers: dict[str, str]) -> Any:
                for name in ("X-Api-Key", "Authorization"):
                    case.headers.pop(name, None)
                if case.path.startswith("/api/v3") and case.method.upper() == "POST" and place % 3:
                    headers = {**headers, "Idempotency-Key": f"key-{place}"}
                # Django's own client connects the signals again that close the connection.
                with connection_kept():
                    return case.call(headers={**headers, "Accept-Encoding": "identity"})

            judged(send_case, str((case.path_parameters, case.query, case.body)), place)

        for strategy in strategies[:: max(len(strategies) // examples, 1)]:
            run(-(-examples // len(strategies)), holds, case=strategy, place=st.integers(0, 10**6))

    @cache  # noqa: B019  # making strategies takes seconds, and there is one object in a test
    def _strategies(self, document: str) -> list[Any]:
        with connection_kept():
            schema = schemathesis.openapi.from_wsgi(document, application)
        operations = [one.ok() for one in schema.get_all_operations()]
        return [one.as_strategy(generation_mode=mode) for one in operations for mode in GenerationMode]

    def _put_real_values(self, case: Case, place: int) -> None:
        """Replace some generated ids, which hardly ever exist, by those of both customers' rows and of services."""
        number = self.numbers[place % len(self.numbers)]
        for values in (case.body, case.query):
            if not isinstance(values, dict):
                continue
            for name in ("key", "apikey"):
                values.pop(name, None)  # the header has the good one
            if "service" in values:
                values["service"] = self.scene.sold[place % len(self.scene.sold)]
            for name in ("order", "orders", "ids", "refill"):
                if name in values and place % 2:
                    values[name] = number
        for name in case.path_parameters:
            if place % 2:
                case.path_parameters[name] = number


def status_and_text(response: Any) -> tuple[int, str]:
    """Return the status and the text of an answer to Django's client or to schemathesis."""
    content = response.content
    return response.status_code, content.decode() if content else ""


@pytest.mark.django_db
@few_or_many(300, 20_000)
def test_no_request_to_any_api_does_what_it_may_not(
    examples: int, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.ORDERS_WAKE = "builtins.id"
    settings.API_CALLS_PER_MINUTE = settings.API_ADDRESS_CALLS_PER_MINUTE = settings.ADMIN_API_CALLS_PER_SECOND = 0
    settings.ALLOW_PRIVATE_WEBHOOKS = True
    scene = Scene()
    requests = Requests(scene)
    # In several turns, so that customers read what staff changed and the other way around.
    turns = 4 if examples >= 1000 else 1
    for turn in range(1, turns + 1):
        for part, share in SHARES.items():
            target = examples * share * turn // (100 * turns)
            # An operation may have fewer different requests than are asked for.
            for _ in range(20):
                if scene.sent[part] >= target:
                    break
                getattr(requests, part.replace(" ", "_"))(target - scene.sent[part])
        scene.prove()
        scene.prove_filters()
    assert scene.sent.total() >= examples
    assert scene.changes > examples // 100
    orders = {one.mark: Order.objects.filter(user=one.user).count() for one in scene.customers}
    with capsys.disabled():
        if examples >= 1000:
            print(
                f"\n{scene.sent.total():,} requests: {dict(scene.sent)}; statuses {dict(sorted(scene.answers.items()))}"
            )
            print(f"{scene.changes:,} changes by the Admin API, each in the history; orders {orders}")


def test_the_proof_sees_a_mark_of_another_customer(db: None) -> None:
    scene = Scene()
    anna, boris = scene.customers
    text = json.dumps({"link": f"https://{boris.mark}.example/"})
    scene.judge_customer("v2 random", boris, 200, text)
    with pytest.raises(AssertionError):
        scene.judge_customer("v2 random", anna, 200, text)
    with pytest.raises(AssertionError):
        scene.judge_customer("v2 random", anna, 200, json.dumps([boris.ids["order"]]))
    with pytest.raises(AssertionError):
        scene.judge_customer("v2 random", anna, 500, "{}")


def test_the_proof_sees_a_change_without_a_line(db: None) -> None:
    scene = Scene()
    with pytest.raises(AssertionError):
        scene.judge_writer(lambda: Order.objects.filter(user=scene.customers[0].user).update(remains=1))
    with pytest.raises(AssertionError), scene.nothing_changes():
        Order.objects.filter(user=scene.customers[0].user).update(remains=2)
