"""Guides: one clinic's HTML, a thousand clinics' HTML, and a Japanese PDF of two hundred pages.

The audits are made before the clock starts: what is measured is the way from a document to a file. The PDF is drawn in
a process of its own, so that its memory can be told from that of the rest.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from io import BytesIO

from bench.ours import load_plan
from bench.report import Target, save, say, table
from bench.zones import Clinics
from mailguard.audit import replay_audit
from mailguard.evidence import Evidence
from mailguard.guidebook.blocks import Book
from mailguard.guidebook.book import make_book, make_portfolio_book
from mailguard.guidebook.case import Case
from mailguard.guidebook.portfolio import make_portfolio
from mailguard.inquiry import Answer, Question
from mailguard.inquiry import run as drive
from mailguard.names import DomainName
from mailguard.render.book.html import render_html
from mailguard.render.book.pdf import render_pdf
from mailguard.render.document import to_document
from mailguard.survey import take_survey

CLINICS = 1000
PAGES = 200
LANGUAGE = "ja"
_NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
_CLINICS_OF_A_PORTFOLIO = 195  # enough for the pages that are wanted; how many they are is measured


def case_of(domain: DomainName, clinics: Clinics) -> Case:
    """A clinic audited from memory."""
    seen: dict[Question, Answer] = {}
    plan = load_plan()
    survey = take_survey(domain, probe_label="mailguard-probe", knowledge=plan.knowledge)
    drive(survey, lambda question: seen.setdefault(question, clinics(question)))
    evidence = Evidence(domain, _NOW, "mailguard-probe", plan.selectors, answers=tuple(seen.values()))
    return Case(document=to_document(replay_audit(evidence, plan)), made_at=_NOW, knowledge=plan.knowledge)


def portfolio(clinics: Clinics) -> Book:
    """The report over many clinics, with page one of each."""
    cases = [case_of(domain, clinics) for domain in clinics.domains]
    return make_portfolio_book(make_portfolio(cases), LANGUAGE, pages=True)


def measure_html(clinics: Clinics) -> tuple[float, float, float]:
    """Median milliseconds of one clinic's rendering, the same with the book that is rendered, and seconds of all
    clinics from document to HTML."""
    cases = [case_of(domain, clinics) for domain in clinics.domains]
    render_html(make_book(cases[0], LANGUAGE))  # templates and pages are read once
    rendered, both = [], []
    began = time.perf_counter()
    for case in cases:
        started = time.perf_counter()
        book = make_book(case, LANGUAGE)
        made = time.perf_counter()
        render_html(book)
        ended = time.perf_counter()
        rendered.append(1000 * (ended - made))
        both.append(1000 * (ended - started))
    return statistics.median(rendered), statistics.median(both), time.perf_counter() - began


def measure_pdf() -> dict[str, float]:
    """The portfolio in a process of its own; its figures."""
    command = [sys.executable, "-m", "bench.guide", "--pdf"]
    figures: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return figures


def make_pdf() -> dict[str, float]:
    """Draw the portfolio here, from the import of the engine on."""
    from pypdf import PdfReader

    book = portfolio(Clinics(_CLINICS_OF_A_PORTFOLIO))
    began = time.perf_counter()
    made = render_pdf(book)
    seconds = time.perf_counter() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"pages": len(PdfReader(BytesIO(made)).pages), "seconds": seconds, "peak_mb": peak_mb, "bytes": len(made)}


def run() -> list[Target]:
    """Measure, save and print; returns the promises."""
    say("guides")
    one_ms, both_ms, all_s = measure_html(Clinics(CLINICS))
    pdf = measure_pdf()
    targets = [
        Target("one clinic's HTML", one_ms, 50, True, "ms"),
        Target(f"{CLINICS:,} clinics, from audit to HTML", all_s, 60, True, "s"),
        Target("pages of the PDF", pdf["pages"], PAGES),
        Target("PDF, with the engine's start", pdf["seconds"], 20, True, "s"),
        Target("PDF, peak memory", pdf["peak_mb"], 500, True, "MB"),
    ]
    rows = [
        ("one clinic, book to HTML (median)", f"{one_ms:.1f} ms"),
        ("one clinic, audit to HTML (median)", f"{both_ms:.1f} ms"),
        (f"{CLINICS:,} clinics, audit to HTML, one process", f"{all_s:.1f} s"),
        (f"PDF of {pdf['pages']:.0f} pages, {pdf['bytes'] / 2**20:.1f} MB", f"{pdf['seconds']:.1f} s"),
        ("memory of that process", f"{pdf['peak_mb']:.0f} MB"),
    ]
    save("guide", {"pdf": pdf, "rows": dict(rows), "targets": [each.json for each in targets]})
    print(table(("guides in Japanese", ""), rows), end="\n\n")
    return targets


if __name__ == "__main__":
    if "--pdf" in sys.argv:
        print(json.dumps(make_pdf()))
    else:
        run()
