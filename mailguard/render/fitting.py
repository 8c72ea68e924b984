"""Whether JSON from outside has the shape of one of our documents: as much of JSON Schema as our schemas use.

Names that a schema does not know are let pass: a later version may say more. What is known has to be what it should be,
so that whoever reads such a document need not doubt every step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}

Schema = dict[str, Any]


@cache
def load_schema(name: str) -> Schema:
    """One of the schemas beside this module, as ``audit-1``."""
    schema: Schema = json.loads((files("mailguard.render") / "schema" / f"{name}.schema.json").read_text("utf-8"))
    return schema


def fits(value: Any, schema: Schema) -> bool:
    """Whether a value has the shape that a schema of ours says. RecursionError for one that is nested too deeply."""
    return _fits(value, schema, schema)


def _fits(value: Any, schema: Schema, root: Schema) -> bool:
    if "$ref" in schema:
        return _fits(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return any(_fits(value, one, root) for one in schema["anyOf"])
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    types = schema.get("type", ())
    if types and not any(_TYPES[one](value) for one in ([types] if isinstance(types, str) else types)):
        return False
    if isinstance(value, dict):
        return _object_fits(value, schema, root)
    if isinstance(value, list) and "items" in schema:
        return all(_fits(item, schema["items"], root) for item in value)
    return True


def _object_fits(value: dict[str, Any], schema: Schema, root: Schema) -> bool:
    if any(name not in value for name in schema.get("required", ())):
        return False
    others = schema.get("additionalProperties")
    known = schema.get("properties", {})
    for name, inner in value.items():
        wanted = known.get(name, others)
        if isinstance(wanted, dict) and not _fits(inner, wanted, root):
            return False
    return True
