"""TLS reports and failure reports, as they should be and as they are."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.feedback.mails import mail, zipped
from tests.feedback.suite.case import Case
from tests.feedback.suite.mail_cases import PACKED, TEXT, TOP, b64, multipart, part

REPORT: dict[str, Any] = {
    "organization-name": "reporter.example",
    "date-range": {"start-datetime": "2026-09-21T00:00:00Z", "end-datetime": "2026-09-21T23:59:59Z"},
    "contact-info": "tls@reporter.example",
    "report-id": "t-1",
    "policies": [
        {
            "policy": {
                "policy-type": "sts",
                "policy-string": ["version: STSv1", "mode: testing", "mx: *.clinic.example.jp", "max_age: 86400"],
                "policy-domain": "clinic.example.jp",
                "mx-host": ["*.clinic.example.jp"],
            },
            "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
            "failure-details": [
                {
                    "result-type": "certificate-expired",
                    "sending-mta-ip": "2001:db8::1",
                    "receiving-mx-hostname": "mx1.clinic.example.jp",
                    "failed-session-count": 100,
                },
            ],
        },
        {
            "policy": {"policy-type": "no-policy-found", "policy-domain": "b.example"},
            "summary": {"total-successful-session-count": 1, "total-failure-session-count": 0},
        },
    ],
}
TEXT_OF = json.dumps(REPORT)


def changed(change: Callable[[Any], object]) -> str:
    report = copy.deepcopy(REPORT)
    change(report)
    return json.dumps(report)


def first(report: Any) -> Any:
    return report["policies"][0]


TLS: dict[str, tuple[str | bytes, tuple[int, int, int, int]]] = {
    "plain": (TEXT_OF, (2, 2, 0, 0)),
    "indented": (json.dumps(REPORT, indent=4), (2, 2, 0, 0)),
    "byte-order mark": (TEXT_OF.encode("utf-8-sig"), (2, 2, 0, 0)),
    "UTF-16": (TEXT_OF.encode("utf-16"), (2, 2, 0, 0)),
    "mx-host as text": (changed(lambda r: first(r)["policy"].update({"mx-host": "*.clinic.example.jp"})), (2, 2, 0, 0)),
    "policy-string as text": (changed(lambda r: first(r)["policy"].update({"policy-string": "a\nb"})), (2, 2, 0, 0)),
    "policy-string missing": (changed(lambda r: first(r)["policy"].pop("policy-string")), (2, 2, 0, 0)),
    "failure-details null": (changed(lambda r: first(r).update({"failure-details": None})), (2, 2, 0, 0)),
    "failure-details absent": (changed(lambda r: first(r).pop("failure-details")), (2, 2, 0, 0)),
    "no contact": (changed(lambda r: r.pop("contact-info")), (2, 2, 0, 0)),
    "unknown keys": (changed(lambda r: r.update({"x": [1, {"y": None}]})), (2, 2, 0, 0)),
    "in a list": (f"[{TEXT_OF}]", (2, 2, 0, 0)),
}
TLS_ODD: dict[str, tuple[str | bytes, tuple[int, int, int, int]]] = {
    "keys in capitals": (TEXT_OF.replace("report-id", "Report_ID").replace("t-1", ""), (2, 2, 0, 0)),
    "counts as text": (
        changed(lambda r: first(r)["summary"].update({"total-successful-session-count": "5326"})),
        (2, 2, 1, 0),
    ),
    "counts as fractions": (
        changed(lambda r: first(r)["summary"].update({"total-successful-session-count": 5326.0})),
        (2, 2, 1, 0),
    ),
    "negative count": (
        changed(lambda r: first(r)["summary"].update({"total-successful-session-count": -1})),
        (2, 2, 1, 0),
    ),
    "enormous count": (TEXT_OF.replace("5326", "9" * 10_000), (2, 2, 1, 0)),
    "no summary": (changed(lambda r: first(r).pop("summary")), (2, 2, 1, 0)),
    "dates without zone": (TEXT_OF.replace('Z"', '"'), (2, 2, 0, 0)),
    "dates as numbers": (TEXT_OF.replace('"2026-09-21T00:00:00Z"', "1790000000"), (2, 2, 0, 0)),
    "no dates, but a name": (changed(lambda r: r.pop("date-range")), (2, 2, 0, 0)),
    "no organization": (changed(lambda r: r.pop("organization-name")), (2, 2, 0, 0)),
    "no policy-domain": (changed(lambda r: first(r)["policy"].pop("policy-domain")), (2, 1, 0, 1)),
    "a policy that is a number": (changed(lambda r: r["policies"].append(7)), (3, 2, 0, 1)),
    "one policy, not in a list": (changed(lambda r: r.update({"policies": first(r)})), (1, 1, 0, 0)),
    "failure-details as one": (
        changed(lambda r: first(r).update({"failure-details": first(r)["failure-details"][0]})),
        (2, 2, 1, 0),
    ),
    "failure that is text": (changed(lambda r: first(r)["failure-details"].append("oops")), (2, 2, 1, 0)),
    "policy fields beside": (changed(lambda r: r["policies"].append({**r["policies"].pop()["policy"]})), (2, 2, 1, 0)),
    "no policies": (changed(lambda r: r.pop("policies")), (0, 0, 0, 0)),
    "dangling commas": (TEXT_OF.replace("]", ",]").replace("}", ",}"), (2, 2, 0, 0)),
    "cut short": (TEXT_OF[: TEXT_OF.index('"no-policy-found"') - 30], (1, 1, 0, 0)),
    "line break in a text": (TEXT_OF.replace("tls@", "tls\n@").replace("reporter.example", "", 1), (2, 2, 0, 0)),
    "invalid UTF-8": (TEXT_OF.replace("tls@", "tls\xff@").encode("latin-1"), (2, 2, 0, 0)),
    "half a surrogate pair": (TEXT_OF.replace("tls@", "\\ud800@").replace("t-1", ""), (2, 2, 0, 0)),
    "junk behind": (TEXT_OF + "\n-- \nscanned", (2, 2, 0, 0)),
}
NAME = "reporter.example!clinic.example.jp!1789948800!1790035199!1.json"

ARF = (
    b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: auth-failure\r\nUser-Agent: x/1\r\nVersion: 1\r\n"
    b"Original-Mail-From: <patient.name@clinic.example.jp>\r\nOriginal-Rcpt-To: <somebody@reporter.example>\r\n"
    b"Arrival-Date: Mon, 21 Sep 2026 13:33:20 +0000\r\nSource-IP: 192.0.2.1\r\nReported-Domain: clinic.example.jp\r\n"
    b"Authentication-Results: reporter.example; dmarc=fail header.from=clinic.example.jp\r\n"
    b"Auth-Failure: dmarc\r\nIdentity-Alignment: dkim, spf\r\nDelivery-Result: reject\r\n"
)
# The mail that failed. A report in its attachments is a stranger's and none of ours.
ORIGINAL = b"Content-Type: message/rfc822\r\n\r\n" + multipart(
    b"Content-Type: text/plain\r\n\r\nDear Ms Patient, your results are in.\r\n", part(PACKED), boundary="o"
)
FAILURE = multipart(TEXT, ARF, ORIGINAL, kind="report; report-type=feedback-report", boundary="r")
EXIM = (
    TOP + b"Content-Type: text/plain\r\n\r\nA message claiming to be from you has failed the policy.\r\n\r\n"
    b"  Sender Domain: clinic.example.jp\r\n  Sender IP Address: 192.0.2.1\r\n"
    b"  Received date: Mon, 21 Sep 2026 13:33:20 +0000\r\n  SPF Alignment: no\r\n  DKIM Alignment: no\r\n"
    b"  DMARC Results: None, Accept\r\n\r\n------ This is a copy of the headers\r\n\r\nSubject: secret\r\n"
)
BASE64_ARF = b"Content-Type: message/feedback-report\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n" + b64(
    ARF.partition(b"\r\n\r\n")[2]
)


def tls_mail(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return mail(gzip.compress(data), "application/tlsrpt+gzip", NAME + ".gz")


PUT_IN = 2
"""Nearly every case is made of the two policies of ``REPORT``, and a person reads both."""

# Those in which a person reads another number, counted by hand.
READ_BY_A_PERSON = {
    "one policy, not in a list": 1,
    "no policies": 0,
    "cut short": 1,  # before the second begins
}


def cases() -> Iterator[Case]:
    for name, (text, expected) in TLS.items():
        yield Case(f"tls: {name}", tls_mail(text), PUT_IN, tls=(expected,))
    for name, (text, expected) in TLS_ODD.items():
        person = READ_BY_A_PERSON.get(name, PUT_IN)
        yield Case(f"tls: {name}", tls_mail(text), person, tls=(expected,), defects=True)
    yield Case("tls: bare", mail(TEXT_OF.encode(), "application/tlsrpt+json", "a.json"), 2, tls=((2, 2, 0, 0),))
    yield Case("tls: zip", mail(zipped(TEXT_OF.encode(), "a.json")), 2, tls=((2, 2, 0, 0),))
    yield Case("tls: in the text", TOP + b"\r\n" + TEXT_OF.encode(), 2, tls=((2, 2, 0, 0),))
    yield Case("tls: two in one file", tls_mail(TEXT_OF + "\n" + TEXT_OF), 4, tls=((2, 2, 0, 0), (2, 2, 0, 0)))
    yield Case(
        "tls: beside an aggregate report",
        multipart(part(PACKED), part(gzip.compress(TEXT_OF.encode()))),
        4,
        reports=((2, 2, 0, 0),),
        tls=((2, 2, 0, 0),),
    )
    yield Case("tls: other JSON", mail(gzip.compress(b'{"a": 1}')), 0, refused=("not-a-report",), defects=True)
    yield Case("tls: no JSON", mail(gzip.compress(b"{nothing")), 0, refused=("not-a-report",), defects=True)
    yield Case("failure: RFC 9991", FAILURE, 0, failures=1)
    yield Case(
        "failure: fields in base64", multipart(TEXT, BASE64_ARF, ORIGINAL, kind="report", boundary="r"), 0, failures=1
    )
    yield Case("failure: Exim's plain text", EXIM, 0, failures=1)
    yield Case(
        "failure: beside an aggregate report",
        multipart(FAILURE.partition(b"1.0\r\n")[2], part(PACKED)),
        2,
        reports=((2, 2, 0, 0),),
        failures=1,
    )
