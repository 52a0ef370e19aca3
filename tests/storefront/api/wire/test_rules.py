"""Which test holds which rule of the wire. A rule is what some existing client depends on; a test is a file and a name.

Files are those of tests/storefront/api, unless they begin with "clients/".
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[3]

TRANSPORT = """
a form by POST with any user agent or none
    wire/test_addresses.py test_no_user_agent_is_turned_away
GET with everything in the query
    test_transport.py test_every_way_to_send_a_request_is_read
POST with the parameters in the query
    test_transport.py test_every_way_to_send_a_request_is_read
multipart
    test_transport.py test_every_way_to_send_a_request_is_read
JSON, whatever its content type
    test_transport.py test_every_way_to_send_a_request_is_read
numbers, booleans and lists in JSON; 100.0 for 100
    test_actions.py test_every_type_can_be_ordered_with_json
no content type, text/plain, a wrong charset
    test_transport.py test_every_way_to_send_a_request_is_read
a link that was not escaped is cut, the rest ignored
    test_transport.py test_an_unescaped_link_ends_at_the_ampersand
Bearer and X-Api-Key
    test_transport.py test_every_way_to_send_a_request_is_read
the key in the body wins
    test_transport.py test_the_key_in_the_body_wins
an offer of HTTP/2 on a plain connection
    clients/test_replicas.py test_ownsmm_offers_http_2_and_looks_at_once
/api/v2, /api/v2/, /api/v1, /api/v1/, none redirects
    wire/test_addresses.py test_every_address_buys_without_a_redirect
what is refused is not redirected either
    wire/test_addresses.py test_no_address_redirects_what_it_refuses
http is not sent to https
    wire/test_addresses.py test_plain_http_is_not_sent_to_https
no CSRF token, no cookie
    wire/test_addresses.py test_a_post_needs_no_token_of_the_pages
no session begins, English whatever the browser says
    test_transport.py test_responses_are_english_without_cookies_or_sessions
HTTP/1.0 without a host
    clients/test_replicas.py test_an_old_program_speaks_http_1_0_without_a_host
Expect: 100-continue
    clients/test_programs.py test_a_program_lists_services_orders_and_checks_the_status
250 ids in the line of a GET
    clients/test_replicas.py test_250_orders_fit_into_the_line_of_a_get
an add never waits for a panel
    clients/test_never_twice.py test_an_order_is_taken_at_once_while_the_panel_hangs
1,000 ids as 1,000 fields
    wire/test_limits.py test_a_thousand_ids_come_as_a_thousand_fields
a host that is not ours gets JSON
    wire/test_addresses.py test_a_host_that_is_not_ours_gets_json
404 in JSON
    test_transport.py test_unknown_addresses_get_404_in_json
405 in JSON
    test_transport.py test_other_methods_get_405_in_json
413 in JSON
    wire/test_limits.py test_a_body_too_large_is_413_in_json
500 in JSON, without an error where it is not certain
    test_failures.py test_a_failed_read_returns_no_error
any Accept header
    test_transport.py test_the_accept_header_and_format_do_not_matter
"""

PARAMETERS = """
100, 100.0, " 100 " are numbers
    wire/test_parameters.py test_a_whole_number_has_many_spellings
1e3 is none
    wire/test_parameters.py test_what_is_no_whole_number_is_refused
"", undefined, null, NaN, false are nothing
    wire/test_parameters.py test_a_word_for_nothing_is_nothing
the quantity of comments is their lines
    wire/test_parameters.py test_the_lines_of_comments_count_whatever_quantity_says
comments by CRLF, LF, backslash-n or a JSON list, never by commas
    wire/test_parameters.py test_comments_are_parted_as_each_client_parts_them
other lists by lines, a single line by commas
    wire/test_parameters.py test_lists_are_parted_by_lines_and_a_single_line_by_commas
a subscription with an empty expiry, or d/m/Y
    wire/test_parameters.py test_a_subscription_without_an_end_day
subscriptions without a limit are refused
    test_dripfeed.py test_a_subscription_is_charged_by_its_posts_and_must_be_limited
a link without a scheme
    wire/test_parameters.py test_a_link_need_not_be_an_address
ids in every spelling
    wire/test_parameters.py test_ids_have_many_spellings
ids in JSON
    wire/test_parameters.py test_ids_come_in_json
more than 1,000 ids are refused, never cut
    wire/test_answers.py test_ids_are_never_cut_in_silence
aliases of the key
    test_transport.py test_the_key_has_aliases
aliases of the order for status
    wire/test_parameters.py test_the_id_has_aliases_for_status
a body in chunks
    wire/test_odd_requests.py test_a_body_in_chunks_is_read_where_the_server_decodes_it
a body in chunks from Node and curl
    clients/test_programs.py test_a_program_lists_services_orders_and_checks_the_status
no action, no refill
    wire/test_parameters.py test_no_refill_is_guessed_from_a_request_without_an_action
refills without an action are a status
    wire/test_odd_requests.py test_refills_without_an_action_are_asked_for_their_status
an invitation to Telegram keeps its plus
    wire/test_odd_requests.py test_the_plus_of_an_invitation_that_was_not_escaped_is_still_a_plus
invisible marks around a link are cut
    wire/test_odd_requests.py test_invisible_marks_around_a_link_are_cut
verbs of other servers
    wire/test_parameters.py test_verbs_of_other_servers_are_incorrect_requests
the case of an action
    wire/test_parameters.py test_the_case_of_an_action_does_not_matter
unknown parameters are ignored, is_test is not free
    wire/test_parameters.py test_unknown_parameters_are_ignored_and_nothing_is_free
"""

ANSWERS = """
an order is a positive number, seen by status at once
    wire/test_answers.py test_an_order_is_a_positive_number_and_is_seen_at_once
exactly six status words
    wire/test_answers.py test_every_state_has_its_exact_word
five texts, none missing or empty
    wire/test_answers.py test_a_status_has_five_texts_and_nothing_is_missing
remains within the quantity; all when canceled, 0 when completed
    wire/test_answers.py test_remains_lies_within_the_quantity
every asked id, in order, once
    wire/test_answers.py test_a_thousand_ids_are_answered_in_the_order_they_were_asked
one id under orders is an object by id
    wire/test_answers.py test_an_order_is_a_positive_number_and_is_seen_at_once
a foreign id is one that never was
    wire/test_answers.py test_a_foreign_id_is_told_like_one_that_never_was
a foreign refill is one that never was
    wire/test_answers.py test_a_foreign_refill_is_told_like_one_that_never_was
a single refill is a text, many are numbers, cancel is 1
    wire/test_answers.py test_numbers_are_numbers_and_a_single_refill_is_a_text
exactly four words of refills
    wire/test_answers.py test_every_state_of_a_refill_has_its_exact_word
numbers, texts and booleans of a service
    wire/test_answers.py test_a_service_has_numbers_texts_and_booleans_where_clients_expect_them
a rate without an exponent
    wire/test_answers.py test_a_rate_has_no_exponent
names without quotes and control characters
    wire/test_answers.py test_names_hold_nothing_that_breaks_who_pastes_them
types as on the example page
    wire/test_answers.py test_types_have_the_spelling_of_the_example_page
the whole price list, new at once
    wire/test_answers.py test_the_price_list_is_whole_and_new_at_once
the price list is packed
    wire/test_addresses.py test_the_price_list_is_packed_for_who_can_unpack_it
a balance is a plain decimal
    wire/test_answers.py test_a_balance_is_a_plain_decimal
no success says error
    wire/test_answers.py test_no_success_has_the_word_error_in_it
an error has one key and HTTP 200
    wire/test_answers.py test_an_error_has_one_key_and_http_200
error texts reach the user of every client
    clients/test_published.py test_every_error_text_reaches_the_clients_user
"""

SERVER = """
429, Retry-After and {} for reads
    wire/test_limits.py test_a_read_too_many_is_429_without_an_error
HTTP 200 and a sentence for writes
    wire/test_limits.py test_a_write_too_many_says_that_nothing_was_done
300 calls a minute
    wire/test_limits.py test_a_shop_that_sets_nothing_allows_300_calls_a_minute
a request id holds a day
    wire/test_never_twice.py test_the_same_request_id_is_the_same_order_for_a_day
a request id with another body buys nothing
    wire/test_never_twice.py test_a_request_id_with_another_body_buys_nothing
Idempotency-Key is a request id
    wire/test_never_twice.py test_the_header_is_the_same_id_as_the_parameter
the same again within 60 seconds is the same order
    wire/test_never_twice.py test_the_same_again_within_a_minute_is_the_same_order
after 60 seconds it is a new one
    wire/test_never_twice.py test_after_a_minute_it_is_a_new_order
eight at once are one order
    wire/test_never_twice.py test_the_same_from_eight_threads_is_one_order
eight at once over two processes are one order
    clients/test_never_twice.py test_eight_identical_requests_at_once_place_one_order
one open order a link, where the service says so
    wire/test_never_twice.py test_a_service_can_take_one_order_a_link
keys are in no log of ours
    test_failures.py test_a_key_is_never_logged
keys are in no log of the web server
    clients/test_never_twice.py test_the_log_of_the_web_server_names_no_key
nothing that is sent breaks anything
    test_fuzz.py test_random_bytes_get_valid_responses
"""

LINES = [line.strip() for text in (TRANSPORT, PARAMETERS, ANSWERS, SERVER) for line in text.strip().splitlines()]
ROWS = list(zip(LINES[::2], LINES[1::2], strict=True))


@cache
def names(file: str) -> set[str]:
    path = TESTS / file if file.startswith("clients/") else TESTS / "storefront" / "api" / file
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("rule", "test"), ROWS, ids=[rule for rule, _ in ROWS])
def test_every_rule_has_a_test(rule: str, test: str) -> None:
    file, name = test.split()
    assert name in names(file), f"{rule}: {file} has no {name}"
