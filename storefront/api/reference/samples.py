"""Code samples that call the API, in four languages, and that verify a webhook. Only tests run them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

#: Placeholder of the reader's key; the page's script replaces it.
KEY = "YOUR_KEY"
#: Strings and comments in the samples' languages. An address contains // but no blank before it.
_MARKED = re.compile(r"""(?P<b>"[^"]*"|'[^']*'|YOUR_KEY)|(?P<i>(?<!\S)(?://|\#)\ .*)""", re.VERBOSE)


@dataclass(frozen=True, slots=True)
class Sample:
    """One code sample. ``code`` identifies it on the page; ``text`` runs unchanged once it contains a key."""

    code: str
    language: str
    text: str

    @property
    def shown(self) -> SafeString:
        """Return the text as HTML with its strings, comments and the key's placeholder marked."""
        parts, end = [], 0
        for found in _MARKED.finditer(self.text):
            parts += [_escaped(self.text[end : found.start()]), _marked(found)]
            end = found.end()
        return format_html_join("", "{}", ((part,) for part in [*parts, _escaped(self.text[end:])]))


def _marked(found: re.Match[str]) -> SafeString:
    if found["i"]:
        return format_html("<i>{}</i>", found["i"])
    if KEY not in found["b"]:
        return format_html("<b>{}</b>", found["b"])
    before, _key, after = found["b"].partition(KEY)
    return format_html("<b>{}<span data-key>{}</span>{}</b>", before, KEY, after)


def _escaped(text: str) -> SafeString:
    return format_html("{}", text)


def calls(address: str, fields: Mapping[str, str]) -> list[Sample]:
    """Return the code of a call of ``address`` with ``fields`` and the key, in every language."""
    asked = {"key": KEY, **fields}
    makers = (("curl", "curl", _curl), ("php", "PHP", _php), ("python", "Python", _python), ("node", "Node", _node))
    return [Sample(code, language, make(address, asked)) for code, language, make in makers]


def _lines(fields: Mapping[str, str], form: str, quote: Callable[[str], str]) -> str:
    return "\n".join(form.format(quote(name), quote(value)) for name, value in fields.items())


def _curl(address: str, fields: Mapping[str, str]) -> str:
    def word(name: str, value: str) -> str:
        # Let curl encode values with characters that have a meaning in a form.
        option = "-d" if re.fullmatch(r"[\w.,:/-]*", value, re.ASCII) else "--data-urlencode"
        return f"  {option} {shlex.quote(f'{name}={value}')}"

    return " \\\n".join([f"curl {shlex.quote(address)}", *(word(*pair) for pair in fields.items())])


def _php(address: str, fields: Mapping[str, str]) -> str:
    def quote(text: str) -> str:
        escaped = text.replace("\\", "\\\\")
        if "\n" in text:
            return '"' + escaped.replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n") + '"'
        return "'" + escaped.replace("'", "\\'") + "'"

    return f"""<?php
$call = curl_init({quote(address)});
curl_setopt_array($call, [
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 30,
    CURLOPT_POSTFIELDS => http_build_query([
{_lines(fields, "        {} => {},", quote)}
    ]),
]);
print_r(json_decode(curl_exec($call), true));"""


def _python(address: str, fields: Mapping[str, str]) -> str:
    return f"""import json
from urllib.parse import urlencode
from urllib.request import urlopen

fields = {{
{_lines(fields, "    {}: {},", _quoted)}
}}
body = urlencode(fields).encode()
with urlopen({_quoted(address)}, body, timeout=30) as answer:
    print(json.load(answer))"""


def _node(address: str, fields: Mapping[str, str]) -> str:
    names = "\n".join(f"  {name}: {_quoted(value)}," for name, value in fields.items())
    return f"""const body = new URLSearchParams({{
{names}
}});
fetch({_quoted(address)}, {{ method: "POST", body, signal: AbortSignal.timeout(30000) }})
  .then((answer) => answer.json())
  .then((answer) => console.log(JSON.stringify(answer, null, 2)));"""


def _quoted(text: str) -> str:
    """Return a string literal that is valid in Python and JavaScript."""
    return json.dumps(text)


# ------------------------------------------------------------------------------------------------ webhooks
_PHP = r"""<?php
$secret = 'YOUR_SECRET';
$body = file_get_contents('php://input'); // the bytes as they came, before any decoding

function is_genuine(string $body, string $header, string $secret): bool
{
    if (!preg_match('/^t=(\d+),v1=([0-9a-f]{64})$/', $header, $found)) {
        return false;
    }
    $expected = hash_hmac('sha256', $found[1] . '.' . $body, $secret);
    return hash_equals($expected, $found[2]) && abs(time() - (int) $found[1]) <= 300;
}

if (!is_genuine($body, $_SERVER['HTTP_X_VITRINE_SIGNATURE'] ?? '', $secret)) {
    http_response_code(400);
    exit;
}
$event = json_decode($body, true);"""

_PYTHON = r"""import hashlib
import hmac
import re
import time

SECRET = "YOUR_SECRET"


def is_genuine(body: bytes, header: str, secret: str = SECRET) -> bool:
    # body: the bytes as they came, before any decoding
    found = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", header)
    if not found:
        return False
    signed = found[1].encode() + b"." + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    is_fresh = abs(time.time() - int(found[1])) <= 300
    return hmac.compare_digest(expected, found[2]) and is_fresh"""

_NODE = r"""const { createHmac, timingSafeEqual } = require("node:crypto");

const SECRET = "YOUR_SECRET";

// body: a Buffer with the bytes as they came, before any decoding
function isGenuine(body, header, secret = SECRET) {
  const found = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header);
  if (!found) return false;
  const hmac = createHmac("sha256", secret).update(found[1] + ".").update(body);
  const isFresh = Math.abs(Date.now() / 1000 - Number(found[1])) <= 300;
  return timingSafeEqual(hmac.digest(), Buffer.from(found[2], "hex")) && isFresh;
}"""

CHECKS = (Sample("php", "PHP", _PHP), Sample("python", "Python", _PYTHON), Sample("node", "Node", _NODE))
