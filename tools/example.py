"""The example in the READMEs: a real audit of a fictional clinic, from answers that are written down here."""

from __future__ import annotations

from datetime import UTC, datetime

from mailguard.audit import Plan, replay_audit
from mailguard.evidence import Evidence
from mailguard.inquiry import Answer, Question, run
from mailguard.names import name
from mailguard.policy.shelf import load_policy, load_providers
from mailguard.render.document import to_document
from mailguard.render.terminal import Terminal
from mailguard.survey import take_survey
from tests.zones import Zone

DOMAIN = name("clinic.example.jp")
SELECTOR = "s1"
PROBE_LABEL = "mailguard-0001"
AS_OF = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
COLUMNS = 96

# The public half of a key whose private half was thrown away.
KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1pOJixOyJcaeiYKPYrXA8FH03KVg9kUJ/pYHR8dk0h0HySnpOARzrz",
    "fqR0yo9OhDTao3jx3TQOeepwLRXx048kj9OZmyfXOFo+HAGBaGdkIsDQJPanjB0ymwj4eCxCbS3xhi9AEqi5B9l0hWs8Q12gPF",
    "1UVTlCZWWmTHV9/eOu9lR+pbT00Q8obkn4jIRXlUqeTGiggz73vewJxka62zx4ANJxC/O4n9O8S4TpAnWGaaRUTAEV6R0i4otp",
    "vzABt8r7Pens6FskpYmRMqBP2cvl9F2mAg6Gv4HUNhtzGPOXdRfZq434k/F14KlT5zbXRSU8A8N0ahDlXz6YKyIQjC5QIDAQAB",
)

# A clinic as there are many: SPF and DKIM stand, nobody has thought of DMARC.
ZONE = f"""
clinic.example.jp                 MX   10 mail.clinic.example.jp
clinic.example.jp                 TXT  "v=spf1 mx ~all"
mail.clinic.example.jp            A    192.0.2.10
s1._domainkey.clinic.example.jp   TXT  "v=DKIM1; k=rsa; p=" {" ".join(f'"{part}"' for part in KEY)}
"""


def example(language: str) -> str:
    """What ``mailguard audit clinic.example.jp --selector s1`` prints, to the letter but for the time it took."""
    knowledge = load_providers()
    audit = replay_audit(_evidence(), Plan(policy=load_policy("hospital"), knowledge=knowledge, selectors=(SELECTOR,)))
    document = {**to_document(audit), "duration_s": 0.1}
    terminal = Terminal(language, width=COLUMNS, asks=True)
    return (terminal.item(document) + terminal.end()).rstrip()


def _evidence() -> Evidence:
    zone = Zone.parse(ZONE)
    seen: dict[Question, Answer] = {}

    def source(question: Question) -> Answer:
        return seen.setdefault(question, zone(question))

    run(take_survey(DOMAIN, selectors=(SELECTOR,), probe_label=PROBE_LABEL, knowledge=load_providers()), source)
    return Evidence(DOMAIN, AS_OF, PROBE_LABEL, (SELECTOR,), answers=tuple(seen.values()))
