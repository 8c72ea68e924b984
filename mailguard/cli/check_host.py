"""``mailguard check-host``: what SPF says about one client, and why."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import click

from mailguard.cli.console import echo_json
from mailguard.cli.exits import FINDINGS, OK, UNANSWERED
from mailguard.cli.options import lang_option, resolver_options, resolver_settings
from mailguard.cli.speaking import SpokenCommand, language, say
from mailguard.words import translator

if TYPE_CHECKING:
    from mailguard.spf.check_host import SpfVerdict


@click.command("check-host", cls=SpokenCommand)
@click.option("--ip", required=True, help="Address of the sending server (IPv4 or IPv6).")
@click.option("--mail-from", default="", help="Envelope sender; without it, postmaster at the HELO name.")
@click.option("--helo", default="", help="Name that the sending server gave in HELO or EHLO.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
@resolver_options
@lang_option
@click.pass_context
def check_host(ctx: click.Context, /, **options: Any) -> None:
    """Evaluate SPF for one client, as a receiver does (RFC 7208).

    Exit codes: 0 pass, 1 any other result, 2 wrong use, 3 temporary error.
    """
    if not options["mail_from"] and not options["helo"]:
        raise click.UsageError(say("Give --mail-from, --helo, or both."))
    try:
        client = ip_address(options["ip"].strip().strip("[]"))
    except ValueError as error:
        raise click.UsageError(say("{text} is no IP address.").format(text=options["ip"])) from error
    settings = resolver_settings(options["nameservers"], options["timeout"])
    verdict = asyncio.run(_evaluate(client, options["mail_from"], options["helo"], settings))
    if options["form"] == "json":
        echo_json(_fields(verdict))
    else:
        click.echo(_text(verdict, language()))
    ctx.exit({"pass": OK, "temperror": UNANSWERED}.get(verdict.result, FINDINGS))


async def _evaluate(client: Any, mail_from: str, helo: str, settings: Any) -> SpfVerdict:
    import time

    from mailguard.resolver import Resolver, Session, drive
    from mailguard.spf.check_host import Mailbox, check_host

    sender = Mailbox.parse(mail_from, helo)
    async with Resolver(settings) as resolver:
        with Session(resolver) as session:
            inquiry = check_host(client, sender.domain, sender, helo=helo or "unknown", time_s=int(time.time()))
            return await drive(inquiry, session)


def _fields(verdict: SpfVerdict) -> dict[str, Any]:
    return {
        "result": verdict.result,
        "domain": verdict.domain,
        "matched": verdict.term or None,
        "matched_in": verdict.term_domain or None,
        "problem": verdict.problem,
        "problem_at": verdict.problem_at or None,
        "explanation": verdict.explanation or None,
        "lookups": verdict.lookups,
        "void_lookups": verdict.void_lookups,
        "trace": [
            {
                "depth": step.depth,
                "domain": step.domain,
                "term": step.term,
                "matched": step.matched,
                "note": step.note,
            }
            for step in verdict.trace
        ],
    }


def _text(verdict: SpfVerdict, lang: str) -> str:
    from mailguard.render.safe import visible

    say = translator(lang)
    lines = [say("Result: {result}").format(result=verdict.result)]
    if verdict.term:
        lines.append(
            say("Decided by {term} in the record of {domain}").format(
                term=visible(verdict.term), domain=visible(verdict.term_domain)
            )
        )
    if verdict.problem:
        lines.append(
            say("Reason: {problem} at {name}").format(problem=verdict.problem, name=visible(verdict.problem_at))
        )
    if verdict.explanation:
        lines.append(say("The domain's own words: {text}").format(text=visible(verdict.explanation)))
    lines.append(
        say("Look-ups: {count} of 10, without result: {void} of 2").format(
            count=verdict.lookups, void=verdict.void_lookups
        )
    )
    for step in verdict.trace:
        mark = "=" if step.matched else "-"
        note = f" ({visible(step.note)})" if step.note else ""
        lines.append(f"  {'  ' * step.depth}{mark} {visible(step.term)}{note}  [{visible(step.domain)}]")
    return "\n".join(lines)
