"""What holds for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No test here judges time: a busy machine must not make a sound property fail. Examples are drawn from a fixed seed, so
# that a failure can be repeated; `--hypothesis-profile=search` draws new ones.
settings.register_profile("default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", settings.get_profile("default"), derandomize=False, max_examples=2000)
settings.load_profile("default")
