"""Reports and mails for tests, as short as they can be."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile

RECORD = """<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>
<disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><header_from>clinic.example.jp</header_from></identifiers>
<auth_results><dkim><domain>clinic.example.jp</domain><selector>s1</selector><result>pass</result></dkim>
<spf><domain>host.example.net</domain><scope>mfrom</scope><result>softfail</result></spf></auth_results></record>"""

METADATA = """<report_metadata><org_name>reporter.example</org_name><email>dmarc@reporter.example</email>
<report_id>r-1</report_id><date_range><begin>1790000000</begin><end>1790086399</end></date_range></report_metadata>"""

POLICY = "<policy_published><domain>clinic.example.jp</domain><p>none</p></policy_published>"


def record(ip: str = "192.0.2.1", count: object = 1) -> str:
    return RECORD.format(ip=ip, count=count)


def report(*parts: str, metadata: str = METADATA, policy: str = POLICY) -> str:
    return f"<feedback>{metadata}{policy}{''.join(parts or (record(),))}</feedback>"


def zipped(data: bytes, name: str = "report.xml") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def mail(data: bytes, content_type: str = "application/gzip", name: str = "report.xml.gz") -> bytes:
    head = (
        "From: dmarc@reporter.example\r\nTo: dmarc@clinic.example.jp\r\nSubject: Report Domain: clinic.example.jp\r\n"
        f'MIME-Version: 1.0\r\nContent-Type: {content_type}; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    return head.encode() + base64.encodebytes(data).replace(b"\n", b"\r\n")


def gzipped_mail(xml: str) -> bytes:
    return mail(gzip.compress(xml.encode()))
