"""click's own texts in the user's language: "Usage", "Error", and what is wrong with an option.

click takes them from gettext's current domain, so our catalogue, which holds them too, is made that domain.
"""

from __future__ import annotations

import gettext
import os
from importlib.resources import files
from typing import Final

TEXTS: Final = (
    "Aborted!",
    "Commands",
    "Error: {message}",
    "Invalid value for {param_hint}: {message}",
    "Invalid value: {message}",
    "Missing command.",
    "Missing option",
    "Missing argument",
    "No such command {name!r}.",
    "No such option {name!r}.",
    "Option {name!r} does not take a value.",
    "Options",
    "Try '{command} {option}' for help.",
    "Usage:",
    "default: {default}",
    "{value!r} is not a valid {number_type}.",
    "{value} is not in the range {range}.",
    "{name} {filename!r} does not exist.",
    "{name} {filename!r} is a file.",
    "{name} {filename!r} is a directory.",
    "{name} {filename!r} is not readable.",
    "{name} {filename!r} is not writable.",
)

PLURALS: Final = (
    ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
    ("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    ("{value!r} does not match the format {format}.", "{value!r} does not match the formats {formats}."),
    ("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
)


def localise_click(language: str) -> None:
    """Make our catalogue the one that click looks texts up in, in this language. For the whole process."""
    # gettext looks at LANGUAGE first, and knows nothing of MAILGUARD_LANG and --lang.
    os.environ["LANGUAGE"] = language
    gettext.bindtextdomain("mailguard", str(files("mailguard") / "locale"))
    gettext.textdomain("mailguard")
