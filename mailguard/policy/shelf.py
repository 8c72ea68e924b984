"""The files under ``policies/``, found in a checkout and in an installed wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from mailguard.errors import OperationError, PolicyError
from mailguard.providers import Providers, parse_providers

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_PLACES: Final = (_PACKAGE / "_data" / "policies", _PACKAGE.parent / "policies")


def policies_folder() -> Path:
    """Where the policy files are. Raises OperationError when the installation lacks them."""
    for place in _PLACES:
        if place.is_dir():
            return place
    raise OperationError("The folder 'policies' is missing from this installation of mailguard; install it again.")


def read_policy_file(path: Path, max_bytes: int = 1_000_000) -> str:
    """Text of a policy file of at most ``max_bytes``. Raises PolicyError where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise PolicyError(f"{path}: is larger than {max_bytes} bytes; a policy file is a few kilobytes.")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read ({error.strerror}); check the path.") from None
    except UnicodeDecodeError:
        raise PolicyError(f"{path}: is not UTF-8 text; save it again as UTF-8.") from None


@cache
def load_providers() -> Providers:
    """What is known about providers, read once."""
    folder = policies_folder()
    providers = read_policy_file(folder / "providers.json")
    return parse_providers(providers, read_policy_file(folder / "shared-mail-domains.json"))
