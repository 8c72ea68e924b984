"""Aggregate reports that are odd inside: what the standard forbids and reporters send nevertheless."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from tests.feedback.mails import METADATA, POLICY, record, report
from tests.feedback.suite.case import Case, clean, counts

A, B, C = record("192.0.2.1", 3), record("192.0.2.2", 4), record("2001:db8::3", 5)
XML = report(A, B, C)
DECLARED = '<?xml version="1.0" encoding="UTF-8"?>\n' + XML
META = "<report_metadata>"


def swap(old: str, new: str, count: int = -1) -> str:
    assert old in XML, old
    return XML.replace(old, new, count)


def in_second(old: str, new: str) -> str:
    """The change in the second of three records only."""
    assert old in B, old
    return report(A, B.replace(old, new), C)


def prefixed(prefix: str) -> str:
    return (
        XML.replace("</", f"</{prefix}:").replace("<", f"<{prefix}:").replace(f"<{prefix}:/{prefix}:", f"</{prefix}:")
    )


# Nothing has to be repaired: three records read, three kept.
CLEAN: dict[str, str | bytes] = {
    "plain": XML,
    "declared": DECLARED,
    "namespace of RFC 9990": swap("<feedback>", '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">'),
    "namespace of RFC 7489": swap("<feedback>", '<feedback xmlns="http://dmarc.org/dmarc-xml/0.1">'),
    "unknown namespace": swap("<feedback>", '<feedback xmlns="urn:example:other">'),
    "prefix with its namespace": prefixed("d").replace("<d:feedback>", '<d:feedback xmlns:d="urn:example:d">'),
    "schema attributes": swap(
        "<feedback>",
        '<feedback xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema">',
    ),
    "stray schema element": swap(META, '<xs:schema xmlns:xs="urn:x"><xs:element/></xs:schema>' + META),
    "byte-order mark": codecs.BOM_UTF8 + XML.encode(),
    "byte-order mark and declaration": codecs.BOM_UTF8 + DECLARED.encode(),
    "UTF-16": XML.encode("utf-16"),
    "UTF-16 big-endian, declared": b"\xfe\xff" + DECLARED.replace("UTF-8", "UTF-16").encode("utf-16-be"),
    "ISO 8859-1, declared": DECLARED.replace("UTF-8", "ISO-8859-1")
    .replace("reporter.example<", "Universität<")
    .encode("latin-1"),
    "Windows-1252, declared": DECLARED.replace("UTF-8", "windows-1252").replace(">s1<", ">s–1<").encode("cp1252"),
    "Japanese in UTF-8": swap("<org_name>reporter.example", "<org_name>報告株式会社"),
    "CRLF": DECLARED.replace("\n", "\r\n"),
    "only CR": DECLARED.replace("\n", "\r"),
    "one line": XML.replace("\n", ""),
    "indented with tabs": XML.replace("><", ">\n\t\t<"),
    "blank lines before the declaration": "\n\r\n  " + DECLARED,
    "comment before the root": "<!-- made by reporter.example -->" + XML,
    "comment between records": report(A, "<!-- <record>no</record> -->", B, C),
    "comment in a record": in_second("<row>", "<row><!-- here -->"),
    "processing instruction": report(A, "<?page <record>no</record> ?>", B, C),
    "CDATA": in_second("<selector>s1</selector>", "<selector><![CDATA[s1]]></selector>"),
    "CDATA that looks like a record": swap("<email>", "<email><![CDATA[<record></record>]]>", 1),
    "references": in_second("s1", "s&#x31;"),
    "ampersand": in_second("s1", "s&amp;1"),
    "version 1.0": swap("<feedback>", "<feedback><version>1.0</version>"),
    "version 0.1": swap("<feedback>", "<feedback><version>0.1</version>"),
    "version 2.0": swap("<feedback>", "<feedback><version>2.0</version>"),
    "all optional policy tags": swap(
        "<p>none</p>", "<adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct><fo>1</fo>"
    ),
    "new policy tags": swap("<p>none</p>", "<p>none</p><np>reject</np><testing>n</testing>"),
    "empty policy tags": swap("<p>none</p>", "<p></p><sp/><pct/>"),
    "metadata in another order": report(
        A,
        B,
        C,
        metadata="<report_metadata><date_range><end>1790086399</end><begin>1790000000</begin></date_range>"
        "<report_id>r-1</report_id><email>a@b.example</email><org_name>B</org_name></report_metadata>",
    ),
    "policy before metadata": f"<feedback>{POLICY}{METADATA}{A}{B}{C}</feedback>",
    "records before everything": f"<feedback>{A}{B}{C}{METADATA}{POLICY}</feedback>",
    "policy between records": f"<feedback>{METADATA}{A}{POLICY}{B}{C}</feedback>",
    "count before the address": XML.replace(
        "<source_ip>192.0.2.2</source_ip><count>4</count>", "<count>4</count><source_ip>192.0.2.2</source_ip>"
    ),
    "parts of a record in another order": report(
        A,
        "<record>" + B[B.index("<identifiers>") : -len("</record>")] + B[8 : B.index("<identifiers>")] + "</record>",
        C,
    ),
    "empty reason": in_second("</policy_evaluated>", "<reason/></policy_evaluated>"),
    "reason without type": in_second("</policy_evaluated>", "<reason><comment>x</comment></reason></policy_evaluated>"),
    "reason as text": in_second("</policy_evaluated>", "<reason>forwarded</reason></policy_evaluated>"),
    "two reasons": in_second(
        "</policy_evaluated>",
        "<reason><type>forwarded</type></reason><reason><type>local_policy</type><comment>arc=pass</comment></reason>"
        "</policy_evaluated>",
    ),
    "reason of RFC 9990": in_second(
        "</policy_evaluated>", "<reason><type>policy_test_mode</type></reason></policy_evaluated>"
    ),
    "reason of nobody": in_second("</policy_evaluated>", "<reason><type>moon</type></reason></policy_evaluated>"),
    "lang attributes": swap("<email>", '<error lang="en">lame</error><email lang="en">'),
    "several errors": swap("<email>", "<error>one</error><error>two</error><email>"),
    "extension": swap("</policy_published>", '</policy_published><extension><x:a xmlns:x="urn:x">1</x:a></extension>'),
    "extension in a record": in_second("</record>", '<x:a xmlns:x="urn:x"><x:count>9</x:count></x:a></record>'),
    "disposition pass": in_second("<disposition>none", "<disposition>pass"),
    "no auth_results": report(A, B[: B.index("<auth_results>")] + "</record>", C),
    "empty auth_results": report(A, B[: B.index("<auth_results>")] + "<auth_results/></record>", C),
    "auth_results with text only": report(
        A, B[: B.index("<auth_results>")] + "<auth_results>none</auth_results></record>", C
    ),
    "several dkim results": in_second(
        "</dkim>\n<spf>", "</dkim><dkim><domain>b.example</domain><result>fail</result></dkim>\n<spf>"
    ),
    "several spf results": in_second(
        "</spf></auth_results>",
        "</spf><spf><domain>helo.example</domain><scope>helo</scope><result>none</result></spf></auth_results>",
    ),
    "no selector": in_second("<selector>s1</selector>", ""),
    "empty selector and domain": in_second(
        "<domain>clinic.example.jp</domain><selector>s1</selector>", "<domain/><selector/>"
    ),
    "no scope": in_second("<scope>mfrom</scope>", ""),
    "human result": in_second("<result>pass</result>", "<result>pass</result><human_result>fine</human_result>"),
    "null envelope_from": in_second("</header_from>", "</header_from><envelope_from/>"),
    "envelope_from in angle brackets": in_second(
        "</header_from>", "</header_from><envelope_from>&lt;&gt;</envelope_from>"
    ),
    "envelope_to": in_second("</header_from>", "</header_from><envelope_to>b.example</envelope_to>"),
    "upper-case header_from": in_second(">clinic.example.jp</header_from>", ">Clinic.EXAMPLE.jp</header_from>"),
    "final dot": in_second(">clinic.example.jp</header_from>", ">clinic.example.jp.</header_from>"),
    "comma-joined header_from": in_second(">clinic.example.jp<", ">clinic.example.jp,b.example<"),
    "U-label": in_second(">clinic.example.jp</header_from>", ">病院.example.jp</header_from>"),
    "count 0": in_second("<count>4", "<count>0"),
    "large count": in_second("<count>4", "<count>2147483648"),
    "blanks in values": in_second("<count>4<", "<count>\n 4 \n<"),
    "zero span": swap("1790086399", "1790000000"),
    "a week": swap("1790086399", "1790604799"),
    "report_id in angle brackets": swap("<report_id>r-1<", "<report_id>&lt;r-1@b.example&gt;<"),
    "unknown elements everywhere": XML.replace("<row>", "<note>x</note><row><hop/>"),
    "attributes on elements": XML.replace("<row>", '<row id="1">').replace("<count>", '<count unit="mail">'),
    "blanks in tags": XML.replace("<row>", "<row >").replace("</record>", "</record\n>"),
    "junk after the root": XML + "\n<!-- end -->\n",
    "NUL padding after the root": XML + " " * 3000,
    "root in capitals": XML.replace("feedback>", "FEEDBACK>"),
    "all elements in capitals": XML.replace("feedback>", "Feedback>")
    .replace("record>", "Record>")
    .replace("row>", "ROW>")
    .replace("count>", "Count>"),
    "no final newline, no declaration": XML.strip(),
}

# What has to be bent or dropped: (read, kept, repaired, dropped).
ODD: dict[str, tuple[str | bytes, tuple[int, int, int, int]]] = {
    "capital Pass": (in_second("<dkim>pass</dkim>", "<dkim>Pass</dkim>"), (3, 3, 1, 0)),
    "all capitals": (in_second("<disposition>none", "<disposition>NONE"), (3, 3, 1, 0)),
    "hardfail": (in_second("softfail", "hardfail"), (3, 3, 1, 0)),
    "spf unknown": (in_second("softfail", "unknown"), (3, 3, 1, 0)),
    "spf error": (in_second("softfail", "error"), (3, 3, 1, 0)),
    "dkim invalid": (in_second("<result>pass", "<result>invalid"), (3, 3, 1, 0)),
    "empty result": (in_second("<result>pass</result>", "<result/>"), (3, 3, 1, 0)),
    "no result": (in_second("<result>pass</result>", ""), (3, 3, 1, 0)),
    "unknown disposition": (in_second("<disposition>none", "<disposition>sampled"), (3, 3, 1, 0)),
    "no disposition": (in_second("<disposition>none</disposition>", ""), (3, 3, 1, 0)),
    "no policy_evaluated": (
        report(A, B[: B.index("<policy_evaluated>")] + B[B.index("</row>") :], C),
        (3, 3, 1, 0),
    ),
    "no identifiers": (report(A, B[: B.index("<identifiers>")] + B[B.index("<auth_results>") :], C), (3, 3, 1, 0)),
    "empty header_from": (in_second(">clinic.example.jp</header_from>", "></header_from>"), (3, 3, 1, 0)),
    "identities": (
        in_second("<identifiers>", "<identities>").replace(
            "</identifiers>\n<auth_results><dkim><domain>clinic.example.jp</domain><selector>s1</selector><result>pass</result>"
            "</dkim>\n<spf><domain>host.example.net</domain><scope>mfrom</scope><result>softfail</result></spf></auth_results>"
            "</record><record><row><source_ip>2001",
            "</identities><auth_results/></record><record><row><source_ip>2001",
        ),
        (3, 3, 1, 0),
    ),
    "no row around address and count": (
        in_second("<row>", "")
        .replace("</row>", "", 2)
        .replace("</policy_evaluated>\n<id", "</policy_evaluated></row>\n<id", 1),
        (3, 3, 1, 0),
    ),
    "count 1.0": (in_second("<count>4", "<count>4.0"), (3, 3, 1, 0)),
    "count 1,000": (in_second("<count>4", "<count>1,000"), (3, 3, 1, 0)),
    "count +4": (in_second("<count>4", "<count>+4"), (3, 3, 1, 0)),
    "count in words": (in_second("<count>4", "<count>four"), (3, 2, 0, 1)),
    "negative count": (in_second("<count>4", "<count>-4"), (3, 2, 0, 1)),
    "absurd count": (in_second("<count>4", "<count>99999999999999999999"), (3, 2, 0, 1)),
    "empty count": (in_second("<count>4</count>", "<count/>"), (3, 2, 0, 1)),
    "no count": (in_second("<count>4</count>", ""), (3, 2, 0, 1)),
    "no address": (in_second("<source_ip>192.0.2.2</source_ip>", ""), (3, 2, 0, 1)),
    "address in words": (in_second("192.0.2.2", "unknown"), (3, 2, 0, 1)),
    "zone id": (in_second("192.0.2.2", "fe80::1%eth0"), (3, 3, 1, 0)),
    "IPv4-mapped": (in_second("192.0.2.2", "::ffff:192.0.2.2"), (3, 3, 1, 0)),
    "address in brackets": (in_second("192.0.2.2", "[192.0.2.2]"), (3, 3, 1, 0)),
    "empty record": (report(A, "<record/>", C), (3, 2, 0, 1)),
    "record of blanks": (report(A, "<record>\n</record>", C), (3, 2, 0, 1)),
    "one bad record among many": (report(*[A] * 50, record("x"), *[B] * 50), (101, 100, 0, 1)),
    "bracket in a value": (in_second(">s1<", ">s<1<"), (3, 3, 1, 0)),
    "bare ampersand": (in_second(">s1<", ">s&1<"), (3, 3, 1, 0)),
    "HTML entity": (in_second(">s1<", ">s&nbsp;1<"), (3, 3, 1, 0)),
    "control character": (in_second(">s1<", ">s\x011<"), (3, 3, 1, 0)),
    "NUL": (in_second(">s1<", ">s\x001<"), (3, 3, 1, 0)),
    "invalid UTF-8 in one record": (in_second(">s1<", ">s\xff1<").encode("latin-1"), (3, 3, 1, 0)),
    "latin-1 said to be UTF-8": (
        DECLARED.replace("<org_name>reporter", "<org_name>Universität").encode("latin-1"),
        (3, 3, 0, 0),
    ),
    "encoding that does not exist": (DECLARED.replace("UTF-8", "UTF-88"), (3, 3, 0, 0)),
    "UTF-16 declared, UTF-8 sent": (DECLARED.replace("UTF-8", "UTF-16"), (3, 3, 0, 0)),
    "Shift_JIS": (
        DECLARED.replace("UTF-8", "Shift_JIS").replace("reporter.example<", "報告<").encode("shift_jis"),
        (3, 3, 0, 0),
    ),
    "declaration broken": (DECLARED.replace('version="1.0"', 'version="1.0'), (3, 3, 0, 0)),
    "declaration in the middle": (swap(META, '<?xml version="1.0"?>' + META), (3, 3, 0, 0)),
    "declaration twice": ('<?xml version="1.0"?>' + DECLARED, (3, 3, 0, 0)),
    "junk before the declaration": ("Report follows:\n" + DECLARED, (3, 3, 0, 0)),
    "junk after the root, not well-formed": (XML + "\n--\nsent by a scanner & <more>", (3, 3, 0, 0)),
    "prefix without its namespace": (prefixed("ns0"), (3, 3, 3, 0)),
    "another root element": (XML.replace("feedback>", "report>"), (3, 3, 0, 0)),
    "no root element": (XML.replace("<feedback>", "").replace("</feedback>", ""), (3, 3, 0, 0)),
    "no end of the root": (XML.replace("</feedback>", ""), (3, 3, 0, 0)),
    "wrapped records": (f"<feedback>{METADATA}{POLICY}<records>{A}{B}{C}</records></feedback>", (3, 3, 0, 0)),
    "everything wrapped": (f"<feedback><report>{METADATA}{POLICY}{A}{B}{C}</report></feedback>", (3, 3, 0, 0)),
    "cut in the last record": (XML[: XML.rindex("<auth_results>")], (3, 2, 0, 1)),
    "cut in the middle of a tag": (XML[: XML.rindex("<auth_results>") + 5], (3, 2, 0, 1)),
    "cut after the second record": (XML[: XML.index(C)], (2, 2, 0, 0)),
    "end tag missing in the second": (report(A, B.replace("</row>", ""), C), (3, 2, 0, 1)),
    "record not closed": (report(A, B.replace("</record>", ""), C), (3, 3, 0, 0)),
    "records crossed": (report(A, "<record><row></record></row>", C), (3, 2, 0, 1)),
    "second policy": (report(A, B, C, policy=POLICY + POLICY.replace("clinic", "other")), (3, 3, 0, 0)),
    "second metadata": (report(A, B, C, metadata=METADATA + METADATA), (3, 3, 0, 0)),
    "no org_name": (swap("<org_name>reporter.example</org_name>", ""), (3, 3, 0, 0)),
    "empty report_id": (swap("<report_id>r-1</report_id>", "<report_id/>"), (3, 3, 0, 0)),
    "no begin": (swap("<begin>1790000000</begin>", ""), (3, 3, 0, 0)),
    "end before begin": (swap("1790086399", "1780000000"), (3, 3, 0, 0)),
    "dates in ISO 8601": (swap("1790000000", "2026-09-21T13:33:20Z"), (3, 3, 0, 0)),
    "dates as fractions": (swap("1790000000", "1790000000.25"), (3, 3, 0, 0)),
    "dates in milliseconds": (swap("1790000000", "1790000000000").replace("1790086399", "1790086399000"), (3, 3, 0, 0)),
    "no policy_published": (report(A, B, C, policy=""), (3, 3, 0, 0)),
    "no records": (f"<feedback>{METADATA}{POLICY}</feedback>", (0, 0, 0, 0)),
    "very long text": (swap("<org_name>reporter", "<org_name>" + "r" * 5000), (3, 3, 0, 0)),
    "long selector": (in_second(">s1<", ">" + "s" * 5000 + "<"), (3, 3, 1, 0)),
    "too many elements in a record": (in_second("<row>", "<row>" + "<a/>" * 3000), (3, 2, 0, 1)),
}

PUT_IN = 3
"""Nearly every case is made of the records A, B and C, and a person reads all three."""

# Those in which a person reads another number, counted by hand.
READ_BY_A_PERSON = {
    # Nobody can tell how many messages these are about.
    "negative count": 2,
    "empty count": 2,
    "no count": 2,
    # Nobody can tell where these came from.
    "no address": 2,
    "address in words": 2,
    "one bad record among many": 50 + 50,
    # Nothing was put in.
    "empty record": 2,
    "record of blanks": 2,
    "records crossed": 2,
    "cut after the second record": 2,
    "no records": 0,
}


def cases() -> Iterator[Case]:
    for name, xml in CLEAN.items():
        yield Case(f"xml: {name}", clean(as_bytes(xml)), PUT_IN, counts((3, 3, 0, 0)))
    for name, (xml, expected) in ODD.items():
        person = READ_BY_A_PERSON.get(name, PUT_IN)
        yield Case(f"xml: {name}", clean(as_bytes(xml)), person, counts(expected), defects=True)


def as_bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
